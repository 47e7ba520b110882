"""The pages say what the program has, and name nothing that it hasn't."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from source_tree import ROOT
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from foveate import __version__
from foveate.cli import COMMANDS, app
from foveate.datasets import SETS
from foveate.models import shipped as shipped_models
from foveate.networks.registry import NETWORKS
from foveate.recipes.read import shipped as shipped_recipes
from foveate.recipes.schema import Recipe

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ALL_PAGES = sorted({*PAGES, *ROOT.glob("*.md")})
RECIPE_PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
SECTIONS = [name for name, value in Recipe.model_json_schema()["properties"].items() if "$ref" in value]

every_command = pytest.mark.parametrize("command", COMMANDS)
every_page = pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.name)


def pages() -> str:
    """README and all of docs/, as one text."""
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands() -> TyperGroup:
    group = get_command(app())
    assert isinstance(group, TyperGroup)
    return group


def command_named(words: list[str]) -> tuple[TyperCommand, list[str]]:
    """The command that the first words name, or the first two where it has sub-commands, and the words after it."""
    group: TyperCommand | TyperGroup = commands()
    while isinstance(group, TyperGroup):
        first, *words = words
        group = group.commands[first]  # type: ignore[assignment]
    return group, words


def examples(text: str) -> list[str]:
    """The lines that begin with a call of foveate, with a prompt before it or none."""
    return re.findall(r"^ *(?:\$ )?(foveate .*)$", text.replace("\\\n", " "), flags=re.MULTILINE)


def code_blocks(page: Path) -> str:
    """What stands between the fences of a page."""
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


def check_example(line: str) -> None:
    """Read the line as the command line would; an unknown command or option, or a missing one, raises."""
    _, *words = shlex.split(line, comments=True)
    command, arguments = command_named(words)
    command.make_context(command.name, arguments)


def test_every_command_is_named_in_the_pages() -> None:
    text = pages()
    assert [name for name in COMMANDS if not re.search(rf"\bfoveate {name}\b", text)] == []


@every_command
def test_the_help_of_a_command_shows_an_example_that_it_accepts(command: str) -> None:
    lines = examples(command_named(command.split())[0].help or "")
    assert lines
    for line in lines:
        assert line.startswith(f"foveate {command} ")
        check_example(line)


@every_command
def test_every_argument_and_option_of_a_command_has_a_help_text(command: str) -> None:
    parameters = command_named(command.split())[0].params
    assert parameters
    assert [each.name for each in parameters if not getattr(each, "help", None)] == []


@every_command
def test_every_option_of_a_command_is_named_in_the_pages(command: str) -> None:
    named = set(re.findall(r"--[a-z0-9][a-z0-9-]*", pages()))
    options = [{*each.opts, *each.secondary_opts} for each in command_named(command.split())[0].params]
    long = [{name for name in names if name.startswith("--")} for names in options]
    assert [names for names in long if names and not names & named] == []


def test_every_option_of_foveate_itself_is_named_in_the_pages() -> None:
    assert [each.opts for each in commands().params if not all(name in pages() for name in each.opts)] == []


@every_page
def test_a_page_shows_no_call_that_the_command_line_would_refuse(page: Path) -> None:
    for line in examples(code_blocks(page)):
        check_example(line)


@pytest.mark.parametrize(
    "line",
    [
        "foveate segments a.png -o out",
        "foveate segment a.png -o out --tiles",
        "foveate segment",
        "foveate data show a:b",
    ],
)
def test_a_call_that_the_command_line_would_refuse_is_caught(line: str) -> None:
    with pytest.raises(Exception, match=r"segments|--tiles|[Mm]issing"):
        check_example(line)


def test_every_network_data_set_model_and_recipe_is_named_in_the_pages() -> None:
    text = pages()
    names = [*NETWORKS, *SETS, *shipped_models(), *shipped_recipes()]
    assert [name for name in names if f"`{name}`" not in text] == []


def section(name: str) -> dict[str, Any]:
    """The JSON schema of a recipe's section; '' is the top of the file, without the sections."""
    schema = Recipe.model_json_schema()
    if not name:
        properties = {key: value for key, value in schema["properties"].items() if key not in SECTIONS}
        return schema | {"properties": properties}
    found: dict[str, Any] = schema["$defs"][schema["properties"][name]["$ref"].rpartition("/")[2]]
    return found


def documented(name: str) -> dict[str, list[str]]:
    """The table of one section on the page: key to default, allowed, meaning."""
    heading = f"\n## `[{name}]`\n" if name else "\n## Top of the file\n"
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", RECIPE_PAGE.partition(heading)[2].partition("\n## ")[0], re.MULTILINE)
    return {key: [cell.strip() for cell in rest.split(" | ")] for key, rest in rows}


