"""Many files into one output folder: work that can be stopped and continued, each result its own image's."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from foveate.errors import FoveateError, ImageError, OutputError
from foveate.imaging import read_photograph
from foveate.inference.jobs import Job
from foveate.inference.record import Expected, ImageRecord, ModelUsed, read_record, readable, write_record
from foveate.inference.segmentation import ExpectedF1, Segmentation, output_paths
from foveate.inference.segmenter import Segmenter
from foveate.records import Classes

RECORD_SECONDS = 5.0
"""How often the record is written while images are still coming; a killed call loses no more than this of it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where outputs go and which ones."""

    folder: Path
    probabilities: bool = False
    overlay: bool = False
    overwrite: bool = False
    confidence: bool = False
    """Whether the record says how good each mask is by its own probabilities."""

    def paths(self, name: str, classes: Classes) -> dict[str, Path]:
        """Kind to path."""
        return output_paths(self.folder, name, classes, probabilities=self.probabilities, overlay=self.overlay)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one input file."""

    path: Path
    outputs: dict[str, Path]
    kept: bool = False
    """All outputs were there already, made from the same file by the same model."""
    error: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    expected_f1: dict[str, ExpectedF1] = field(default_factory=dict)
    """By class, where it was asked for and the mask is not empty."""
    record: ImageRecord | None = None
    """What `segment.json` keeps of it; None where it has it already."""


def segment_files(segmenter: Segmenter, jobs: Sequence[Job], wanted: Wanted) -> Iterator[Outcome]:
    """Segment every job, one outcome each; a file that fails does not stop the others.

    Raises OutputError before any work where the folder's record can't be read, and at the end where it can't be
    written.
    """
    records = dict(read_record(wanted.folder).images)
    inputs = {job.path.resolve() for job in jobs}
    written = time.monotonic()
    changed = False
    try:
        for job in jobs:
            outcome = _one(segmenter, job, wanted, records.get(readable(job.name)), inputs)
            # A failure leaves earlier results as they are, so it must not replace their record.
            if outcome.record is not None and (not outcome.error or readable(job.name) not in records):
                records[readable(job.name)] = outcome.record
                changed = True
            if changed and time.monotonic() - written > RECORD_SECONDS:
                changed = not _written(wanted.folder, records)
                written = time.monotonic()
            yield outcome
    finally:
        if changed:
            write_record(wanted.folder, records)


def _written(folder: Path, records: dict[str, ImageRecord]) -> bool:
    """Write the record on the way; a disk that is full now may have space at the end."""
    try:
        write_record(folder, records)
    except OutputError:
        return False
    return True


def _one(segmenter: Segmenter, job: Job, wanted: Wanted, before: ImageRecord | None, inputs: set[Path]) -> Outcome:
    started = time.perf_counter()
    paths = wanted.paths(job.name, segmenter.card.told_apart)
    known = before if before is not None and before.status == "done" else None
    used = ModelUsed.of(segmenter.card, segmenter.refinement)
    try:
        missing = _missing(job, paths, wanted, known, used, inputs)
        if not missing:
            return Outcome(job.path, paths, kept=True)
        result = segmenter.segment_photograph(read_photograph(job.path))
        result.write(missing)
    except FoveateError as error:
        failed = ImageRecord(input=readable(job.path), sha256="", status="failed", error=readable(error))
        return Outcome(job.path, {}, error=str(error), record=failed)
    outputs = {kind: readable(path.name) for kind, path in paths.items()}
    if known is not None and not wanted.overwrite:
        outputs = known.outputs | outputs
    outcome = Outcome(job.path, paths, notes=result.notes, seconds=time.perf_counter() - started)
    expected = result.expected_f1() if wanted.confidence else {}
    return replace(outcome, expected_f1=expected, record=_record(job, result, outputs, used, outcome.seconds, expected))


def _record(
    job: Job,
    result: Segmentation,
    outputs: dict[str, str],
    used: ModelUsed,
    seconds: float,
    expected: dict[str, ExpectedF1],
) -> ImageRecord:
    height, width = result.mask.shape
    return ImageRecord(
        input=readable(job.path),
        sha256=result.photograph.sha256,
        status="done",
        height=height,
        width=width,
        fov_diameter=round(result.fov_diameter, 2),
        outputs=outputs,
        expected_f1={name: Expected(value=each.value, low=each.low, high=each.high) for name, each in expected.items()},
        model=used,
        seconds=round(seconds, 4),
        notes=result.notes,
    )


def _missing(
    job: Job, paths: dict[str, Path], wanted: Wanted, known: ImageRecord | None, used: ModelUsed, inputs: set[Path]
) -> dict[str, Path]:
    """The outputs still to write. Raises OutputError where those that are there are not this call's to keep."""
    for path in paths.values():
        if path.resolve() in inputs:
            raise OutputError(f"{job.path}: its result {path} would replace a photograph. Choose another --out.")
    there = [kind for kind, path in paths.items() if _exists(path)]
    if wanted.overwrite or not there:
        return paths
    if known is not None:
        reason = _foreign(job, known, used, there)
        if reason:
            raise OutputError(
                f"{job.path}: {paths[there[0]]} is there already, {reason}. Use another --out, or --overwrite."
            )
    return {kind: path for kind, path in paths.items() if kind not in there}


def _foreign(job: Job, known: ImageRecord, used: ModelUsed, there: list[str]) -> str:
    """Why what is there is not of this image and model; empty where it is."""
    if known.sha256 != _sha256(job.path):
        return f"made from another image ({known.input})"
    if known.model != used:
        if known.model is not None and known.model.sha256 == used.sha256 and known.model.thresholds == used.thresholds:
            return f"made with other options ({known.model.passes}; post-processing: {known.model.post_processing})"
        return f"made by another model ({known.model.name if known.model else 'unknown'})"
    unknown = [kind for kind in there if kind not in known.outputs]
    return f"and segment.json does not say what its {unknown[0]} was made from" if unknown else ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # such as a name that is too long, which writing then reports
        return False


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: can't be read ({error.strerror}).") from error
