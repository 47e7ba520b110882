"""Which files a call means, and a NAME for the results of each that no other has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import UsageError
from foveate.imaging import ENDINGS, find_images, stem_of


@dataclass(frozen=True, slots=True)
class Job:
    """An input file and the NAME of its outputs."""

    path: Path
    name: str


def plan(inputs: Iterable[Path]) -> list[Job]:
    """The files that the inputs (files and folders) mean, each once, in order, with names that differ.

    A file's NAME is its stem; where two stems are equal, the parent folder's name comes before it, then the
    ending after it, then a number. Raises UsageError for an input that isn't there and a folder without images.
    """
    files: dict[Path, Path] = {}
    for path in inputs:
        try:
            found = _files(path)
            for file in found:
                files.setdefault(file.resolve(), file)
        except FileNotFoundError as error:
            raise UsageError(f"{path}: no such file; check the name.") from error
        except OSError as error:
            raise UsageError(f"{path}: can't be looked at ({error.strerror}); check the name.") from error
    paths = list(files.values())
    return [Job(path, name) for path, name in zip(paths, _names(paths), strict=True)]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = find_images(path)
        if not found:
            raise UsageError(f"{path}: no image in this folder; looked for {', '.join(sorted(ENDINGS))}.")
        return found
    path.stat()
    return [path]


def _names(files: list[Path]) -> list[str]:
    """One NAME per file, none equal to another even where upper and lower case are the same."""
    names = [stem_of(file) for file in files]
    longer = [f"{file.parent.resolve().name}_{name}" for file, name in zip(files, names, strict=True)]
    longest = [f"{name}_{file.suffix.lstrip('.')}" for file, name in zip(files, longer, strict=True)]
    for candidates in (longer, longest):
        counts = Counter(name.lower() for name in names)
        pairs = zip(names, candidates, strict=True)
        names = [candidate if counts[name.lower()] > 1 else name for name, candidate in pairs]
    taken: set[str] = set()
    unique = []
    for name in names:
        number, free = 2, name
        while free.lower() in taken:
            number, free = number + 1, f"{name}-{number}"
        taken.add(free.lower())
        unique.append(free)
    return unique
