"""What results are called: NAMEs, none of which equals another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from foveate.errors import DataError
from foveate.imaging import stem_of


@dataclass(frozen=True, slots=True)
class Placed:
    """A file, or an address that has still to be looked at."""

    file: Path | str
    """A str is an address."""
    folder: Path | str
    """Below which the file has its name."""
    found: bool = False
    """Whether a folder was given, in which it lies, and not the file itself."""
    name: str = ""
    """What a list calls its results; else they are called after the file."""
    listed: bool = False
    """Whether a list names it, so that it is a file."""


def names_of_results(placed: Sequence[Placed]) -> list[str]:
    """One NAME for each, none equal to another even where upper and lower case are; those of lists as they are.

    Raises DataError where a list gives two files the same name.
    """
    names, longer, longest = [], [], []
    for each in placed:
        file, folder = (PurePosixPath(part) if isinstance(part, str) else part for part in (each.file, each.folder))
        below = file.parent.relative_to(folder)
        name = each.name or (below / stem_of(file)).as_posix()
        names.append(name)
        longer.append(each.name or f"{_last_part(folder)}{'/' if below.parts else '_'}{name}")
        longest.append(each.name or f"{longer[-1]}_{file.suffix.lstrip('.')}")
    for candidates in (longer, longest):
        counts = Counter(name.lower() for name in names)
        pairs = zip(names, candidates, strict=True)
        names = [candidate if counts[name.lower()] > 1 else name for name, candidate in pairs]
    return _numbered(placed, names)


def _numbered(placed: Sequence[Placed], names: Sequence[str]) -> list[str]:
    """Names that are still equal get a number, but for those that a list gives."""
    taken: dict[str, Placed] = {}
    for each in placed:
        if each.name and taken.setdefault(each.name.lower(), each) is not each:
            other = taken[each.name.lower()]
            raise DataError(f"{each.file}: its list calls it {each.name!r}, as it does {other.file}. Make ids differ.")
    unique = []
    for each, name in zip(placed, names, strict=True):
        number, free = 2, name
        while not each.name and free.lower() in taken:
            number, free = number + 1, f"{name}-{number}"
        taken[free.lower()] = each
        unique.append(free)
    return unique


def _last_part(folder: PurePath) -> str:
    return folder.resolve().name if isinstance(folder, Path) else folder.name
