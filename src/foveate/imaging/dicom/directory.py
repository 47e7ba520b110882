"""The images that a DICOMDIR lists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.dicom.header import is_directory
from foveate.imaging.dicom.parse import opened

if TYPE_CHECKING:
    from pydicom import Dataset


def images_of_directory(path: Path) -> list[Path] | None:
    """The files of a DICOMDIR's images, each once, in order, whether or not they are there; None for another file.

    One that lies outside of the DICOMDIR's folder is left out: a directory has names below itself alone (PS3.10, 8.2).
    Raises ImageError for a damaged file.
    """
    with opened(path) as file, calling_reader("is a DICOMDIR whose elements can't be read"):
        if not is_directory(file):
            return None
        records = file.dataset.get("DirectoryRecordSequence") or ()
        named = [place for record in records if (place := _place(path.parent, record)) is not None]
    return list(dict.fromkeys(named))


def _place(folder: Path, record: Dataset) -> Path | None:
    if str(record.get("DirectoryRecordType") or "") != "IMAGE" or not record.get("ReferencedFileID"):
        return None
    named = record.ReferencedFileID
    parts = [named] if isinstance(named, str) else [str(part) for part in named]
    if any(part in ("", ".", "..") or set(part) & set("/\\:\0") for part in parts):
        return None
    place = folder.joinpath(*parts)
    return place if place.resolve().is_relative_to(folder.resolve()) else None
