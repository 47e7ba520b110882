"""Many files into one output folder: work that can be stopped, continued and shared, each result its own image's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foveate.errors import FoveateError, OutputError
from foveate.imaging import read_photograph
from foveate.imaging.overlay import OPACITY, Style
from foveate.inference.claim import Claim, claim_on, file_of, output_of, refuse_paths
from foveate.inference.jobs import Job
from foveate.inference.record import Expected, ImageRecord, ModelUsed, readable
from foveate.inference.segmentation import ExpectedF1, Segmentation, output_paths
from foveate.inference.segmenter import Segmenter
from foveate.inference.shared_record import SharedRecord, next_turn
from foveate.records import Classes

WAIT_SECONDS = 0.2
"""How often a call that has nothing else to do looks whether others have made the images that they announced."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where outputs go and which ones."""

    folder: Path
    probabilities: bool = False
    overlay: bool = False
    overwrite: bool = False
    confidence: bool = False
    """Whether the record says how good each mask is by its own probabilities."""
    style: Style = "outline"
    """Of the overlay."""
    opacity: float = OPACITY

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


@dataclass(frozen=True, slots=True)
class _Call:
    """What stays the same for all images of one call."""

    segmenter: Segmenter
    wanted: Wanted
    record: SharedRecord
    inputs: frozenset[Path]
    begun: Mapping[str, int]
    """The turn of each image when the call began: what came later, others made meanwhile."""
    used: ModelUsed


def segment_files(
    segmenter: Segmenter, jobs: Sequence[Job], wanted: Wanted, *, on_wait: Callable[[int], None] | None = None
) -> Iterator[Outcome]:
    """Segment every job, one outcome each; a file that fails does not stop the others.

    Several processes may do so in one folder at a time: an image that another one is making is waited for at the end,
    and made here if that process was killed. `on_wait` is told how many there are. Raises OutputError before any work
    where the folder's record can't be read or added to, and at the end where it can't be written.
    """
    record = SharedRecord(wanted.folder)
    try:
        inputs = frozenset(job.path.resolve() for job in jobs)
        begun = {name: image.turn for name, image in record.images.items()}
        call = _Call(segmenter, wanted, record, inputs, begun, ModelUsed.of(segmenter.card, segmenter.refinement))
        left = list(jobs)
        while left:
            busy = []
            for job in left:
                outcome = _one(call, job)
                if outcome is None:
                    busy.append(job)
                else:
                    yield outcome
            if busy:
                if on_wait is not None:
                    on_wait(len(busy))
                time.sleep(WAIT_SECONDS)
            left = busy
    finally:
        record.close()


def _one(call: _Call, job: Job) -> Outcome | None:
    """What became of an image; None where another process is making it."""
    name, record, folder = readable(job.name), call.record, call.wanted.folder
    paths = call.wanted.paths(job.name, call.segmenter.card.told_apart)
    while True:
        record.refresh()
        if record.is_busy(name):
            return None
        before = record.images.get(name)
        overwrite = call.wanted.overwrite and (before is None or before.turn <= call.begun.get(name, 0))
        try:
            refuse_paths(job, name, paths.values(), folder, record, call.inputs)
            claim = claim_on(job, paths, before, call.used, overwrite=overwrite)
            if not claim.missing:
                return Outcome(job.path, paths, kept=True)
            announced = _announced(call, job, claim, before)
            if record.take(name, announced):
                return _made(call, job, paths, claim, announced, before)
        except FoveateError as error:
            _tell_refusal(record, name, job, error, before)
            return Outcome(job.path, {}, error=str(error))


def _announced(call: _Call, job: Job, claim: Claim, before: ImageRecord | None) -> ImageRecord:
    """What is said before an output appears; what the record vouches for and stays, it goes on vouching for."""
    files = {kind: file_of(path, call.wanted.folder) for kind, path in claim.missing.items()}
    fresh = ImageRecord(
        turn=next_turn(before),
        input=readable(job.path),
        input_bytes=_size(job.path),
        status="announced",
        announced=files,
        model=call.used,
    )
    if before is None or not claim.kept:
        return fresh
    changes = {name: getattr(fresh, name) for name in ("turn", "status", "announced")}
    return before.model_copy(update=changes | {"outputs": claim.kept})


def _made(
    call: _Call, job: Job, paths: dict[str, Path], claim: Claim, announced: ImageRecord, before: ImageRecord | None
) -> Outcome:
    """Make what was announced, and say so."""
    name, started, begun_to_write = readable(job.name), time.perf_counter(), False
    try:
        result = call.segmenter.segment_photograph(read_photograph(job.path))
        begun_to_write = True
        result.write(claim.missing, style=call.wanted.style, opacity=call.wanted.opacity)
        expected = result.expected_f1() if call.wanted.confidence else {}
        done = _done(call, job, result, claim, expected, time.perf_counter() - started)
        call.record.conclude(name, done.model_copy(update={"turn": announced.turn}))
    except (FoveateError, MemoryError) as error:
        text = str(error) if isinstance(error, FoveateError) else _without_memory(job)
        with suppress(OutputError):  # what was announced is made again by the next call
            call.record.conclude(name, _failed(job, text, announced if begun_to_write else before, announced.turn))
        return Outcome(job.path, {}, error=text)
    return Outcome(job.path, paths, notes=result.notes, seconds=done.seconds, expected_f1=expected)


def _done(
    call: _Call, job: Job, result: Segmentation, claim: Claim, expected: dict[str, ExpectedF1], seconds: float
) -> ImageRecord:
    height, width = result.mask.shape
    inside = max(1, int(np.count_nonzero(result.fov)))
    shares = [round(int(np.count_nonzero(mask)) / inside, 6) for mask in result.masks]
    made = {kind: output_of(path, call.wanted.folder) for kind, path in claim.missing.items()}
    return ImageRecord(
        input=readable(job.path),
        input_bytes=_size(job.path),
        sha256=result.photograph.sha256,
        status="done",
        height=height,
        width=width,
        fov_diameter=round(result.fov_diameter, 2),
        outputs=claim.kept | made,
        areas=dict(zip(result.classes.names, shares, strict=True)),
        expected_f1={name: Expected(value=each.value, low=each.low, high=each.high) for name, each in expected.items()},
        model=call.used,
        seconds=round(seconds, 4),
        notes=result.notes,
    )


def _failed(job: Job, error: str, standing: ImageRecord | None, turn: int) -> ImageRecord:
    """What is said of a failure; earlier results that still stand are not forgotten over it."""
    if standing is not None and standing.outputs:
        return standing.model_copy(update={"turn": turn, "status": "done"})
    announced = {} if standing is None else standing.announced
    return ImageRecord(turn=turn, input=readable(job.path), status="failed", error=readable(error), announced=announced)


def _tell_refusal(record: SharedRecord, name: str, job: Job, error: FoveateError, before: ImageRecord | None) -> None:
    """Record why an image was not begun, where nothing better is known of it."""
    failed = _failed(job, str(error), before, next_turn(before))
    if failed.status == "failed" and (before is None or before.error != failed.error):
        with suppress(OutputError):  # it is told all the same
            record.take(name, failed)


def _without_memory(job: Job) -> str:
    return f"{job.path}: there is not enough memory for it. Close other programs, or make the image smaller."


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # which reading then reports
        return 0
