"""Where results go: complete outputs or none, each its own image's, and a record that vouches for them.

A sink is asked before an image is read whether there is anything to make of it (`begin`), makes it (`write`, in any
thread), and says what became of it (`conclude`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from foveate.errors import FoveateError
from foveate.imaging.overlay import OPACITY, Style
from foveate.inference.claim import Claim, options_of
from foveate.inference.record import ImageRecord, ModelUsed, Output, readable
from foveate.inference.segmentation import ExpectedF1, Segmentation
from foveate.inference.source import SourceItem
from foveate.inference.tally import MaskTally
from foveate.runtime import Execution

if TYPE_CHECKING:
    from foveate.inference.large.result import LargeSegmentation
    from foveate.inference.nifti.result import VolumeSegmentation


NO_OVERLAY = "no overlay of a volume: a viewer lays its mask over it"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one image."""

    key: str
    """What it was called: the path as it was given."""
    outputs: dict[str, Path]
    """By kind; empty where results go to an address."""
    kept: bool = False
    """All outputs were there already, made from the same file by the same model."""
    error: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    expected_f1: dict[str, ExpectedF1] = field(default_factory=dict)
    """By class, where it was asked for and the mask is not empty."""
    addresses: dict[str, str] = field(default_factory=dict)
    """By kind, where results go to an address."""
    stored: str = ""
    """The DICOMweb server that has taken its DICOM SEG in this call."""


@dataclass(slots=True)
class BegunImage:
    """An image that a sink has begun, and that is to be made here."""

    item: SourceItem
    claim: Claim
    announced: ImageRecord
    before: ImageRecord | None
    paths: dict[str, Path]
    seconds: float = 0.0
    """Of work so far: reading, segmenting and writing, without waiting."""
    begun_to_write: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What `write` made, to be concluded."""

    work: BegunImage
    record: ImageRecord | None
    """None where it failed."""
    outcome: Outcome


class Sink(Protocol):
    """Takes segmentations."""

    def begin(self, item: SourceItem) -> BegunImage | Outcome | None:
        """The work to do for an image; what became of it, where there is none to do; None where others are at it."""

    def write(self, work: BegunImage, result: Segmentation | LargeSegmentation | VolumeSegmentation) -> Written:
        """Make complete outputs or none; in any thread."""

    def failed(self, work: BegunImage, error: FoveateError | MemoryError) -> Written:
        """What is to be said where an image could not be made."""

    def conclude(self, written: Written) -> Outcome:
        """Say what became of an image; in the thread that began it."""

    def close(self) -> None:
        """End the call."""


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


def written_apart(
    result: LargeSegmentation | VolumeSegmentation, paths: Mapping[str, Path], wanted: Wanted
) -> MaskTally:
    """Write what is made while it is written; its numbers, and what is to be said of it."""
    tally = result.written(paths, style=wanted.style, opacity=wanted.opacity, confidence=wanted.confidence)
    return replace(tally, notes=(*tally.notes, NO_OVERLAY)) if wanted.overlay and tally.slices else tally


def done_record(
    work: BegunImage,
    result: Segmentation | LargeSegmentation | VolumeSegmentation,
    tally: MaskTally,
    made: dict[str, Output],
    used: ModelUsed,
    execution: Execution,
    seconds: float,
) -> ImageRecord:
    """What is said of an image whose outputs are all there: those `made` now, and those that were kept."""
    return ImageRecord(
        input=readable(work.item.key),
        input_bytes=work.item.size(),
        sha256=result.photograph.sha256,
        status="done",
        options=options_of(work.item),
        height=tally.height,
        width=tally.width,
        slices=tally.slices,
        spacing_mm=getattr(result.photograph, "spacing", None),
        fov_diameter=round(result.fov_diameter, 2),
        outputs=work.claim.kept | made,
        areas=tally.areas,
        volumes_ml=tally.volumes_ml,
        expected_f1=tally.expected_f1,
        model=used,
        execution=execution,
        seconds=round(seconds, 4),
        notes=(*result.notes, *tally.notes),
    )


def reason_said(item: SourceItem, error: FoveateError | MemoryError) -> str:
    """Why an image failed, in one line."""
    if isinstance(error, FoveateError):
        return str(error)
    return f"{item.key}: there is not enough memory for it. Close other programs, or make the image smaller."
