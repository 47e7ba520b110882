"""The bytes of an image file of any format that is read, as samples."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    WebPImagePlugin,
)

from foveate.errors import ImageError, needs
from foveate.imaging.decoding.pillow import (
    calling_decoder,
    numbers_of,
    orientation_of,
    samples_of,
    turned_note,
    upright,
    wide_png_samples,
)
from foveate.imaging.decoding.samples import MAX_PIXELS, Decoded, check_size
from foveate.imaging.decoding.tiff import decode_tiff, tiff_size
from foveate.imaging.dicom import is_dicom
from foveate.imaging.nifti import is_nifti, is_nifti_installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import ImageFile

FORMATS = "JPEG, PNG, TIFF, GIF, BMP, WebP, PPM, PGM, PBM and DICOM, plain or gzipped"

MAX_UNZIPPED = 3 * MAX_PIXELS + 4096
"""Bytes that a gzipped file may unpack to: the largest 8-bit RGB picture and its header."""

_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_OPENERS: dict[bytes, Callable[[BinaryIO], ImageFile.ImageFile]] = {
    b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile,
    b"\x89PNG\r\n\x1a\n": PngImagePlugin.PngImageFile,
    b"GIF87a": GifImagePlugin.GifImageFile,
    b"GIF89a": GifImagePlugin.GifImageFile,
    b"BM": BmpImagePlugin.BmpImageFile,
    b"RIFF": WebPImagePlugin.WebPImageFile,
    **{b"P%d" % kind: PpmImagePlugin.PpmImageFile for kind in range(1, 7)},
}
"""The classes themselves, not `PIL.Image.open`: that one applies a limit of pixels that is state of the
whole process, opens dozens of other formats, and takes a stereo JPEG for an animation."""


def decode(data: bytes) -> Decoded:
    """The first picture of an image file, upright.

    The format follows from the content, never from a name, and nothing is decoded before the size in the
    header is checked. Raises ImageError, which doesn't name the file, if it can't be read.
    """
    if data.startswith(b"\x1f\x8b"):
        data = _unzipped(data, MAX_UNZIPPED)
    if is_dicom(data):
        with needs("dicom", "reading DICOM"):
            from foveate.imaging.dicom.read import decode_dicom

            return decode_dicom(data)
    if is_nifti(data):
        _refuse_volume()
    if data.startswith(_TIFF_SIGNATURES):
        with calling_decoder():
            return decode_tiff(data)
    opener = _opener_of(data)
    with calling_decoder():
        return _decode_with(opener, data)


def size_of(data: bytes, most_unzipped: int = MAX_UNZIPPED) -> tuple[int, int]:
    """Width and height of the picture by the header of its file, as they are stored; no pixel is decoded.

    A gzipped file may unpack to `most_unzipped` bytes. Raises ImageError as `decode` does, for what the header shows.
    """
    if data.startswith(b"\x1f\x8b"):
        data = _unzipped(data, most_unzipped)
    if is_dicom(data):
        with needs("dicom", "reading DICOM"):
            from foveate.imaging.dicom.read import size_of_dicom

            return size_of_dicom(data)
    if is_nifti(data):
        _refuse_volume()
    if data.startswith(_TIFF_SIGNATURES):
        with calling_decoder():
            return tiff_size(data)
    opener = _opener_of(data)
    with calling_decoder():
        width, height = opener(io.BytesIO(data)).size
    check_size(width, height)
    return width, height


def _opener_of(data: bytes) -> Callable[[BinaryIO], ImageFile.ImageFile]:
    opener = next((opener for signature, opener in _OPENERS.items() if data.startswith(signature)), None)
    if opener is None or (data.startswith(b"RIFF") and data[8:12] != b"WEBP"):
        raise ImageError(_unknown(data))
    return opener


def is_picture(path: Path) -> bool:
    """Whether a file begins as one of a format other than DICOM that is read here, plain or gzipped."""
    with path.open("rb") as file:
        return file.read(16).startswith((*_OPENERS, *_TIFF_SIGNATURES, b"\x1f\x8b"))


def is_tiff(beginning: bytes) -> bool:
    """Whether a file that begins so is a TIFF or BigTIFF."""
    return beginning.startswith(_TIFF_SIGNATURES)


def size_in_header(file: BinaryIO) -> tuple[int, int] | None:
    """Height and width by the header of a file that is open at its beginning; None for TIFF, gzip and no picture."""
    beginning = file.read(16)
    opener = next((opener for signature, opener in _OPENERS.items() if beginning.startswith(signature)), None)
    if opener is None:
        return None
    file.seek(0)
    with calling_decoder():
        width, height = opener(file).size
    return height, width


def _decode_with(opener: Callable[[BinaryIO], ImageFile.ImageFile], data: bytes) -> Decoded:
    image = opener(io.BytesIO(data))
    check_size(*image.size)
    frames = int(getattr(image, "n_frames", 1))
    wide = wide_png_samples(data, image) if isinstance(image, PngImagePlugin.PngImageFile) else None
    samples = samples_of(image) if wide is None else wide
    orientation, notes = orientation_of(image)
    if frames > 1:
        notes = (*notes, f"first of {frames} frames")
    return Decoded(
        upright(samples, orientation),
        (*notes, *turned_note(orientation)),
        frames,
        lossy=image.format in ("JPEG", "WEBP"),
        numbers=numbers_of(image, orientation),
        classes=str(image.info.get("Classes", "")) if image.format == "PNG" else "",
        turned=bool(turned_note(orientation)),
    )


def _unzipped(data: bytes, most: int) -> bytes:
    import gzip

    with calling_decoder(), gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        unzipped = file.read(most + 1)
    if len(unzipped) > most:
        raise ImageError(f"unpacks to more than {most} bytes; unpack it and crop or shrink the image first")
    return unzipped


def _refuse_volume() -> None:
    """Raise UsageError where volumes can't be read here, and ImageError where only a single image is wanted."""
    with needs("nifti", "reading NIfTI"):
        if not is_nifti_installed():
            raise ModuleNotFoundError(name="nibabel")
    raise ImageError("is a volume (NIfTI), not an image; foveate segment takes it, and in Python segment_volume")


def _unknown(data: bytes) -> str:
    if not data:
        return "is empty (0 bytes); copy or export it again"
    return f"is not an image of a known format; {FORMATS} are read"
