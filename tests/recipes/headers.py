"""The lines at the top of a recipe's file, read for tests."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import Literal

from foveate.recipes.read import shipped

Kind = Literal["Deviation", "Ours", "Offline"]


def header(name: str) -> list[str]:
    """Its lines without their #; one that is indented goes on with the line before it."""
    lines: list[str] = []
    for line in shipped()[name].splitlines():
        if not line.startswith("#"):
            break
        text = line.removeprefix("#").removeprefix(" ")
        if text.startswith("  "):
            lines[-1] += f" {text.strip()}"
        else:
            lines.append(text)
    return lines


def named(name: str, kind: Kind) -> list[tuple[str, str]]:
    """What each line of that kind names, up to its second colon, and the reason behind that."""
    found = [re.fullmatch(rf"{kind}: ([^:]+): (.+)", line) for line in header(name)]
    return [(match[1], match[2]) for match in found if match]


def keys(name: str, kind: Kind) -> list[str]:
    """All keys that lines of that kind name."""
    return [key for said, _ in named(name, kind) for key in said.split(", ")]


def places(name: str) -> list[str]:
    """The data sets of the command in the first line: NAME:FOLDER each."""
    words = shlex.split(header(name)[0])
    return [value for option, value in pairwise(words) if option == "--data"]
