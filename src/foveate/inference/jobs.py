"""Which files a call means, and a NAME for the results of each that no other has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import UsageError
from foveate.imaging import ENDINGS, find_images, images_below, stem_of


@dataclass(frozen=True, slots=True)
class Job:
    """An input file and the NAME of its outputs."""

    path: Path
    name: str


def plan(inputs: Iterable[Path], *, recursive: bool = False) -> list[Job]:
    """The files that the inputs (files and folders) mean, each once, in order, with names that differ.

    A file's NAME is its stem; where two stems are equal, the parent folder's name comes before it, then the
    ending after it, then a number. If `recursive`, sub-folders are searched, too, and stand in the NAME:
    `patient7/left` is the NAME of `patient7/left.png` in the folder that was given. Raises UsageError for an input
    that isn't there and a folder without images.
    """
    files: dict[Path, tuple[Path, Path]] = {}
    for path in inputs:
        try:
            for file in _files(path, recursive):
                files.setdefault(file.resolve(), (path if recursive and path.is_dir() else file.parent, file))
        except FileNotFoundError as error:
            raise UsageError(f"{path}: no such file; check the name.") from error
        except OSError as error:
            raise UsageError(f"{path}: can't be looked at ({error.strerror}); check the name.") from error
    found = list(files.values())
    return [Job(path, name) for (_, path), name in zip(found, _names(found), strict=True)]


def _files(path: Path, recursive: bool) -> list[Path]:
    if path.is_dir():
        found = find_images(path, recursive=recursive)
        if not found:
            below = images_below(path)
            advice = f"; its sub-folders hold {below}: --recursive takes them" if below else ""
            raise UsageError(f"{path}: no image in this folder; looked for {', '.join(sorted(ENDINGS))}{advice}.")
        return found
    path.stat()
    return [path]


def _names(found: list[tuple[Path, Path]]) -> list[str]:
    """One NAME per pair of a folder and a file in it, none equal to another even where upper and lower case are."""
    names, longer, longest = [], [], []
    for folder, file in found:
        below = file.parent.relative_to(folder)
        name = (below / stem_of(file)).as_posix()
        names.append(name)
        longer.append(f"{folder.resolve().name}{'/' if below.parts else '_'}{name}")
        longest.append(f"{longer[-1]}_{file.suffix.lstrip('.')}")
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
