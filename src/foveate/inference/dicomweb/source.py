"""The images at an address of DICOMweb: what a server has of them is asked first, and each retrieved in its turn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from foveate.errors import FoveateError, ImageError, ServerError, UsageError
from foveate.imaging.dicom.described import file_of_description, header_described, header_in, is_keyword
from foveate.imaging.dicom.header import Header
from foveate.inference.dicom.source import DicomFile, LostItem, images_of
from foveate.inference.dicomweb.address import DicomwebAddress
from foveate.inference.dicomweb.server import Description, DicomwebServer
from foveate.inference.source import SourceItem

NAME_LENGTH = 16
"""Characters of the hash of a UID, in a NAME."""

NO_IMAGES = ("AU", "DOC", "ECG", "KO", "PLAN", "PR", "REG", "RTPLAN", "RTRECORD", "RTSTRUCT", "SEG", "SR")
"""Modalities of series that are passed over unseen."""

Retrieving = Callable[[str, str, str], bytes]
"""A file, or a part of it, by the UIDs of study, series and instance."""

_ROWS, _COLUMNS, _TABLE = "00280010", "00280011", "00283010"


@dataclass(frozen=True, slots=True)
class ObjectOnServer:
    """A DICOM object that a server has."""

    server: DicomwebServer
    study: str = field(repr=False)
    series: str = field(repr=False)
    instance: str = field(repr=False)

    @property
    def name(self) -> str:
        """Study, series and instance, by hashes of their UIDs: the same for every call and every server."""
        return "/".join(hash_of(uid)[:NAME_LENGTH] for uid in (self.study, self.series, self.instance))

    @property
    def key(self) -> str:
        """The server, and the NAME."""
        return f"{self.server.root}, {self.name}"

    @property
    def place(self) -> None:
        """It is no file."""

    def sha256(self) -> str:
        """Of its UID, which no other object may have (PS3.5, 9): its bytes would have to be retrieved for theirs."""
        return hash_of(self.instance)

    def size(self) -> int:
        """It is not known before it is retrieved."""
        return 0

    def content(self) -> bytes:
        """The file, retrieved."""
        return self._asked(self.server.instance)

    def head(self) -> bytes:
        """The file up to its pixels."""
        return self._asked(self.server.head)

    def described(self) -> bytes:
        """What the server says of the series, in part this."""
        try:
            found = self.server.described(self.study, self.series).get(self.instance)
        except ServerError as error:
            raise ServerError(f"{self.key}: {error}") from error
        return self.head() if found is None else file_of_description(found)

    def _asked(self, method: Retrieving) -> bytes:
        try:
            return method(self.study, self.series, self.instance)
        except ServerError as error:
            raise ServerError(f"{self.key}: {error}") from error


def hash_of(uid: str) -> str:
    """SHA-256, in hexadecimal. UIDs may hold dates and numbers of devices, and lead to a patient in the archive."""
    return hashlib.sha256(uid.encode()).hexdigest()


def items_at(addresses: Iterable[str], *, token: str | None = None, plain_http: bool = False) -> list[SourceItem]:
    """The images at the addresses, each once, in the order of studies, series and instance numbers.

    What holds no image is passed over, and so is DICOM SEG. A series of which the server says nothing, and an instance
    of which it says what can't be read, fail in their turn. Raises UsageError for an address that can't be read, or
    without an image, ServerError where nothing can be found.
    """
    read = [DicomwebAddress.of(text, plain_http=plain_http) for text in addresses]
    if not all(is_keyword(keyword) and value for address in read for keyword, value in address.query):
        # A server may leave out what it does not know, and find everything.
        raise UsageError("a query of DICOMweb has keywords of DICOM with a value each: …/studies?StudyDate=20260105.")
    servers = {root: DicomwebServer(root, token) for root in dict.fromkeys(address.root for address in read)}
    found: dict[str, DicomFile | LostItem] = {}
    for address in read:
        here = {one.item.key if isinstance(one, DicomFile) else one.key: one for one in _files_at(address, servers)}
        if not here:
            raise UsageError(f"{address.root}: has no image there; look at the address.")
        found |= here
    return images_of(list(found.values()))


def _files_at(address: DicomwebAddress, servers: dict[str, DicomwebServer]) -> Iterator[DicomFile | LostItem]:
    server = servers[address.root]
    try:
        for study in [address.study] if address.study else server.studies(address.query):
            for series in [address.series] if address.series else _series_with_images(server, study):
                yield from _files_in(server, study, series, address.instance)
    except ServerError as error:
        raise ServerError(f"{address.root}: {error}") from error


def _series_with_images(server: DicomwebServer, study: str) -> list[str]:
    return [uid for uid, modality in server.series(study) if modality not in NO_IMAGES]


def _files_in(server: DicomwebServer, study: str, series: str, instance: str) -> Iterator[DicomFile | LostItem]:
    try:
        described = server.described(study, series, *([instance] if instance else []))
    except ServerError as error:
        name = "/".join(hash_of(uid)[:NAME_LENGTH] for uid in (study, series))
        key = f"{server.root}, {name}"
        yield LostItem(key, name, ServerError(f"{key}: {error}"))
        return
    for uid, description in described.items():
        one = ObjectOnServer(server, study, series, uid)
        try:
            header = _header(one, description)
        except FoveateError as error:
            named = error if isinstance(error, ServerError) else ImageError(f"{one.key}: {error}")
            yield LostItem(one.key, one.name, named)
            continue
        if header is not None and not header.segmentation:
            yield DicomFile(one, header)


def _header(one: ObjectOnServer, description: Description) -> Header | None:
    """By what the server says; by the file, where that has tables, of which servers name an address alone."""
    if _ROWS not in description or _COLUMNS not in description:
        return None
    return (
        header_in(one.content()) if _names(description, _TABLE) else header_described(file_of_description(description))
    )


def _names(described: object, tag: str) -> bool:
    """Whether an element is there, at any depth."""
    left = [described]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if tag in one:
                return True
            left += one.values()
        elif isinstance(one, list):
            left += one
    return False
