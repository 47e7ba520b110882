"""The package as its source text has it: which module imports what, and from where in the file."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "foveate"

DOTTED = re.compile(r"foveate(\.\w+)+(:\w+)?")
"""A string such as 'foveate.datasets.sets.drive', by which a table names a module to be imported later."""


@dataclass(frozen=True)
class Import:
    """One name that a module asks for."""

    target: str
    """Dotted, with the imported name at its end."""
    line: int
    eager: bool
    """True where it runs when the module is loaded."""

    @property
    def package(self) -> str:
        """The first part of the dotted name."""
        return self.target.partition(".")[0]

    @property
    def part(self) -> str:
        """The folder or top-level module of foveate that is meant; '__init__' for the package itself."""
        name = self.target.split(".")[1:2]
        return name[0] if name and name[0] in parts() else "__init__"


def modules() -> dict[str, str]:
    """Dotted name to text of every module of the package; a folder's is that of its `__init__`."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        names = path.relative_to(SOURCE.parent).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path.read_text(encoding="utf-8")
    return found


@cache
def parts() -> frozenset[str]:
    """The folders that hold modules, and the top-level modules."""
    return frozenset(path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in SOURCE.rglob("*.py"))


def part_of(module: str) -> str:
    """The folder or top-level module that a dotted module name belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def imports(module: str, text: str) -> list[Import]:
    """Every import of a module's text, wherever it stands, and every dotted name in a string."""
    return list(_imports(ast.parse(text), _package(module), eager=True))


def others(found: list[Import]) -> set[str]:
    """The packages among the imports that are neither foveate nor the standard library."""
    return {each.package for each in found} - {"foveate"} - set(sys.stdlib_module_names)


def _package(module: str) -> str:
    is_folder = (SOURCE.parent / Path(*module.split("."))).is_dir()
    return module if is_folder else module.rpartition(".")[0]


def _imports(node: ast.AST, package: str, *, eager: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, node.lineno, eager) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        origin = ".".join([*above, *([node.module] if node.module else [])])
        yield from (Import(f"{origin}.{alias.name}", node.lineno, eager) for alias in node.names)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
        yield Import(node.value.partition(":")[0], node.lineno, eager=False)
    for child in ast.iter_child_nodes(node):
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _only_for_types(node, child)
        yield from _imports(child, package, eager=eager and not lazy)


def _only_for_types(node: ast.AST, child: ast.AST) -> bool:
    """Whether `child` stands in the body, not in the `else`, of `if TYPE_CHECKING`."""
    if not isinstance(node, ast.If) or child not in node.body:
        return False
    return ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING"
