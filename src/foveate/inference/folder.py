"""Many files into one output folder: names that never collide, work that can be stopped and continued."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import FoveateError, OutputError, UsageError
from foveate.imaging import ENDINGS, find_images, read_photograph
from foveate.inference.record import ImageRecord, ModelUsed, read_record, write_record
from foveate.inference.segmentation import output_paths, stem
from foveate.inference.segmenter import Segmenter

RECORD_SECONDS = 5.0
"""How often the record is written while images are still coming; a killed call loses no more than this of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """An input file and the NAME of its outputs."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input file."""

    path: Path
    outputs: dict[str, Path]
    kept: bool = False
    """All outputs were there already, made from the same file."""
    error: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where outputs go and which ones."""

    folder: Path
    probabilities: bool = False
    overlay: bool = False
    overwrite: bool = False

    def paths(self, name: str) -> dict[str, Path]:
        """Kind to path."""
        return output_paths(self.folder, name, probabilities=self.probabilities, overlay=self.overlay)


def plan(inputs: Iterable[Path]) -> list[Job]:
    """The files that the inputs (files and folders) mean, each once, in order, with names that differ.

    A file's NAME is its stem; where two stems are equal, the parent folder's name comes before it, then the
    ending after it, then a number. Raises UsageError for an input that isn't there and a folder without images.
    """
    files: dict[Path, Path] = {}
    for path in inputs:
        found = [path]
        if path.is_dir():
            found = find_images(path)
            if not found:
                raise UsageError(f"{path}: no image in this folder; looked for {', '.join(sorted(ENDINGS))}.")
        elif not path.exists():
            raise UsageError(f"{path}: no such file.")
        for file in found:
            files.setdefault(file.resolve(), file)
    names = _names(list(files))
    return [Job(file, name) for file, name in zip(files.values(), names, strict=True)]


def _names(files: list[Path]) -> list[str]:
    """One NAME per file, none equal to another even where upper and lower case are the same."""
    stems = [stem(file.name) for file in files]
    longer = [f"{file.parent.name}_{name}" for file, name in zip(files, stems, strict=True)]
    longest = [f"{name}_{file.suffix.lstrip('.')}" for file, name in zip(files, longer, strict=True)]
    names = stems
    for candidates in (longer, longest):
        counts = Counter(name.lower() for name in names)
        names = [
            candidate if counts[name.lower()] > 1 else name for name, candidate in zip(names, candidates, strict=True)
        ]
    taken: set[str] = set()
    unique = []
    for name in names:
        number, free = 2, name
        while free.lower() in taken:
            number, free = number + 1, f"{name}-{number}"
        taken.add(free.lower())
        unique.append(free)
    return unique


def segment_files(segmenter: Segmenter, jobs: Iterable[Job], wanted: Wanted) -> Iterator[Outcome]:
    """Segment every job, one outcome each; a file that fails does not stop the others.

    Raises OutputError before any work where the folder's record can't be read.
    """
    records = dict(read_record(wanted.folder).images)
    written = time.monotonic()
    changed = False
    try:
        for job in jobs:
            outcome, record = _one(segmenter, job, wanted, records.get(job.name))
            if record is not None:
                records.pop(str(job.path), None)
                records[job.name if record.status == "done" else str(job.path)] = record
                changed = True
            if changed and time.monotonic() - written > RECORD_SECONDS:
                write_record(wanted.folder, records)
                written, changed = time.monotonic(), False
            yield outcome
    finally:
        if changed:
            write_record(wanted.folder, records)


def _one(
    segmenter: Segmenter, job: Job, wanted: Wanted, before: ImageRecord | None
) -> tuple[Outcome, ImageRecord | None]:
    """The outcome, and the record to keep of it; no record where everything was there already."""
    started = time.perf_counter()
    paths = wanted.paths(job.name)
    try:
        missing = _missing(job, paths, wanted, before)
        if not missing:
            return Outcome(job.path, paths, kept=True), None
        photograph = read_photograph(job.path)
        result = segmenter.segment_photograph(photograph)
        result.write(missing)
    except FoveateError as error:
        return Outcome(job.path, {}, error=str(error)), ImageRecord(
            input=str(job.path), sha256="", status="failed", error=str(error)
        )
    seconds = time.perf_counter() - started
    height, width = result.mask.shape
    card = segmenter.card
    outputs = (before.outputs if before is not None else {}) | {kind: path.name for kind, path in paths.items()}
    record = ImageRecord(
        input=str(job.path),
        sha256=photograph.sha256,
        status="done",
        height=height,
        width=width,
        fov_diameter=round(result.fov_diameter, 2),
        outputs=outputs,
        model=ModelUsed(
            name=card.name, sha256=card.sha256, threshold=card.threshold, threshold_from=card.threshold_from
        ),
        seconds=round(seconds, 4),
        notes=result.notes,
    )
    return Outcome(job.path, paths, notes=result.notes, seconds=seconds), record


def _missing(job: Job, paths: dict[str, Path], wanted: Wanted, before: ImageRecord | None) -> dict[str, Path]:
    """The outputs still to write. Raises OutputError where those that are there belong to another image."""
    there = {kind for kind, path in paths.items() if path.exists()}
    if wanted.overwrite or not there:
        return paths
    if before is not None and before.sha256 and before.sha256 != _sha256(job.path):
        raise OutputError(
            f"{job.path}: {next(iter(paths.values()))} is there already, made from another image"
            f" ({before.input}). Choose another --out, or --overwrite."
        )
    return {kind: path for kind, path in paths.items() if kind not in there}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OutputError(f"{path}: can't be read ({error.strerror}).") from error
