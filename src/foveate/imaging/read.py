"""A photograph from any form of image that people have, as 8-bit RGB.

Each form is read as what it means:

| form | rule |
| --- | --- |
| JPEG, PNG, TIFF, GIF, BMP, WebP, PPM, PGM, PBM | by content, whatever the name |
| gzipped (`.ppm.gz`) | unpacked in memory, up to the size of the largest picture |
| grey, 1 bit | red, green and blue are equal; 1 bit is 0 and 255 |
| palette | looked up |
| 16 bits a sample, grey or colour | the smallest of 8, 10, 12, 14, 16 bits that holds the largest value but for the \
brightest ten-thousandth, scaled linearly to 0..255 and rounded; just above a depth a scale between it and the next; a \
note unless it is 16 bits. PGM and PPM state their range: scaled by that |
| float TIFF | 0..1 is scaled to 0..255; refused if a value lies outside |
| signed or 32-bit integers | as 16 bits if all values are 0..65535; refused otherwise |
| alpha, transparent colour or index | dropped if opaque everywhere; else over black (the background of a \
fundus photograph), with a note |
| CMYK, YCbCr | Pillow's conversion (Adobe's inverted CMYK JPEG too); colour profiles are not applied |
| Lab | as D50 Lab to sRGB |
| white-is-zero TIFF | inverted |
| TIFF with separate planes | planes become channels |
| TIFF with an extra sample of unknown kind | left out; three channels marked as grey are RGB |
| several frames or pages | the first, with a note; the full picture where a TIFF's first is marked as a thumbnail |
| composite of ImageJ or OME, a page for each channel | three are red, green and blue, with a note; others are refused |
| EXIF orientation, TIFF orientation | turned upright, with a note; another if the EXIF data can't be read |
| DICOM (extra `dicom`) | by the modality and VOI transforms that the file gives, without any from the lowest to the \
highest level; of several frames the first |
| uint8 or uint16 array | H×W or H×W×1 grey, H×W×2 grey and alpha, H×W×3 RGB, H×W×4 RGBA, as above |
| Pillow image | the frame it stands at, by the rules of its mode and EXIF data |

Refused in one line: empty, damaged or cut short files, other formats, folders, files without permission,
fewer than 16 pixels on a side, more than 200 000 000 pixels (by the header, before anything is decoded),
other arrays.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as PillowImage
from PIL import TiffImagePlugin

from foveate.errors import ImageError, named
from foveate.imaging.decoding import Decoded, as_rgb, check_size, decode
from foveate.imaging.decoding.pillow import (
    ORIENTATION,
    calling_decoder,
    orientation_of,
    samples_of,
    turned_note,
    upright,
)
from foveate.imaging.files import file_bytes
from foveate.records import Photograph

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_photograph(source: str | Path | bytes | PillowImage.Image | NDArray[Any]) -> Photograph:
    """A photograph from a file's path or bytes, a Pillow image or an array, by the table in this file.

    The source is left as it is, and the pixels share no memory with it. Raises UsageError if there is no such
    file, and ImageError if it can't be read as an image; the one line of either begins with the source.
    """
    name = _name(source)
    with named(name):
        if isinstance(source, (str, Path)):
            return _from_bytes(file_bytes(Path(source)), name).photograph
        if isinstance(source, bytes):
            return _from_bytes(source, name).photograph
        if isinstance(source, PillowImage.Image):
            return _from_memory(_from_pillow(source), name)
        if isinstance(source, np.ndarray):
            return _from_memory(Decoded(_checked(source)), name)
        raise ImageError("not an image; give a path, the bytes of a file, a Pillow image or a NumPy array")


@dataclass(frozen=True, slots=True, eq=False)
class PhotographFile:
    """A photograph, and what its file stores of each pixel."""

    photograph: Photograph
    grey: bool
    """One level, not the three of a colour."""
    turned: bool = False
    """Whether its orientation tag turned it."""


def read_photograph_file(path: Path) -> PhotographFile:
    """As `read_photograph` for a file, with what it stores."""
    with named(str(path)):
        return _from_bytes(file_bytes(path), str(path))


def _name(source: object) -> str:
    if isinstance(source, (str, Path)):
        return str(source)
    if isinstance(source, bytes):
        return "bytes"
    if isinstance(source, PillowImage.Image):
        return "Pillow image"
    return "array" if isinstance(source, np.ndarray) else type(source).__name__


def _from_bytes(data: bytes, name: str) -> PhotographFile:
    decoded = decode(data)
    pixels, notes = as_rgb(decoded.samples)
    sha256 = hashlib.sha256(data).hexdigest()
    photograph = Photograph(pixels, name, sha256, (*decoded.notes, *notes), decoded.spacing)
    grey = decoded.samples.ndim == 2 or decoded.samples.shape[2] < 3
    return PhotographFile(photograph, grey, decoded.turned)


def _from_memory(decoded: Decoded, name: str) -> Photograph:
    pixels, notes = as_rgb(decoded.samples)
    return Photograph(pixels, name, hashlib.sha256(pixels.data).hexdigest(), (*decoded.notes, *notes))


def _from_pillow(image: PillowImage.Image) -> Decoded:
    check_size(*image.size)
    with calling_decoder():
        # A TIFF is turned while it is loaded, and then says that it is upright.
        stored = image.tag_v2.get(ORIENTATION) if isinstance(image, TiffImagePlugin.TiffImageFile) else None
        samples = samples_of(image)
        orientation, notes = orientation_of(image)
    return Decoded(upright(samples, orientation), (*notes, *turned_note(stored or orientation)))


def _checked(array: NDArray[Any]) -> NDArray[Any]:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.dtype.kind != "u" or array.dtype.itemsize > 2 or array.ndim not in (2, 3) or not 1 <= channels <= 4:
        raise ImageError(
            f"has type {array.dtype} and shape {array.shape}; accepted are uint8 and uint16 "
            "with shape (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4)"
        )
    check_size(array.shape[1], array.shape[0])
    return array
