"""Outputs in a folder, whose record is shared by all calls that work on it."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from foveate.errors import FoveateError, OutputError
from foveate.imaging import write_bytes
from foveate.inference.claim import Claim, claim_on, file_of, options_of, output_of, refuse_paths
from foveate.inference.large.source import BoundedItem
from foveate.inference.record import ImageRecord, ModelUsed, readable
from foveate.inference.segmentation import Segmentation, output_paths
from foveate.inference.segmenter import Segmenter
from foveate.inference.shared_record import SharedRecord, next_turn
from foveate.inference.sink import BegunImage, Outcome, Wanted, Written, done_record, reason_said, written_apart
from foveate.inference.source import SourceItem
from foveate.inference.tally import MaskTally, tally_of

if TYPE_CHECKING:
    from foveate.inference.dicom.objects import SegmentationObjects
    from foveate.inference.large.result import LargeSegmentation
    from foveate.inference.nifti.result import VolumeSegmentation


class FolderSink:
    """PNG files (of very large images TIFFs) in a folder, whose record is shared with other calls that work on it at
    the same time.

    `inputs` are the files of the call, none of which may be replaced; `objects` are the DICOM SEG to make besides.
    Raises OutputError where the folder's record can't be read or added to.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        wanted: Wanted,
        inputs: Collection[Path] = (),
        objects: SegmentationObjects | None = None,
    ) -> None:
        self._card, self._execution = segmenter.card, segmenter.session.execution
        self._wanted = wanted
        self._inputs = frozenset(inputs)
        self._used = ModelUsed.of(segmenter.card, segmenter.procedure)
        self._record = SharedRecord(wanted.folder)
        self._objects = objects
        self._items: dict[str, SourceItem] = {}
        self._begun: set[str] = set()
        self._written: dict[str, ImageRecord] = {}
        # What came later than the call's begin, others made meanwhile.
        self._turns = {name: image.turn for name, image in self._record.images.items()}

    def begin(self, item: SourceItem) -> BegunImage | Outcome | None:
        """As `Sink.begin`: announced in the record before an output appears."""
        name, record = readable(item.name), self._record
        paths = self._paths(item)
        # The next image is begun before the last is concluded, so that the record can't tell these two apart.
        namesake = self._items.setdefault(name.lower(), item)
        if namesake is not item:
            error = f"{item.key}: its results would be called as those of {namesake.key}. Give each a name of its own."
            return Outcome(item.key, {}, error=error)
        while True:
            record.refresh()
            others = () if self._objects is None else self._objects.others(item.name)
            if any(record.is_busy(other) for other in (name, *map(readable, others))):
                return None
            before = record.images.get(name)
            overwrite = self._wanted.overwrite and (before is None or before.turn <= self._turns.get(name, 0))
            try:
                refuse_paths(item, name, paths.values(), self._wanted.folder, record, self._inputs)
                claim = claim_on(item, paths, before, self._used, overwrite=overwrite)
                if self._begun.intersection(others) or self._is_outgrown(item, before):
                    claim = claim.again("seg", paths)
                if not claim.missing:
                    return Outcome(item.key, paths, kept=True)
                announced = self._announced(item, claim, before)
                if record.take(name, announced):
                    self._begun.add(item.name)
                    return BegunImage(item, claim, announced, before, paths)
            except FoveateError as error:
                self._tell_refusal(name, item, error, before)
                return Outcome(item.key, {}, error=str(error))

    def write(self, work: BegunImage, result: Segmentation | LargeSegmentation | VolumeSegmentation) -> Written:
        """As `Sink.write`."""
        started, work.begun_to_write = time.perf_counter(), True
        try:
            result, tally = self._made(work, result)
            made = {kind: output_of(path, self._wanted.folder) for kind, path in work.claim.missing.items()}
            if "seg" in made:
                made["seg"] = msgspec.structs.replace(made["seg"], images=self._images_in_object(work.item))
            seconds = work.seconds + time.perf_counter() - started
            record = done_record(work, result, tally, made, self._used, self._execution, seconds)
        except (FoveateError, MemoryError) as error:
            return self.failed(work, error)
        self._written[work.item.name] = record
        outcome = Outcome(
            work.item.key, work.paths, notes=record.notes, seconds=record.seconds, expected_f1=tally.expected_f1
        )
        return Written(work, record, outcome)

    def failed(self, work: BegunImage, error: FoveateError | MemoryError) -> Written:
        """As `Sink.failed`."""
        return Written(work, None, Outcome(work.item.key, {}, error=reason_said(work.item, error)))

    def conclude(self, written: Written) -> Outcome:
        """As `Sink.conclude`: the record vouches for what was made."""
        work, turn = written.work, written.work.announced.turn
        name = readable(work.item.name)
        if written.record is not None:
            try:
                self._record.conclude(name, msgspec.structs.replace(written.record, turn=turn))
            except OutputError as error:
                return self.conclude(self.failed(work, error))
            return written.outcome
        standing = work.announced if work.begun_to_write else work.before
        with suppress(OutputError):  # what was announced is made again by the next call
            self._record.conclude(name, _failed(work.item, written.outcome.error, standing, turn))
        return written.outcome

    def close(self) -> None:
        """Write the record as a whole. Raises OutputError where that can't be."""
        self._record.close()

    @property
    def part(self) -> str:
        """Of the record: this call's."""
        return self._record.part

    def recorded(self, item: SourceItem) -> ImageRecord | None:
        """What the record says of an image."""
        return self._record.images.get(readable(item.name))

    def amend(self, item: SourceItem, image: ImageRecord) -> None:
        """Say something else of an image that is concluded. Raises OutputError."""
        self._record.conclude(readable(item.name), image)

    def missing_in_object(self, item: SourceItem) -> int:
        """How many images the DICOM SEG lacks that is written with this one: they failed."""
        others = () if self._objects is None else self._objects.others(item.name)
        return sum(not self._files_of(other) for other in others)

    def _images_in_object(self, item: SourceItem) -> int:
        others = () if self._objects is None else self._objects.others(item.name)
        return 1 + len(others) - self.missing_in_object(item)

    def _is_outgrown(self, item: SourceItem, before: ImageRecord | None) -> bool:
        """Whether there are images by now that a DICOM SEG lacks: a call that made them was killed before it."""
        made = None if before is None else before.outputs.get("seg")
        return made is not None and made.images != self._images_in_object(item)

    def _paths(self, item: SourceItem) -> dict[str, Path]:
        """Kind to path."""
        wanted = self._wanted
        ending = item.ending if isinstance(item, BoundedItem) else ".png"
        paths = output_paths(
            wanted.folder,
            item.name,
            self._card.told_apart,
            probabilities=wanted.probabilities,
            overlay=wanted.overlay and not ending.startswith(".nii"),  # which is laid over its volume by any viewer
            ending=ending,
        )
        return paths if self._objects is None else paths | self._objects.paths(wanted.folder, item.name)

    def _made(
        self, work: BegunImage, result: Segmentation | LargeSegmentation | VolumeSegmentation
    ) -> tuple[Segmentation | LargeSegmentation | VolumeSegmentation, MaskTally]:
        """Write what is missing; the same result, with what had to be decided for that, and its numbers."""
        wanted, missing = self._wanted, dict(work.claim.missing)
        if not isinstance(result, Segmentation):
            return result, written_apart(result, missing, wanted)
        place = missing.pop("seg", None)
        if self._objects is not None and place is not None:
            # Before the others, as it alone may fail over what the image is.
            content, notes = self._objects.encode(work.item.name, result, self._files_of)
            write_bytes(content, place)
            result = replace(result, notes=(*result.notes, *notes))
        result.write(missing, style=wanted.style, opacity=wanted.opacity)
        return result, tally_of(result, confidence=wanted.confidence)

    def _files_of(self, name: str) -> dict[str, Path]:
        """What the record vouches for of an image, or will as soon as it is concluded, by kind."""
        record = self._written.get(name) or self._record.images.get(readable(name))
        outputs = {} if record is None else record.outputs
        return {kind: self._wanted.folder / output.file for kind, output in outputs.items()}

    def _announced(self, item: SourceItem, claim: Claim, before: ImageRecord | None) -> ImageRecord:
        """What is said before an output appears; what the record vouches for and stays, it goes on vouching for."""
        files = {kind: file_of(path, self._wanted.folder) for kind, path in claim.missing.items()}
        fresh = ImageRecord(
            turn=next_turn(before),
            input=readable(item.key),
            input_bytes=item.size(),
            status="announced",
            options=options_of(item),
            announced=files,
            model=self._used,
        )
        if before is None or not claim.kept:
            return fresh
        return msgspec.structs.replace(before, turn=fresh.turn, status="announced", announced=files, outputs=claim.kept)

    def _tell_refusal(self, name: str, item: SourceItem, error: FoveateError, before: ImageRecord | None) -> None:
        """Record why an image was not begun, where nothing better is known of it."""
        failed = _failed(item, str(error), before, next_turn(before))
        if failed.status == "failed" and (before is None or before.error != failed.error):
            with suppress(OutputError):  # it is told all the same
                self._record.take(name, failed)


def _failed(item: SourceItem, error: str, standing: ImageRecord | None, turn: int) -> ImageRecord:
    """What is said of a failure; earlier results that still stand are not forgotten over it."""
    if standing is not None and standing.outputs:
        return msgspec.structs.replace(standing, turn=turn, status="done")
    announced = {} if standing is None else standing.announced
    return ImageRecord(turn=turn, input=readable(item.key), status="failed", error=readable(error), announced=announced)