def allowed(schema: dict[str, Any]) -> str:
    """What the schema accepts, in the words of the page."""
    if names := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{name}`" for name in names)
    if schema["type"] == "array" and "items" in schema:
        return f"list of {allowed(schema['items'])}"
    if schema["type"] == "array":
        (each,) = {allowed(item) for item in schema["prefixItems"]}
        return f"{len(schema['prefixItems'])} times: {each}"
    if schema["type"] == "object":
        return f"by name: {allowed(schema['additionalProperties'])}"
    words = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = " and ".join(f"{sign} {schema[key]:g}" for key, sign in signs.items() if key in schema)
    multiple = f", multiple of {schema['multipleOf']}" if "multipleOf" in schema else ""
    return f"{words[schema['type']]} {bounds}".strip() + multiple


@pytest.mark.parametrize("name", ["", *SECTIONS])
def test_the_page_of_recipes_has_every_key_with_its_default_and_its_bounds(name: str) -> None:
    page, schema = documented(name), section(name)["properties"]
    assert list(page) == list(schema)
    for key, (default, accepted, meaning) in page.items():
        assert accepted == allowed(schema[key]), key
        assert len(meaning) > len(key), key
        if (name, key) == ("", "name"):  # not in the schema: the reader takes it from the file
            assert default == "the file's name"
        elif "default" in schema[key]:
            assert tomllib.loads(f"default = {default.strip('`')}")["default"] == schema[key]["default"], key
        else:
            assert default == "required", key


@every_page
def test_a_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def files_of_the_repository() -> list[Path]:
    """What git tracks, and what it would if it were added now."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of foveate is no git checkout")
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


PRIVATE_FOLDERS = ("home", "root", "work", "Users")
PACKAGE_INDEX = ("index" + "-url", "registry" + "=")
FOREIGN = re.compile("|".join([rf"(?<![\w.])/(?:{'|'.join(PRIVATE_FOLDERS)})/", *PACKAGE_INDEX]).encode())
"""Of one machine: folders that only it has, and where it gets its packages from."""


def test_no_file_names_a_folder_of_one_machine_or_a_package_index() -> None:
    found = {
        str(path.relative_to(ROOT)): match.group().decode()
        for path in files_of_the_repository()
        if (match := FOREIGN.search(path.read_bytes()))
    }
    assert found == {}


@pytest.mark.parametrize("text", [*(f'"/{folder}/x' for folder in PRIVATE_FOLDERS), *PACKAGE_INDEX])
def test_a_folder_of_one_machine_is_caught(text: str) -> None:
    assert FOREIGN.search(text.encode())
    assert not FOREIGN.search(b"https://example.org/home/x and src/work/x")


def test_every_text_ends_with_a_line_end_and_no_line_of_a_page_with_a_space() -> None:
    texts = [path for path in files_of_the_repository() if path.suffix in {".cff", ".md", ".toml", ".txt", ".json"}]
    assert ROOT / "README.md" in texts
    wrong = [
        path.name
        for path in texts
        if not path.read_bytes().endswith(b"\n") or re.search(rb"[ \t]\r?\n", path.read_bytes())
    ]
    assert wrong == []


def test_the_citation_file_carries_the_version_the_date_and_the_licence_of_the_package() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## (\S+) – (\S+)$", changes, flags=re.MULTILINE)
    assert newest is not None
    version, date = newest.groups()
    assert version == __version__
    assert f"\nversion: {version}\ndate-released: {date}\n" in citation
    # What is cited is the code; weights of images that aren't for commercial use have a licence of their own.
    assert f"\nlicense: {project['license'].partition(' AND ')[0]}\n" in citation


def test_the_version_is_written_in_one_place_which_the_build_reads() -> None:
    described = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in described["project"]
    place = ROOT / described["tool"]["hatch"]["version"]["path"]
    assert f'__version__ = "{__version__}"' in place.read_text(encoding="utf-8")


def test_the_classifiers_and_the_bounds_are_those_that_the_matrix_ran() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cells = json.loads((ROOT / "scripts" / "matrix.json").read_text(encoding="utf-8"))["cells"]
    ran = {".".join(cell["python"].split(".")[:2]) for cell in cells if not cell["failed"]}
    said = {line.rpartition(" ")[2] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)}
    assert said == ran
    assert project["requires-python"] == f">={min(ran, key=lambda version: int(version.partition('.')[2]))}"
    lines = [*project["dependencies"], *(line for lines in project["optional-dependencies"].values() for line in lines)]
    lowest: dict[str, set[Version]] = {}
    for cell in cells:
        for name, version in cell["versions"].items() if cell["end"] == "lowest" else ():
            lowest.setdefault(name, set()).add(Version(version))
    for requirement in map(Requirement, lines):
        (bound,) = [Version(each.version) for each in requirement.specifier if each.operator == ">="]
        tried = lowest.get(canonicalize_name(requirement.name))
        # What is for developing alone is in no cell; a bound may leave out zeros and the index the last digits.
        assert tried is None or min(tried).release[: len(bound.release)] == bound.release, requirement
