"""A folder whose DICOM SEG are stored on the server that their images are of, each once: the record says which are."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from foveate.errors import FoveateError, OutputError, ServerError, UsageError
from foveate.inference.dicom.objects import KIND
from foveate.inference.dicom.source import DicomItem, LostItem
from foveate.inference.dicomweb.source import ObjectOnServer
from foveate.inference.folder_sink import FolderSink
from foveate.inference.segmentation import Segmentation
from foveate.inference.sink import BegunImage, Outcome, Written
from foveate.inference.source import SourceItem

if TYPE_CHECKING:
    from foveate.inference.large.result import LargeSegmentation
    from foveate.inference.nifti.result import VolumeSegmentation


class Archive(Protocol):
    """Takes DICOM objects."""

    root: str
    """Its address."""

    def store(self, content: bytes) -> None:
        """Take one. Raises ServerError."""


def archives_of(items: Sequence[SourceItem]) -> dict[str, Archive]:
    """The servers that the items lie on, by key. Raises UsageError for one that lies on none."""
    found: dict[str, Archive] = {}
    for item in items:
        if isinstance(item, DicomItem) and isinstance(item.file.item, ObjectOnServer):
            found[item.key] = item.file.item.server
        elif not isinstance(item, LostItem):
            raise UsageError(f"{item.key}: is on no server, where its DICOM SEG could be stored. Give addresses alone.")
    return found


class StoringSink:
    """A `FolderSink`, after which an image's DICOM SEG is stored: when it was made, or when an earlier call could not.

    A DICOM SEG in which images of its series are missing, as they failed, is not stored: what a server has, stays. An
    image of which something can't be stored has an error; what was made of it stays, and the next call stores it.
    `archives` are the items' servers, by key.
    """

    def __init__(self, folder: FolderSink, archives: dict[str, Archive]) -> None:
        self._folder, self._archives = folder, archives

    def begin(self, item: SourceItem) -> BegunImage | Outcome | None:
        """As `Sink.begin`."""
        begun = self._folder.begin(item)
        return self._stored(item, begun) if isinstance(begun, Outcome) else begun

    def write(self, work: BegunImage, result: Segmentation | LargeSegmentation | VolumeSegmentation) -> Written:
        """As `Sink.write`."""
        return self._folder.write(work, result)

    def failed(self, work: BegunImage, error: FoveateError | MemoryError) -> Written:
        """As `Sink.failed`."""
        return self._folder.failed(work, error)

    def conclude(self, written: Written) -> Outcome:
        """As `Sink.conclude`."""
        return self._stored(written.work.item, self._folder.conclude(written))

    def close(self) -> None:
        """As `Sink.close`."""
        self._folder.close()

    def _stored(self, item: SourceItem, outcome: Outcome) -> Outcome:
        image, archive = self._folder.recorded(item), self._archives.get(item.key)
        made = image.outputs.get(KIND) if image is not None else None
        if outcome.error or image is None or made is None or archive is None or made.stored == archive.root:
            return outcome
        try:
            if missing := self._folder.missing_in_object(item):
                raise ServerError(f"{missing} images of its series failed; the same call goes on")
            archive.store(_content(outcome.outputs[KIND]))
            outputs = image.outputs | {KIND: msgspec.structs.replace(made, stored=archive.root)}
            self._folder.amend(item, msgspec.structs.replace(image, outputs=outputs, error=""))
        except FoveateError as error:
            text = f"{item.key}: its DICOM SEG is not stored: {error}"
            with suppress(OutputError):  # it is told all the same
                self._folder.amend(item, msgspec.structs.replace(image, error=text))
            return replace(outcome, error=text)
        return replace(outcome, stored=archive.root)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutputError(f"{path} can't be read ({error.strerror})") from error
