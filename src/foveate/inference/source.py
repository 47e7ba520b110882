"""Where images come from: each with a key that stays the same, and a NAME for its results that no other has."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from foveate.errors import ImageError, UsageError, needs
from foveate.imaging import ENDINGS, find_images, images_below, images_matching, read_photograph
from foveate.imaging.dicom import is_dicom_file, is_installed
from foveate.imaging.nifti import is_nifti_file, is_nifti_installed
from foveate.inference.listing.lists import is_list, listed_in
from foveate.inference.listing.names import Placed, names_of_results
from foveate.inference.remote.address import PATTERN, local_or_address
from foveate.records import Photograph

if TYPE_CHECKING:
    from foveate.imaging.large.photograph import LargePhotograph
    from foveate.imaging.nifti.volume import Slicing, Volume


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


class Stored(Protocol):
    """A file in a store."""

    def fetch(self) -> bytes:
        """Its content. Raises ImageError."""

    def look(self) -> tuple[int, str]:
        """How many bytes it has, and what changes with its content as far as the store says. Raises ImageError."""


@dataclass(slots=True)
class FetchedItem:
    """A file in a store, which is brought here when its turn has come."""

    key: str
    """Its address, without what signs in."""
    name: str
    stored: Stored = field(repr=False)
    _facts: tuple[int, str] | None = None

    @property
    def place(self) -> None:
        """It is no file here."""

    @property
    def version(self) -> str:
        """What changes with its content; empty where the store doesn't say."""
        return self._looked()[1]

    def size(self) -> int:
        """As the store says."""
        try:
            return self._looked()[0]
        except ImageError:
            return 0

    def fetched(self) -> BytesItem:
        """The same with its bytes."""
        return BytesItem(self.stored.fetch(), self.name, self.key)

    def read(self) -> Photograph:
        """The photograph in its bytes."""
        return self.fetched().read()

    def sha256(self) -> str:
        """Of its bytes, which are fetched for that."""
        return hashlib.sha256(self.stored.fetch()).hexdigest()

    def _looked(self) -> tuple[int, str]:
        if self._facts is None:
            self._facts = self.stored.look()
        return self._facts


def is_dicomweb(given: object) -> bool:
    """Whether an input is meant as an address of DICOMweb, and not as another or a path."""
    return str(given).startswith("dicomweb+")


def items_of(
    inputs: Iterable[str | Path],
    *,
    recursive: bool = False,
    token: str | None = None,
    plain_http: bool = False,
    slicing: Slicing | None = None,
) -> list[SourceItem]:
    """The images in the files of `files_of`, then those at addresses of DICOMweb: one in each file, but one for each
    frame of a DICOM file and for each volume of a NIfTI file, or of the NIfTI files that are its channels (`slicing`).

    Of a DICOM file with several frames, NAME has the frame's number (`scan_f001`). In a folder that was given, DICOM
    files without an image (reports, plans) are left out, and so are DICOM SEG, which hold what somebody found. Inputs,
    and lines of lists, may be addresses (`s3://bucket/folder`), too. `token` goes to the DICOMweb servers, unencrypted
    ones among them if `plain_http`. Raises what `files_of` and `dicomweb.items_at` do, and UsageError where nothing is
    left, a package is missing, or a store can't be listed.
    """
    given = list(inputs)
    addresses = [str(each) for each in given if is_dicomweb(each)]
    items = _items_in([each for each in given if not is_dicomweb(each)], recursive=recursive, slicing=slicing)
    if addresses:
        with needs("dicom", "DICOMweb"):
            from foveate.inference.dicomweb.source import items_at
        items += items_at(addresses, token=token, plain_http=plain_http)
    return items


def _items_in(inputs: Iterable[str | Path], *, recursive: bool, slicing: Slicing | None) -> list[SourceItem]:
    placed = _placed_of(inputs, recursive=recursive)
    if any(isinstance(each.file, str) for each in placed):
        from foveate.inference.remote.source import fetched_items

        return fetched_items(placed, recursive=recursive)
    listed = _listed(placed)
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
    """The files that the inputs (files, folders, patterns, DICOMDIRs, lists of files) mean, each once, in order, with
    names that differ.

    A file's NAME is its stem, or what a list calls it; where two stems are equal, the parent folder's name comes before
    it, then the ending after it, then a number. If `recursive`, sub-folders are searched, too, and stand in the NAME,
    as they do for a DICOMDIR: `patient7/left` is the NAME of `patient7/left.png` in the folder that was given. Raises
    UsageError for an input that isn't there, a folder without images and a list without paths, DataError for a list
    that can't be read.
    """
    return [file for file, _ in _listed(_placed_of(inputs, recursive=recursive))]


def _listed(placed: Sequence[Placed]) -> list[tuple[FileItem, bool]]:
    """Files, each with whether a folder was given, in which it lies, and not the file itself."""
    names = names_of_results(placed)
    return [(FileItem(Path(each.file), name), each.found) for each, name in zip(placed, names, strict=True)]


def _placed_of(inputs: Iterable[str | Path], *, recursive: bool) -> list[Placed]:
    placed: dict[str | Path, Placed] = {}
    for given in map(local_or_address, inputs):
        try:
            for each in _placed(given, recursive):
                placed.setdefault(each.file if isinstance(each.file, str) else each.file.resolve(), each)
        except FileNotFoundError as error:
            raise UsageError(f"{given}: no such file; check the name.") from error
        except OSError as error:
            raise UsageError(f"{given}: can't be looked at ({error.strerror}); check the name.") from error
    return list(placed.values())


def _placed(given: str | Path, recursive: bool) -> list[Placed]:
    """Files, each with the folder below which it has its name; an address is taken as it is, unless it is a list."""
    if isinstance(given, str):
        if not is_list(given):
            return [Placed(given, "")]
        from foveate.inference.remote.source import listed_at

        return listed_at(given)
    if given.is_dir():
        files = _images_in(given, recursive)
        return [Placed(file, given if recursive else file.parent, found=True) for file in files]
    if is_list(given):
        return listed_in(given)
    if PATTERN.search(str(given)) and not given.exists():
        return [Placed(file, file.parent) for file in _matching(given)]
    given.stat()
    if is_installed() and is_dicom_file(given):
        from foveate.inference.dicom.source import listed_in as dicomdir_of

        if (listed := dicomdir_of(given)) is not None:
            return [Placed(file, given.parent) for file in listed]
    return [Placed(given, given.parent)]


def _images_in(folder: Path, recursive: bool) -> Sequence[Path]:
    files = find_images(folder, recursive=recursive, by_content=True)
    if not files:
        below = images_below(folder)
        advice = f"; its sub-folders hold {below}: --recursive takes them" if below else ""
        endings = ", ".join(sorted(ENDINGS))
        raise UsageError(f"{folder}: no image in this folder; looked for {endings}, DICOM and NIfTI{advice}.")
    return files


def _matching(pattern: Path) -> Sequence[Path]:
    files = images_matching(pattern)
    if not files:
        raise UsageError(f"{pattern}: no such file, and no image matches it; check the name.")
    return files
