"""Who imports whom: the table in ARCHITECTURE.md and the source text must agree, in both directions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import TopologicalSorter

import pytest
from source_tree import ROOT, Import, imports, modules, others, part_of, parts

ALWAYS_ALLOWED = {"errors", "records"}
"""A row may offer these two to a part that has no use for them yet."""


@dataclass(frozen=True)
class Row:
    """What one part may import."""

    parts: frozenset[str]
    packages: frozenset[str]


def arrows(text: str) -> dict[str, Row]:
    """The rows of the document's table, by part; 'every part' stands for all."""
    rows = {}
    for line in text.partition("\n## Arrows\n")[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = [frozenset(re.findall(r"`(\w+)`", cell)) for cell in cells]
        if line.startswith("| `"):
            ((part,), allowed, packages) = names
            rows[part] = Row(frozenset(parts() - {part}) if cells[1] == "every part" else allowed, packages)
    return rows


TABLE = arrows((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))


def violations(module: str, text: str) -> list[str]:
    """What a module's text imports although the table, or the rule for `cli`, forbids it."""
    part = part_of(module)
    row = TABLE[part]
    found = []
    for each in imports(module, text):
        name = each.part if each.package == "foveate" else each.package
        ours = each.package == "foveate" and each.part not in {part, *row.parts}
        foreign = others([each]) - row.packages
        heavy = part == "cli" and each.eager and each.package == "foveate" and each.part not in {"cli", "errors"}
        if ours or foreign or heavy:
            found.append(f"{module}:{each.line} imports {name}{' when it is loaded' if heavy else ''}")
    return found


def imports_of(part: str) -> list[Import]:
    """All imports of a part's modules."""
    return [each for module, text in modules().items() if part_of(module) == part for each in imports(module, text)]


def parts_that_import(package: str) -> set[str]:
    return {part for part in parts() if package in others(imports_of(part))}


def test_every_folder_and_top_level_module_has_a_row_and_no_row_is_left_over() -> None:
    assert set(TABLE) == parts()


@pytest.mark.parametrize("part", sorted(parts()))
def test_a_part_imports_only_what_its_row_allows(part: str) -> None:
    texts = {module: text for module, text in modules().items() if part_of(module) == part}
    assert [line for module, text in texts.items() for line in violations(module, text)] == []


@pytest.mark.parametrize("part", sorted(parts() - {"cli"}))
def test_a_row_allows_nothing_that_the_part_does_not_use(part: str) -> None:
    used = imports_of(part)
    ours = {each.part for each in used if each.package == "foveate"}
    assert TABLE[part].parts - ours - ALWAYS_ALLOWED == set()
    assert TABLE[part].packages - others(used) == set()


def test_no_part_leads_back_to_itself() -> None:
    graph = {
        part: {each.part for each in imports_of(part) if each.package == "foveate"} - {part} for part in sorted(parts())
    }
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert order.index("records") < order.index("training") < order.index("cli")


SECTION = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## The rooms of training\n")[2]
OVER_THE_ROOMS = set(re.findall(r"`(\w+)`", SECTION.partition("```")[0])) - {"training"}
"""Modules of `training` that its text names."""


def rooms(text: str) -> dict[str, set[str]]:
    """The rows of the document's table of the rooms inside of `training`: what each may import of the others."""
    section = text.partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", section, re.MULTILINE)
    return {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in rows}


ROOMS = rooms(SECTION)


def rooms_imported_by(room: str, texts: dict[str, str]) -> set[str]:
    """The other rooms of `training`, and the modules above them, that the modules of a room import."""
    inside = {module: text for module, text in texts.items() if module.split(".")[1:3] == ["training", room]}
    targets = {each.target for module, text in inside.items() for each in imports(module, text)}
    return {target.split(".")[2] for target in targets if target.startswith("foveate.training.")} - {room}


def test_every_room_of_training_has_a_row() -> None:
    names = {module.split(".")[2] for module in modules() if re.match(r"foveate\.training\.\w+", module)}
    assert names == {*ROOMS, *OVER_THE_ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_training_imports_the_rooms_of_its_row(room: str) -> None:
    assert rooms_imported_by(room, modules()) == ROOMS[room]


def test_the_rooms_of_training_follow_one_another() -> None:
    order = list(ROOMS)
    assert [room for room in order if ROOMS[room] - set(order[: order.index(room)])] == []


def test_an_import_against_the_rooms_order_is_caught() -> None:
    wrong = {"foveate.training.data.made_up": "def f():\n    from foveate.training.step.losses import dice"}
    assert rooms_imported_by("data", modules() | wrong) - ROOMS["data"] == {"step"}


def test_only_runtime_imports_onnx_runtime_and_only_networks_and_training_import_torch() -> None:
    assert parts_that_import("onnxruntime") == {"runtime"}
    assert parts_that_import("torch") == {"networks", "training"}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("foveate.arrays.made_up", "import torch.nn"),
        ("foveate.arrays.made_up", "def f():\n    import torch"),
        ("foveate.arrays.made_up", "async def f():\n    try:\n        from onnxruntime import x\n    except E: ..."),
        ("foveate.arrays.made_up", "from foveate import cli"),
        ("foveate.arrays.made_up", "from .. import datasets"),
        ("foveate.arrays.made_up", "from ..datasets.drive import entries"),
        ("foveate.inference", "from ..training import loop"),
        ("foveate.inference.made_up", "if TYPE_CHECKING:\n    from foveate.networks import build"),
        ("foveate.inference.made_up", "import importlib\nimportlib.import_module('foveate.networks.registry')"),
        ("foveate.inference.made_up", "TABLE = {'x': 'foveate.networks.region_guided:RegionGuided'}"),
        ("foveate.networks.made_up", "from foveate.training.step.losses import dice"),
        ("foveate.records", "import foveate"),
        ("foveate.cli.made_up", "from foveate.inference import Segmenter"),
        ("foveate.cli.made_up", "if TYPE_CHECKING:\n    pass\nelse:\n    from foveate.inference import Segmenter"),
        ("foveate.cli.made_up", "class C:\n    import foveate.imaging"),
        ("foveate.cli.made_up", "def f():\n    import torch"),
    ],
)
def test_a_forbidden_import_is_caught_wherever_it_hides(module: str, text: str) -> None:
    assert len(violations(module, text)) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("foveate.cli.made_up", "from foveate.errors import UsageError\nfrom foveate.cli.console import say"),
        ("foveate.cli.made_up", "def f():\n    from foveate.inference import Segmenter"),
        ("foveate.cli.made_up", "if typing.TYPE_CHECKING:\n    from foveate.inference import Segmenter"),
        ("foveate.datasets.made_up", "import os.path\nfrom .files import entry\nfrom ..imaging import read_mask"),
        ("foveate.datasets.made_up", "'''foveate.cli is not imported by a sentence.'''"),
    ],
)
def test_an_allowed_import_is_left_alone(module: str, text: str) -> None:
    assert violations(module, text) == []


def speech_and_environment(text: str) -> list[str]:
    """What in a module's text prints, or reads the environment or the command line."""
    named = [ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name | ast.Attribute)]
    named += [f"{node.module}.{name.name}" for node in _from_imports(text) for name in node.names]
    return sorted(
        name for name in named if re.fullmatch(r"print|os\.(environb?|getenvb?|putenv)|sys\.(std\w+|argv)", name)
    )


def _from_imports(text: str) -> Iterable[ast.ImportFrom]:
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))


def test_nothing_outside_the_command_line_prints_or_reads_the_environment() -> None:
    found = {
        module: names
        for module, text in modules().items()
        if part_of(module) != "cli" and (names := speech_and_environment(text))
    }
    # ONNX Runtime and Ray can be told only by the environment to keep their usage reports to themselves.
    assert found == {"foveate.inference.cluster.connection": ["os.environ"], "foveate.runtime.onnx": ["os.environ"]}


@pytest.mark.parametrize(
    "text",
    ["print(1)", "x = os.environ['A']", "os.getenv('A')", "from os import environ", "sys.stdout.write('')"],
)
def test_printing_and_reading_the_environment_are_caught(text: str) -> None:
    assert len(speech_and_environment(text)) == 1
