"""An opened Pillow image as samples: what each of Pillow's modes means, and which way is up."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import ExifTags

from foveate.imaging.decoders import DECODER_ERRORS
from foveate.imaging.samples import Samples, as_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image as PillowImage

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
