"""Results at an address: each output put whole, by a single put where the store can, and vouched for afterwards.

There are no locks between computers that know a store only by its address. So an output that isn't vouched for is put
only where there is none; one that is there already and equal to the byte, which another call has just made or a killed
one left, is taken for ours, and any other is left alone.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from foveate.errors import FoveateError, OutputError
from foveate.inference.claim import Claim, other_model, refuse_name, refused
from foveate.inference.large.source import BoundedItem
from foveate.inference.record import ImageRecord, ModelUsed, Output, readable
from foveate.inference.remote.faults import StoreError
from foveate.inference.remote.record import RemoteRecord
from foveate.inference.remote.rows import RecordRow
from foveate.inference.remote.store import RemoteStore
from foveate.inference.segmentation import Segmentation, output_paths
from foveate.inference.segmenter import Segmenter
from foveate.inference.sink import BegunImage, Outcome, Wanted, Written, done_record, reason_said, written_apart
from foveate.inference.source import FetchedItem, FileItem, SourceItem
from foveate.inference.tally import MaskTally, tally_of

if TYPE_CHECKING:
    from foveate.inference.large.result import LargeSegmentation
    from foveate.inference.nifti.result import VolumeSegmentation


class RemoteSink:
    """Files below an address, with their record.

    `names` are those of the results of the call, `inputs` the keys of its images, which no result may replace; `part`
    is of the record, by the share of the work that this call has.

    Raises OutputError where the record can't be read, UsageError where the address can't be used.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        wanted: Wanted,
        address: str,
        part: str,
        names: Collection[str],
        inputs: Collection[str],
    ) -> None:
        self._card, self._execution = segmenter.card, segmenter.session.execution
        self._wanted, self._used = wanted, ModelUsed.of(segmenter.card, segmenter.procedure)
        self._store = RemoteStore(address)
        self._folder = self._store.path_of(address).rstrip("/")
        self._record = RemoteRecord(self._store, self._folder, part, names)
        self._sizes = self._sizes_there()
        self._inputs = frozenset(inputs)
        self._owners: dict[str, SourceItem] = {}
        self._versions: dict[str, str] = {}
        self._put_now: dict[str, dict[str, int]] = {}

    def begin(self, item: SourceItem) -> BegunImage | Outcome | None:
        """As `Sink.begin`; what others may be making at this moment isn't known."""
        name, paths = readable(item.name), self._paths(item)
        row = self._record.rows.get(name)
        try:
            refuse_name(item, self._store.shown(self._folder))
            self._refuse_places(item, paths)
            version = _version(item)
            claim = self._claim(item, paths, row, version)
        except FoveateError as error:
            if row is None or not row.image.outputs:
                self._say_failed(item, str(error), row)
            return Outcome(item.key, {}, error=str(error))
        if not claim.missing:
            return Outcome(item.key, {}, kept=True, addresses=self._addresses(paths))
        self._versions[name] = version
        announced = ImageRecord(input=readable(item.key), status="announced")
        return BegunImage(item, claim, announced, None if row is None else row.image, paths)

    def write(self, work: BegunImage, result: Segmentation | LargeSegmentation | VolumeSegmentation) -> Written:
        """As `Sink.write`."""
        started = time.perf_counter()
        try:
            contents, tally = self._contents(work, result)
            for kind, content in contents.items():
                self._put(work, kind, content)
        except (FoveateError, MemoryError) as error:
            return self.failed(work, error)
        made = {
            kind: Output(file=_file_of(work.paths[kind]), sha256=hashlib.sha256(content).hexdigest())
            for kind, content in contents.items()
        }
        self._put_now[readable(work.item.name)] = {kind: len(content) for kind, content in contents.items()}
        seconds = work.seconds + time.perf_counter() - started
        record = done_record(work, result, tally, made, self._used, self._execution, seconds)
        addresses = self._addresses(work.paths)
        told = Outcome(work.item.key, {}, notes=record.notes, seconds=record.seconds, addresses=addresses)
        return Written(work, record, replace(told, expected_f1=tally.expected_f1))

    def failed(self, work: BegunImage, error: FoveateError | MemoryError) -> Written:
        """As `Sink.failed`."""
        return Written(work, None, Outcome(work.item.key, {}, error=reason_said(work.item, error)))

    def conclude(self, written: Written) -> Outcome:
        """As `Sink.conclude`."""
        item, image = written.work.item, written.record
        name = readable(item.name)
        before = self._record.rows.get(name)
        if image is None:
            self._say_failed(item, written.outcome.error, before)
            return written.outcome
        known = {} if before is None else before.sizes
        sizes = {kind: size for kind, size in known.items() if kind in image.outputs} | self._put_now.pop(name)
        version = self._versions.pop(name) or f"sha256:{image.sha256}"
        turn = 1 if before is None else before.image.turn + 1
        self._say(name, version, sizes, msgspec.structs.replace(image, turn=turn))
        return written.outcome

    def close(self) -> None:
        """Put and join the record. Raises OutputError where that can't be."""
        self._record.close()

    def put_record(self) -> None:
        """Put what is left to say, without joining anything. Raises OutputError."""
        self._record.put()

    def _claim(self, item: SourceItem, paths: dict[str, Path], row: RecordRow | None, version: str) -> Claim:
        """What is to be made. Raises OutputError where what is vouched for is another image's or model's."""
        if row is None or self._wanted.overwrite:
            return Claim(paths, {})
        image = row.image
        standing = {kind: output for kind, output in image.outputs.items() if output.file in self._sizes}
        if not standing:
            return Claim(paths, {})
        first = self._store.shown(f"{self._folder}/{next(iter(standing.values())).file}")
        if image.input != readable(item.key):
            raise refused(item, first, f"made from another image ({image.input})")
        if reason := other_model(image.model, self._used):
            raise refused(item, first, reason)
        for kind, output in standing.items():
            if self._sizes[output.file] != row.sizes[kind]:
                place = self._store.shown(f"{self._folder}/{output.file}")
                raise refused(item, place, "and was changed since it was made")
        if _is_changed(item, row, version):
            return Claim(paths, {})
        return Claim({kind: path for kind, path in paths.items() if kind not in standing}, standing)

    def _contents(
        self, work: BegunImage, result: Segmentation | LargeSegmentation | VolumeSegmentation
    ) -> tuple[dict[str, bytes], MaskTally]:
        """The bytes of what is missing, and the numbers of the masks."""
        wanted, missing = self._wanted, work.claim.missing
        if isinstance(result, Segmentation):
            pictures = {kind: result.png(kind, style=wanted.style, opacity=wanted.opacity) for kind in missing}
            return pictures, tally_of(result, confidence=wanted.confidence)
        with TemporaryDirectory(prefix="foveate-") as folder:
            places = {kind: Path(folder) / path.name for kind, path in missing.items()}
            tally = written_apart(result, places, wanted)
            return {kind: place.read_bytes() for kind, place in places.items()}, tally

    def _put(self, work: BegunImage, kind: str, content: bytes) -> None:
        """Put one output. Raises OutputError where another is there that nobody vouches for."""
        file = _file_of(work.paths[kind])
        vouched = work.before is not None and any(output.file == file for output in work.before.outputs.values())
        path = f"{self._folder}/{file}"
        try:
            self._store.put(path, content, replace=self._wanted.overwrite or vouched)
        except FileExistsError:
            if self._store.fetch(path) != content:
                reason = "and the record does not say what it was made from"
                raise refused(work.item, self._store.shown(path), reason) from None

    def _say_failed(self, item: SourceItem, error: str, before: RecordRow | None) -> None:
        """Earlier outputs that still stand are not forgotten over it."""
        name, text = readable(item.name), readable(error)
        if before is not None and before.image.outputs:
            image = msgspec.structs.replace(before.image, status="failed", error=text, turn=before.image.turn + 1)
            self._say(name, before.input_version, before.sizes, image)
        else:
            self._say(name, "", {}, ImageRecord(input=readable(item.key), status="failed", error=text))

    def _say(self, name: str, version: str, sizes: dict[str, int], image: ImageRecord) -> None:
        self._record.say(RecordRow(name=name, said=time.time(), input_version=version, sizes=sizes, image=image))

    def _paths(self, item: SourceItem) -> dict[str, Path]:
        """Kind to path below the address."""
        ending = item.ending if isinstance(item, BoundedItem) else ".png"
        wanted = self._wanted
        return output_paths(
            Path(),
            readable(item.name),
            self._card.told_apart,
            probabilities=wanted.probabilities,
            overlay=wanted.overlay,
            ending=ending,
        )

    def _addresses(self, paths: dict[str, Path]) -> dict[str, str]:
        return {kind: self._store.shown(f"{self._folder}/{_file_of(path)}") for kind, path in paths.items()}

    def _refuse_places(self, item: SourceItem, paths: dict[str, Path]) -> None:
        """Raise OutputError for outputs in the place of a photograph, or of another's outputs."""
        for path in paths.values():
            place = self._store.shown(f"{self._folder}/{_file_of(path)}")
            if place in self._inputs:
                raise OutputError(f"{item.key}: its result {place} would replace a photograph. Choose another --out.")
            owner = self._owners.setdefault(_file_of(path).lower(), item)
            if owner is not item:
                raise OutputError(
                    f"{item.key}: its result {_file_of(path)} is one of {owner.key}, too. Give each a name of its own."
                )

    def _sizes_there(self) -> dict[str, int]:
        """Bytes of what the record vouches for and is there, by its path below the address."""
        vouched = {output.file for row in self._record.rows.values() for output in row.image.outputs.values()}
        folders = {f"{self._folder}/{file}".rpartition("/")[0] for file in vouched}
        try:
            return {
                file: each.size
                for folder in sorted(folders)
                for each in self._store.tidied(folder, recursive=False)
                if (file := each.path.removeprefix(f"{self._folder}/")) in vouched
            }
        except StoreError as error:
            raise OutputError(f"{self._store.shown(self._folder)}: can't be listed ({error}).") from None


def _version(item: SourceItem) -> str:
    """What changes with an item's content and costs next to nothing; empty where there is no such thing."""
    bare = item.item if isinstance(item, BoundedItem) else item
    if isinstance(bare, FetchedItem):
        return bare.version
    if not isinstance(bare, FileItem):
        return ""
    try:
        status = bare.path.stat()
    except OSError:  # which reading reports
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"


def _is_changed(item: SourceItem, row: RecordRow, version: str) -> bool:
    """Whether an image is no longer the one that its outputs were made from. Raises ImageError where that needs reading
    it, which fails."""
    if version and not row.input_version.startswith("sha256:"):
        return version != row.input_version
    return item.sha256() != row.image.sha256


def _file_of(path: Path) -> str:
    return path.as_posix()
