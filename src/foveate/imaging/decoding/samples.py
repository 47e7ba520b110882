"""What a decoded file holds, and how it becomes 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foveate.errors import ImageError

if TYPE_CHECKING:
    from foveate.records import Image

Samples = NDArray[np.unsignedinteger[Any]]
"""uint8 or uint16: H×W grey, H×W×2 grey and alpha, H×W×3 RGB or H×W×4 RGBA; a type's full range is 0 to 1."""

MAX_PIXELS = 200_000_000
"""The largest height times width that is read."""

MIN_SIDE = 16
"""The smallest height and width that is read, in pixels."""

_DEPTHS = (8, 10, 12, 14, 16)
"""The bit depths that cameras and scanners deliver inside 16-bit samples."""

COMPOSITED = "transparent pixels: composited over black"

_BRIGHT = 10_000
"""One of so many samples may be brighter than what the scale is taken from."""

_STEEPNESS = 4
"""How much faster than the largest value the scale grows between two depths; it is whole after a fifth of the way."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One decoded picture, upright."""

    samples: Samples
    notes: tuple[str, ...] = ()
    frames: int = 1
    """How many frames or pages the file holds; the samples are those of the first."""
    lossy: bool = False
    """Whether the file was compressed with loss, so that its values are only near the stored ones."""
    numbers: Samples | None = None
    """H×W, what a file of 1 bit or with a palette of colours stores of each pixel; None for any other."""
    classes: str = ""
    """What a PNG says of its numbers in a text chunk `Classes`."""
    floats: NDArray[np.float32] | None = None
    """H×W, what a grey file of floating-point numbers stores; None for any other."""
    turned: bool = False
    """Whether it was turned upright, and so doesn't lie as it is stored."""
    spacing: tuple[float, float] | None = None
    """Millimetres between rows and between columns, where a file says so of what it shows."""


def check_size(width: int, height: int) -> None:
    """Refuse a picture that is too small to show anything or too large to hold; ImageError says its size."""
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"is {width}×{height} pixels; at least {MIN_SIDE} on each side are needed, give the whole image"
        )
    if width * height > MAX_PIXELS:
        raise ImageError(f"claims {width}×{height} pixels, over the limit of {MAX_PIXELS}; crop or shrink it first")


def as_samples(values: NDArray[Any]) -> Samples:
    """The values of a file as unsigned 8- or 16-bit samples.

    Floats run from 0 to 1 and become 8 bits; wider or signed integers are taken where they fit into 16 bits.
    ImageError with the values found otherwise.
    """
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        return values.astype(f"u{values.dtype.itemsize}", copy=False)
    if values.dtype.kind not in "iuf":
        raise ImageError(f"holds {values.dtype} values; save it as 8- or 16-bit grey or RGB")
    lowest, highest = values.min(), values.max()
    if values.dtype.kind == "f" and lowest >= 0 and highest <= 1:
        return np.rint(values.astype(np.float64) * 255).astype(np.uint8)
    if values.dtype.kind in "iu" and lowest >= 0 and highest <= 65535:
        return values.astype(np.uint16)
    accepted = "0 to 1" if values.dtype.kind == "f" else "0 to 65535"
    raise ImageError(
        f"holds {values.dtype} values from {lowest:g} to {highest:g}; only {accepted} has a known meaning, "
        "save it as 8- or 16-bit"
    )


def as_8_bit(samples: Samples) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Samples on 0 to 255, and a note if a choice was made.

    16-bit samples are scaled by the smallest of 8, 10, 12, 14, 16 bits that holds the largest value but for the
    brightest ten-thousandth, which may be broken pixels of the sensor and is cut. Between two depths the scale grows
    from the one to the other, so that one level more never changes a picture by much.
    """
    if samples.dtype.itemsize == 1:
        return samples.astype(np.uint8, copy=False), ()
    scale = scale_by(counted(samples), samples.shape[2] if samples.ndim == 3 else 1)
    return scale.table[samples], scale.notes


@dataclass(frozen=True, slots=True)
class Scale:
    """What 16-bit values become."""

    table: NDArray[np.uint8]
    """65536, by value."""
    notes: tuple[str, ...]


def scale_by(counts: NDArray[np.int64], channels: int) -> Scale:
    """The scale of an image by how often each value from 0 to 65535 occurs in it."""
    outside = max(channels, int(counts.sum()) // _BRIGHT)
    above = np.cumsum(counts[::-1])[::-1] > outside  # at least so many samples have this value or a higher one
    largest = int(np.flatnonzero(above)[-1])
    scale = _scale_of(largest)
    cut = int(counts[scale + 1 :].sum())
    table = np.rint(np.minimum(np.arange(1 << 16), scale) * (255 / scale)).astype(np.uint8)
    bits = scale.bit_length() if scale.bit_length() in _DEPTHS and scale & (scale + 1) == 0 else 0
    what = f"{bits}-bit values" if bits else f"values up to {largest}"
    note = f"16-bit image with {what}: scaled by 255/{scale}" + (f", {cut} brighter values cut" if cut else "")
    return Scale(table, () if bits == 16 else (note,))


def counted(samples: Samples) -> NDArray[np.int64]:
    """How often each value from 0 to 65535 occurs."""
    counts = np.zeros(1 << 16, np.int64)
    for part in np.array_split(samples.ravel(), samples.size // 2**22 + 1):
        counts += np.bincount(part, minlength=1 << 16)
    return counts


def _scale_of(largest: int) -> int:
    """The value that becomes 255: of a depth, or of the way from the depth below to it."""
    full = [(1 << depth) - 1 for depth in _DEPTHS]
    upper = next(level for level in full if largest <= level)
    lower = max((level for level in full if level < upper), default=upper)
    return min(upper, lower + _STEEPNESS * max(0, largest - lower))


def as_rgb(samples: Samples) -> tuple[Image, tuple[str, ...]]:
    """Samples as H×W×3 RGB on 0 to 255 (a new, contiguous array), and a note per choice made.

    Alpha is dropped where all of it is opaque; otherwise the picture is composited over black, which is the
    background of a fundus photograph.
    """
    planes = samples if samples.ndim == 3 else samples[..., np.newaxis]
    has_alpha = planes.shape[2] in (2, 4)
    colour, notes = as_8_bit(planes[..., :-1] if has_alpha else planes)
    if has_alpha:
        alpha = as_8_bit(planes[..., -1:])[0]
        if alpha.min() < 255:
            colour = over_black(colour, alpha)
            notes = (*notes, COMPOSITED)
    height, width = planes.shape[:2]
    return np.array(np.broadcast_to(colour, (height, width, 3)), order="C"), notes


def over_black(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """H×W×C with alpha (H×W×1) over black; where that is 255 nothing changes."""
    return ((colour.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
