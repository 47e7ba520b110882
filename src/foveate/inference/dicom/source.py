"""The images in DICOM files: one for each frame, all of a series shown by one window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from foveate.errors import FoveateError, UsageError
from foveate.imaging.dicom import is_dicom_file
from foveate.imaging.dicom.directory import images_of_directory
from foveate.imaging.dicom.header import Header, header_at
from foveate.imaging.dicom.read import Series, read_frame
from foveate.inference.source import FileItem, SourceItem
from foveate.records import Photograph


class DicomObject(Protocol):
    """Where a DICOM file lies: on a disk or on a server."""

    @property
    def key(self) -> str:
        """As of a `SourceItem`; no other object has it."""

    @property
    def name(self) -> str:
        """As of a `SourceItem`, of a file with one frame."""

    @property
    def place(self) -> Path | None:
        """As of a `SourceItem`."""

    def sha256(self) -> str:
        """As of a `SourceItem`."""

    def size(self) -> int:
        """As of a `SourceItem`."""

    def content(self) -> Path | bytes:
        """The file. Raises ServerError."""

    def head(self) -> Path | bytes:
        """The file, at least up to its pixels. Raises ServerError."""

    def described(self) -> Path | bytes:
        """A file with the same elements, as far as they say what and where it is. Raises ServerError."""


@dataclass(frozen=True, slots=True)
class ObjectOnDisk(FileItem):
    """A DICOM file on a disk."""

    def content(self) -> Path:
        """Its path."""
        return self.path

    head = described = content


@dataclass(frozen=True)
class DicomFile:
    """A file with its header."""

    item: DicomObject
    header: Header

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its bytes, computed once for all frames."""
        return self.item.sha256()


@dataclass(frozen=True, slots=True)
class DicomItem:
    """A frame of a DICOM file."""

    file: DicomFile
    frame: int
    """From 0."""
    series: Series = field(repr=False)

    @property
    def name(self) -> str:
        """That of the file, with the frame's number, from 1, where there are several."""
        frames = self.file.header.frames
        digits = max(3, len(str(frames)))
        return self.file.item.name + (f"_f{self.frame + 1:0{digits}d}" if frames > 1 else "")

    @property
    def key(self) -> str:
        """The file's path, and the frame where there are several."""
        return self.file.item.key + (f", frame {self.frame + 1}" if self.file.header.frames > 1 else "")

    @property
    def place(self) -> Path | None:
        """The file, where it is one on a disk."""
        return self.file.item.place

    def read(self) -> Photograph:
        """The frame as its series is shown."""
        return read_frame(self.file.item.content(), self.frame, self.series, self.key, self.sha256())

    def sha256(self) -> str:
        """Of the file."""
        return self.file.digest

    def size(self) -> int:
        """Of the file."""
        return self.file.item.size()


def listed_in(path: Path) -> list[Path] | None:
    """The image files that a DICOMDIR names; None for any other file. Raises UsageError for one without any."""
    try:
        listed = images_of_directory(path)
    except FoveateError:  # reading it as an image says what is wrong
        return None
    if listed == []:
        raise UsageError(f"{path}: is a DICOMDIR that names no image. Give the image files, or their folder.")
    return listed


def images_in(files: Sequence[tuple[FileItem, bool]]) -> list[SourceItem]:
    """The files' images, in order; DICOM files that can't be read stay as they are, and say so when they are read.

    With each file stands whether it was come across in a folder: there, what is no image is passed over.
    """
    items: list[FileItem | DicomFile] = [one for file, found in files if (one := _with_header(file, found)) is not None]
    return images_of(items)


def images_of(items: Sequence[SourceItem | DicomFile]) -> list[SourceItem]:
    """Each frame of the files an image, shown by the window of its series, among the other items, in order."""
    members: dict[tuple[str, str], list[DicomFile]] = defaultdict(list)
    for one in items:
        if isinstance(one, DicomFile):
            members[_series_key(one)].append(one)
    shown = {
        key: Series.of([one.item.content for one in those], [one.header for one in those])
        for key, those in members.items()
    }
    return [image for one in items for image in _images_of(one, shown)]


def _images_of(one: SourceItem | DicomFile, shown: dict[tuple[str, str], Series]) -> list[SourceItem]:
    if not isinstance(one, DicomFile):
        return [one]
    return [DicomItem(one, frame, shown[_series_key(one)]) for frame in range(one.header.frames)]


def _with_header(file: FileItem, found: bool) -> FileItem | DicomFile | None:
    """None for what is passed over in a folder."""
    if not is_dicom_file(file.path):
        return file
    try:
        header = header_at(file.path)
    except FoveateError:
        return file
    if header is None or header.segmentation:
        return None if found else file if header is None else DicomFile(ObjectOnDisk(file.path, file.name), header)
    return DicomFile(ObjectOnDisk(file.path, file.name), header)


def _series_key(file: DicomFile) -> tuple[str, str]:
    """A series is of one patient and study, whatever else has its UID; one that has no series is one by itself."""
    return file.header.series or file.item.key, file.header.subject


@dataclass(frozen=True, slots=True)
class LostItem:
    """A DICOM object, or a series of them, of which no more is known than that asking for it failed."""

    key: str
    name: str
    error: FoveateError = field(repr=False)

    @property
    def place(self) -> None:
        """It is no file."""

    def read(self) -> Photograph:
        """Raises what was raised before."""
        raise self.error

    def sha256(self) -> str:
        """None is known."""
        return ""

    def size(self) -> int:
        """None is known."""
        return 0
