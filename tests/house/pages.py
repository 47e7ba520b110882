"""What the pages show between fences: commands, snippets, and texts of files."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from source_tree import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """One thing that a page lets its reader do."""

    kind: str
    """The word at the fence: console, python, or the language of a file's text."""
    text: str
    """A command without prompt and comment, in one line; or the whole block."""

    @property
    def words(self) -> list[str]:
        """Of a command, as a shell has them."""
        return shlex.split(self.text)


def steps(page: Path) -> list[Step]:
    """All of a page, in order."""
    return [step for kind, block in FENCED.findall(page.read_text(encoding="utf-8")) for step in _steps(kind, block)]


def _steps(kind: str, block: str) -> list[Step]:
    if kind != "console":
        return [Step(kind, block)]
    lines = block.replace("\\\n", " ").splitlines()
    if not all(line.startswith("$ ") for line in lines):
        raise ValueError(f"a command stands without its '$ ': {block}")
    return [Step(kind, shlex.join(shlex.split(line[2:], comments=True))) for line in lines]


def id_of(page: Path) -> str:
    """A page's path inside of the repository."""
    return page.relative_to(ROOT).as_posix()
