"""Images that Pillow opens, as samples: what its modes mean, which way is up, and 16 bits where Pillow keeps 8.

Colour images of 16 bits a sample are read in full, where Pillow by itself keeps only the upper byte: its unpackers for
these take one byte of each sample and differ only in which one, so that decoding twice, once as big- and once as
little-endian, yields both bytes exactly, whatever the compression, filter or interlacing.

What Pillow's and tifffile's decoders raise becomes ImageError, and their log is dropped.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from PIL import ExifTags, PngImagePlugin
from PIL import Image as PillowImage

from foveate.errors import ImageError
from foveate.imaging.decoding.samples import Samples, as_samples
from foveate.imaging.decoding.silence import SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from PIL import ImageFile

DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow and tifffile raise over damaged files. Neither has a base class for it, so they are listed."""


@contextmanager
def calling_decoder() -> Iterator[None]:
    """Call a decoder inside: ImageError for whatever it raises, none of its warnings and log lines.

    Both are about metadata that isn't used, or come just before an error that says the same.
    """
    with SILENCE.kept():
        try:
            yield
        except PillowImage.DecompressionBombError as error:
            raise ImageError("claims more pixels than its decoder takes; crop or shrink it first") from error
        except DECODER_ERRORS as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImageError(f"can't be decoded ({reason}); copy or export it again") from error


ORIENTATION = ExifTags.Base.Orientation
"""The tag, in EXIF data and in TIFF files."""

Scalar = TypeVar("Scalar", bound=np.generic)


def samples_of(image: PillowImage.Image) -> Samples:
    """The samples of a Pillow image of any mode: H×W grey, H×W×3 RGB or H×W×4 RGBA, as stored (not upright).

    Palettes are looked up; CMYK, YCbCr and HSV follow Pillow's own formulas; Lab (D50) becomes sRGB.
    """
    if image.mode == "I" and image.format == "PPM":
        # Pillow has already scaled the file's own largest value to 65535, so the depth is known.
        return np.rint(np.asarray(image) / 257).astype(np.uint8)
    if image.mode in ("I", "F"):
        return as_samples(np.array(image))
    if image.mode.startswith("I;16"):
        return _with_transparent_value(np.array(image).astype(np.uint16), image.info.get("transparency"))
    if image.mode == "LAB":
        return np.array(_lab_as_rgb(image))
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        return np.array(image.convert("RGBA"))
    wanted = "L" if image.mode in ("1", "L") else "RGB"
    return np.array(image if image.mode == wanted else image.convert(wanted))


def numbers_of(image: PillowImage.Image, orientation: object) -> Samples | None:
    """What an image of 1 bit, or with a palette that isn't grey all over, stores of each pixel: H×W, turned upright.

    None for any other image. It must be loaded.
    """
    coloured = image.mode == "P" and np.ptp(np.reshape(image.getpalette("RGB") or (), (-1, 3)), axis=1).any()
    if not coloured and image.mode != "1":
        return None
    return upright(np.array(image).astype(np.uint8), orientation)


def orientation_of(image: PillowImage.Image) -> tuple[object, tuple[str, ...]]:
    """The EXIF orientation of an image that is loaded, and a note if it can't be read.

    Pillow turns TIFFs upright itself while it loads them, and then reports 1.
    """
    try:
        return image.getexif().get(ORIENTATION, 1), ()
    except DECODER_ERRORS:
        return 1, ("EXIF data unreadable: taken as upright",)


def turned_note(orientation: object) -> tuple[str, ...]:
    """What to say of an orientation that turns or mirrors the picture."""
    return (f"turned upright by its orientation tag ({orientation})",) if orientation in range(2, 9) else ()


def upright(samples: NDArray[Scalar], orientation: object) -> NDArray[Scalar]:
    """Samples (H×W or H×W×C) turned so that the scene is upright (EXIF 2.32, tag 0x0112).

    Whatever else than 1 to 8 a file holds has no meaning and turns nothing.
    """
    if orientation in (5, 6, 7, 8):
        samples = samples.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    return samples


def _with_transparent_value(grey: Samples, transparent: int | None) -> Samples:
    if transparent is None:
        return grey
    return np.dstack([grey, np.where(grey == transparent, 0, 65535).astype(np.uint16)])


def _lab_as_rgb(image: PillowImage.Image) -> PillowImage.Image:
    from PIL import ImageCms

    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, rgb, "LAB", "RGB").apply(image)


_OTHER_BYTE = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
_LOWER = {
    f"{bands};16{order}": f"{bands};16{other}"
    for bands in ("RGB", "RGBX", "RGBA")
    for order, other in _OTHER_BYTE.items()
}
"""Each raw mode that yields the upper byte, with the one that yields the lower byte of the same file."""


def wide_samples(
    upper: ImageFile.ImageFile, open_again: Callable[[], ImageFile.ImageFile]
) -> NDArray[np.uint16] | None:
    """Samples (H×W×3 or H×W×4) of an image that is opened but not loaded; None if it isn't one of these."""
    if not upper.tile or any(_raw_mode(tile.args) not in _LOWER for tile in upper.tile):
        return None
    lower = open_again()
    lower.tile = [tile._replace(args=_with_lower_byte(tile.args)) for tile in lower.tile]
    samples: NDArray[np.uint16] = np.asarray(upper).astype(np.uint16) << 8 | np.asarray(lower)
    return samples


def wide_png_samples(data: bytes, upper: PngImagePlugin.PngImageFile) -> NDArray[np.uint16] | None:
    """Samples of a 16-bit PNG that isn't plain grey: H×W×2, H×W×3 or H×W×4; None for any other PNG."""
    if upper.tile and _raw_mode(upper.tile[0].args) == "LA;16B":
        # PNG's filters work on bytes, and this is four a pixel: read as 8-bit RGBA, then join the pairs.
        pairs = np.array(PngImagePlugin.PngImageFile(io.BytesIO(_as_8_bit_rgba(data))))
        return pairs.view(">u2").astype(np.uint16)
    samples = wide_samples(upper, lambda: PngImagePlugin.PngImageFile(io.BytesIO(data)))
    transparent = upper.info.get("transparency")
    if samples is None or transparent is None:
        return samples
    alpha = np.where((samples == transparent).all(axis=-1), 0, 65535).astype(np.uint16)
    return np.dstack([samples, alpha])


def _raw_mode(arguments: Any) -> str:
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _with_lower_byte(arguments: Any) -> Any:
    lower = _LOWER[_raw_mode(arguments)]
    return (lower, *arguments[1:]) if isinstance(arguments, tuple) else lower


def _as_8_bit_rgba(png: bytes) -> bytes:
    """A 16-bit grey and alpha PNG with a header that says 8-bit RGBA (PNG 1.2, section 4.1.1)."""
    header = png[12:24] + b"\x08\x06" + png[26:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]
