"""One name for a concept, and one concept for a name, over the whole package."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping

import pytest
from source_tree import SOURCE, modules, part_of

CALLED_CHECK = {"foveate.cli.data", "foveate.cli.recipes"}
"""Of these modules it is a command's name."""


def classes(texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Every public class's name with the parts that define it, one for each definition."""
    places: dict[str, list[str]] = defaultdict(list)
    for module, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(part_of(module))
    return {name: tuple(sorted(found)) for name, found in places.items()}


def checks(texts: Mapping[str, str]) -> set[str]:
    """Modules with a function, or a method, that is called `check`."""
    return {
        module
        for module, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "check"
    }


def twice(texts: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Names of several classes."""
    return {name: places for name, places in classes(texts).items() if len(places) > 1}


def test_no_two_public_classes_share_a_name() -> None:
    assert twice(modules()) == {}


def test_no_function_but_a_command_is_called_bare_check() -> None:
    assert checks(modules()) == CALLED_CHECK


@pytest.mark.parametrize("public", sorted(path.stem for path in (SOURCE / "public").glob("[!_]*.py")))
def test_what_is_public_is_not_hidden_by_a_folder_of_its_name(public: str) -> None:
    # `foveate.report` would be the folder from the moment on that anything in it is imported.
    assert not (SOURCE / public).exists()


def test_a_shared_name_and_a_bare_check_are_found() -> None:
    texts = {"foveate.a.x": "class Row: ...", "foveate.b.y": "def f():\n    class Row: ...\n    def check(): ..."}
    assert twice(texts) == {"Row": ("a", "b")}
    assert checks(texts) == {"foveate.b.y"}
