"""Colour images of 16 bits a sample in full, where Pillow by itself keeps only the upper 8.

Pillow's unpackers for these take one byte of each sample and differ only in which one: decoding twice, once
as big- and once as little-endian, yields both bytes exactly, whatever the compression, filter or interlacing.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import PngImagePlugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from PIL import ImageFile

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
