"""Where images come from: each with a key that stays the same, and a NAME for its results that no other has."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from foveate.errors import DataError, ImageError, UsageError
from foveate.imaging import ENDINGS, find_images, images_below, read_photograph, stem_of
from foveate.imaging.dicom import is_dicom_file, is_installed
from foveate.imaging.large import LargePhotograph
from foveate.imaging.nifti import is_nifti_file, is_nifti_installed
from foveate.imaging.spreadsheet import Cells, check_columns, csv_rows
from foveate.records import Photograph

if TYPE_CHECKING:
    from foveate.imaging.nifti.volume import Slicing, Volume

LISTS = (".csv", ".txt")
"""What files that name photographs end in: a table with a column of paths, or one path in each line."""

COLUMNS = ("path", "image")
"""Of a table: the first of these that it has holds the paths. `segment.csv` has the second."""


class SourceItem(Protocol):
    """One image that is to be segmented. It is read when its turn has come, and not before."""

    @property
    def key(self) -> str:
        """What messages and the record call it: a path, an address."""

    @property
    def name(self) -> str:
        """Of its results, with slashes where they lie in sub-folders; one that leads out of the folder is refused."""

    @property
    def place(self) -> Path | None:
        """The file that it is, and that no result may replace; None for what is no file."""

    def read(self) -> Photograph | LargePhotograph | Volume:
        """Its pixels; of a large image a way to have them by rows, of a volume by slices. Raises ImageError or
        UsageError."""

    def sha256(self) -> str:
        """Of its bytes, in hexadecimal. Raises ImageError where they can't be read."""

    def size(self) -> int:
        """How many bytes there are; 0 where that can't be said, which reading then reports."""


