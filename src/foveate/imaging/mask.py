"""Masks that come with data sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import DataError, ImageError, UsageError
from foveate.imaging.decode import decode
from foveate.imaging.files import file_bytes
from foveate.imaging.samples import Decoded, as_rgb

if TYPE_CHECKING:
    from foveate.records import Mask

_GREY_TOLERANCE = 16
"""How far the channels of a grey may lie apart: palettes in use are off by a few."""


def read_mask(path: str | Path) -> Mask:
    """The mask in a lossless image file (H×W, True is foreground), read through its palette.

    Where no value is above 1, 1 is foreground; otherwise the upper half of the range, 128 to 255. 16-bit
    values are scaled as in photographs. Raises DataError, in one line, for a file that can't be read, is
    compressed with loss, has several pages, or is coloured.
    """
    try:
        return _foreground(decode(file_bytes(Path(path))))
    except (ImageError, UsageError) as error:
        raise DataError(f"{path}: {error}") from error
    except MemoryError as error:
        raise DataError(f"{path}: needs more memory than there is") from error


def _foreground(decoded: Decoded) -> Mask:
    if decoded.lossy:
        raise ImageError("is compressed with loss; a mask is read from PNG, TIFF, GIF, BMP or PPM")
    if decoded.frames > 1:
        raise ImageError(f"holds {decoded.frames} frames; a mask is a single one")
    colours = as_rgb(decoded.samples)[0]
    red, green, blue = (colours[..., channel] for channel in range(3))
    apart = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    if apart.max() > _GREY_TOLERANCE:
        row, column = np.unravel_index(apart.argmax(), apart.shape)
        raise ImageError(
            f"is coloured (RGB {colours[row, column].tolist()} at row {row}, column {column}); a mask is grey"
        )
    lowest = 1 if colours.max() <= 1 else 128
    # The mean of three nearly equal channels, without fractions.
    foreground: Mask = red.astype(np.uint16) + green + blue >= 3 * lowest
    return foreground
