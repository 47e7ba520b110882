"""Masks that come with data sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import ImageError, named_as_data
from foveate.imaging.decoding import Decoded, as_rgb, decode
from foveate.imaging.files import file_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask

_GREY_TOLERANCE = 16
"""How far the channels of a grey may lie apart: palettes in use are off by a few."""

_TABLE = "or, if it shows several classes, name them in a classes.csv (value,name) in a folder of your own"

_HIGHEST_LABEL = 15
"""A value up to here, beside 1 and a single bright value, is taken for a class's number, not for a soft edge."""

_NEAR = 16
"""How far from the darkest and the brightest value those lie that count as these."""

_FEWEST_SOFT = 8
"""Soft edges have at least so many levels between the two; fewer may be classes."""

_MOST_SOFT = 0.5
"""The largest share of a mask's pixels that its edges take up."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskFile:
    """A mask and the grey levels that its file holds, from the smallest to the largest, 0 to 255."""

    mask: Mask
    values: tuple[int, ...]
    turned: bool = False
    """Whether its orientation tag turned it."""


def read_mask(path: str | Path) -> Mask:
    """The mask in a lossless image file (H×W, True is foreground), read through its palette.

    Where no value is above 1, 1 is foreground; where the largest is from 128 to 255, the upper half of the range is,
    so that soft edges are cut in their middle. Soft edges have eight levels or more between a dark and a bright value,
    none of which fills an area, in at most half of the pixels. 16-bit values are scaled as in photographs. Raises
    DataError, in one line, for a file that can't be read, is compressed with loss, has several pages or is coloured,
    and with the values found for one that is neither: numbers or grey levels of classes, 0 and 1 with a 255 for what
    is left out.
    """
    return read_mask_file(path).mask


def read_mask_file(path: str | Path) -> MaskFile:
    """As `read_mask`, with the values found."""
    with named_as_data(path):
        return _understood(decode(file_bytes(Path(path))))


def check_exact(decoded: Decoded) -> None:
    """Refuse what can't hold a mask's exact values: ImageError for loss or several frames."""
    if decoded.lossy:
        raise ImageError("is compressed with loss; a mask is read from PNG, TIFF, GIF, BMP or PPM")
    if decoded.frames > 1:
        raise ImageError(f"holds {decoded.frames} frames; a mask is a single one")


def _understood(decoded: Decoded) -> MaskFile:
    check_exact(decoded)
    colours = as_rgb(decoded.samples)[0]
    red, green, blue = (colours[..., channel] for channel in range(3))
    apart = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    if apart.max() > _GREY_TOLERANCE:
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        raise ImageError(
            f"is coloured (RGB {colours[row, column].tolist()} at row {row}, column {column}); a mask is grey, {_TABLE}"
        )
    # Three times the mean of three nearly equal channels, so without fractions.
    tripled = red.astype(np.uint16) + green + blue
    values = _values(tripled)
    lowest = 1 if values[-1] <= 1 else 128
    if not _is_known(values) or not _is_soft_or_none(tripled, values):
        shown = ", ".join(map(str, values[:8])) + (", …" if len(values) > 8 else "")
        raise ImageError(
            f"holds the values {shown}; a mask is 0 and 1, or 0 and 255: save it as one of these, {_TABLE}"
        )
    return MaskFile(tripled >= 3 * lowest, values, decoded.turned)


def _values(tripled: NDArray[np.uint16]) -> tuple[int, ...]:
    """The distinct thirds of values from 0 to 765, rounded down as the threshold does."""
    present = np.zeros(3 * 255 + 1, bool)
    for part in np.array_split(tripled.ravel(), tripled.size // 2**20 + 1):
        present[part] = True
    return tuple(np.unique(np.flatnonzero(present) // 3).tolist())


def _is_known(values: tuple[int, ...]) -> bool:
    """Whether values are 0 and 1, or dark and bright."""
    dark = [value for value in values if value < 128]
    classes = 1 < values[-1] < 128
    left_out = len(values) == len(dark) + 1 > 2 and 1 in dark and dark[-1] <= _HIGHEST_LABEL
    return not (classes or left_out)


def _is_soft_or_none(tripled: NDArray[np.uint16], values: tuple[int, ...]) -> bool:
    """Whether what lies between the darkest and the brightest value can only be soft edges."""
    lowest, highest = values[0] + _NEAR, values[-1] - _NEAR
    levels = [value for value in values if lowest < value < highest]
    if not levels:
        return True
    between = (tripled >= 3 * (lowest + 1)) & (tripled < 3 * highest)
    return len(levels) >= _FEWEST_SOFT and between.mean() <= _MOST_SOFT and not (between & _even(tripled // 3)).any()


def _even(levels: NDArray[np.uint16]) -> Mask:
    """H×W, True where all of a pixel's eight neighbours have its level; False along the edge."""
    along = levels[:, :-2] == levels[:, 1:-1]
    along &= levels[:, 1:-1] == levels[:, 2:]
    inner = along[:-2] & along[1:-1] & along[2:]
    inner &= levels[:-2, 1:-1] == levels[1:-1, 1:-1]
    inner &= levels[1:-1, 1:-1] == levels[2:, 1:-1]
    return np.pad(inner, 1)
