"""A DICOM object without its pixels, as the bytes of a file: as a DICOMweb server describes it, or as a file begins."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.dicom.header import Header, has_image, header_of
from foveate.imaging.dicom.parse import opened

_PIXELS = "7FE0"
"""Group of the elements that hold them."""


def file_of_description(description: Mapping[str, Any]) -> bytes:
    """What a server says of an object (PS3.18, F: its elements by tag), as a file. What it only names an address of, it
    leaves empty. Raises ImageError."""
    with calling_reader("is described by the server in elements that can't be read (DICOM)"):
        without = {tag: value for tag, value in description.items() if not tag.startswith(_PIXELS)}
        dataset = Dataset.from_json(without, bulk_data_uri_handler=lambda address: None)
        dataset.SpecificCharacterSet = "ISO_IR 192"  # JSON is UTF-8, whatever the object is
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file = io.BytesIO()
        dataset.save_as(file, enforce_file_format=False)
        return file.getvalue()


def header_described(content: bytes) -> Header | None:
    """The header of an image without pixels; None for an object that has no rows and columns. Raises ImageError."""
    with opened(content) as file:
        return header_of(file) if "Rows" in file.dataset and "Columns" in file.dataset else None


def header_in(content: bytes) -> Header | None:
    """The header of a file's image; None for DICOM without one. Raises ImageError."""
    with opened(content) as file:
        return header_of(file) if has_image(file) else None


def before_pixels(content: bytes) -> bytes:
    """A file up to its pixels. Raises ImageError."""
    with opened(content) as file:
        if file.pixels is None:
            return content
        file.content.seek(0)
        return file.content.read(file.pixels.start)


def is_keyword(text: str) -> bool:
    """Whether an element is called so: by its keyword, or by its tag in eight hexadecimal digits."""
    return tag_for_keyword(text) is not None or re.fullmatch("[0-9A-Fa-f]{8}", text) is not None


def dataset_in(content: bytes) -> Dataset:
    """All elements of a file that this program wrote."""
    with calling_reader("is a DICOM file whose elements can't be read"):
        return dcmread(io.BytesIO(content))