@dataclass(frozen=True, slots=True)
class FileItem:
    """A file."""

    path: Path
    name: str

    @property
    def key(self) -> str:
        """The path as it was given."""
        return str(self.path)

    @property
    def place(self) -> Path:
        """The path, without links and dots."""
        return self.path.resolve()

    def read(self) -> Photograph:
        """The photograph in the file."""
        return read_photograph(self.path)

    def sha256(self) -> str:
        """Of the file, which is read a block at a time."""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ImageError(f"{self.path}: can't be read ({error.strerror}).") from error

    def size(self) -> int:
        """By the file system."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


@dataclass(frozen=True, slots=True, repr=False)
class BytesItem:
    """The bytes of a file that lies nowhere, such as what a client sent."""

    content: bytes
    name: str
    key: str

    def __repr__(self) -> str:
        return f"<BytesItem {self.key}, {len(self.content)} bytes>"

    @property
    def place(self) -> None:
        """It is no file."""

    def read(self) -> Photograph:
        """The photograph in the bytes."""
        try:
            return replace(read_photograph(self.content), source=self.key)
        except ImageError as error:
            raise ImageError(f"{self.key}: {str(error).removeprefix('bytes: ')}") from error

    def sha256(self) -> str:
        """Of the bytes at hand."""
        return hashlib.sha256(self.content).hexdigest()

    def size(self) -> int:
        """Of the bytes at hand."""
        return len(self.content)


def items_of(
    inputs: Iterable[str | Path], *, recursive: bool = False, slicing: Slicing | None = None
) -> list[SourceItem]:
    """The images in the files of `files_of`: one in each, but one for each frame of a DICOM file and for each volume
    of a NIfTI file, or of the NIfTI files that are its channels (`slicing`).

    Of a DICOM file with several frames, NAME has the frame's number (`scan_f001`). In a folder that was given, DICOM
    files without an image (reports, plans) are left out, and so are DICOM SEG, which hold what somebody found. Raises
    what `files_of` does, and UsageError where nothing is left.
    """
    listed = _listed(inputs, recursive=recursive)
    # The one that needs what isn't installed says so when it is read.
    items: list[SourceItem] = [file for file, _ in listed]
    if is_installed() and any(is_dicom_file(file.path) for file, _ in listed):
        from foveate.inference.dicom.source import images_in

        items = images_in(listed)
    if is_nifti_installed() and any(is_nifti_file(file.path) for file, _ in listed):
        from foveate.imaging.nifti.volume import Slicing
        from foveate.inference.nifti.source import volumes_in

        items = volumes_in(items, {file.path for file, found in listed if found}, slicing or Slicing())
    if listed and not items:
        place = listed[0][0].path.parent
        raise UsageError(f"{place}: no image in it; its DICOM or NIfTI files hold none. Give other files.")
    return items


def files_of(inputs: Iterable[str | Path], *, recursive: bool = False) -> list[FileItem]:
    """The files that the inputs (files, folders, DICOMDIRs, lists of files) mean, each once, in order, with names that
    differ.

    A file's NAME is its stem; where two stems are equal, the parent folder's name comes before it, then the
    ending after it, then a number. If `recursive`, sub-folders are searched, too, and stand in the NAME, as they do
    for a DICOMDIR: `patient7/left` is the NAME of `patient7/left.png` in the folder that was given. Raises UsageError
    for an input that isn't there, a folder without images and a list without paths, DataError for a list that can't be
    read.
    """
    return [file for file, _ in _listed(inputs, recursive=recursive)]


def _listed(inputs: Iterable[str | Path], *, recursive: bool) -> list[tuple[FileItem, bool]]:
    """Files, each with whether a folder was given, in which it lies, and not the file itself."""
    files: dict[Path, tuple[Path, Path, bool]] = {}
    for given in map(Path, inputs):
        try:
            for file, folder in _placed(given, recursive):
                files.setdefault(file.resolve(), (folder, file, given.is_dir()))
        except FileNotFoundError as error:
            raise UsageError(f"{given}: no such file; check the name.") from error
        except OSError as error:
            raise UsageError(f"{given}: can't be looked at ({error.strerror}); check the name.") from error
    names = _names([(folder, file) for folder, file, _ in files.values()])
    return [(FileItem(file, name), found) for (_, file, found), name in zip(files.values(), names, strict=True)]


def _placed(given: Path, recursive: bool) -> list[tuple[Path, Path]]:
    """Files, each with the folder below which it has its name."""
    if given.is_dir():
        return [(file, given if recursive else file.parent) for file in _images_in(given, recursive)]
    if given.suffix.lower() in LISTS:
        return [(file, file.parent) for file in _paths_in(given)]
    given.stat()
    if is_installed() and is_dicom_file(given):
        from foveate.inference.dicom.source import listed_in

        if (listed := listed_in(given)) is not None:
            return [(file, given.parent) for file in listed]
    return [(given, given.parent)]


def _images_in(folder: Path, recursive: bool) -> Sequence[Path]:
    files = find_images(folder, recursive=recursive, by_content=True)
    if not files:
        below = images_below(folder)
        advice = f"; its sub-folders hold {below}: --recursive takes them" if below else ""
        endings = ", ".join(sorted(ENDINGS))
        raise UsageError(f"{folder}: no image in this folder; looked for {endings}, DICOM and NIfTI{advice}.")
    return files


def _paths_in(table: Path) -> list[Path]:
    table.stat()
    if table.suffix.lower() == ".txt":
        paths = _lines(table)
    else:
        paths = [_path(place, cells) for place, cells in csv_rows(table, partial(_check_header, table))]
    if not paths:
        raise UsageError(f"{table}: names no image. Give one in each line.")
    return [table.parent / path for path in paths]


def _lines(table: Path) -> list[str]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{table}: can't be read as a list ({error}). Save it as text in UTF-8.") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _check_header(table: Path, header: Sequence[str]) -> None:
    """One of the columns is enough, as far as it is there once."""
    column = next((name for name in COLUMNS if name in header), COLUMNS[0])
    check_columns(table, header, [column])


def _path(place: str, cells: Cells) -> str:
    column = next(name for name in COLUMNS if name in cells)
    if not cells[column]:
        raise DataError(f"{place}: has no {column}.")
    return cells[column]


def _names(placed: list[tuple[Path, Path]]) -> list[str]:
    """One NAME per pair of a folder and a file in it, none equal to another even where upper and lower case are."""
    names, longer, longest = [], [], []
    for folder, file in placed:
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
