"""From a frame's stored samples to what is shown of them, 8 bits a sample (PS3.4, N.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_windowing

from foveate.imaging.dicom.window import Window, frame_module

if TYPE_CHECKING:
    from foveate.imaging.dicom.header import Header

Levels = NDArray[Any]
"""H×W, whole numbers or floats."""

_TABLE = 1 << 16
"""Pixels above which it is quicker to look levels of 16 bits up than to compute them."""


def shown_colour(stored: NDArray[Any], header: Header, dataset: Dataset) -> NDArray[np.uint8]:
    """H×W×3 of a colour image, or one with a palette: white is the largest number that its bits can hold."""
    if header.photometric == "PALETTE COLOR":
        colours: NDArray[Any] = apply_color_lut(stored, dataset)[..., :3]
        largest = float(np.iinfo(colours.dtype).max)
    else:
        colours, largest = stored, float(2**header.bits - 1)
    if colours.dtype == np.uint8 and largest == 255:
        return np.ascontiguousarray(colours)
    return np.rint(np.clip(colours / largest, 0, 1) * 255).astype(np.uint8)


def shown_grey(
    stored: Levels, header: Header, dataset: Dataset, frame: int, window: Window | None
) -> NDArray[np.uint8]:
    """H×W of a grey image by one window; without one by all that its bits can hold, as those of 8 are."""
    module = grey_module(dataset, frame)
    if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2 and stored.size > _TABLE:
        limits = np.iinfo(stored.dtype)
        table = _shown(np.arange(limits.min, limits.max + 1, dtype=np.int32), header, module, window)
        shown = table[stored.astype(np.int32) - limits.min]
    else:
        shown = _shown(stored, header, module, window)
    return 255 - shown if header.photometric == "MONOCHROME1" else shown


def grey_module(dataset: Dataset, frame: int) -> Dataset:
    """What of a file's elements decides how the levels of a frame are transformed."""
    module = Dataset()
    module.set_original_encoding(*dataset.original_encoding)
    own = frame_module(dataset, frame, "PixelValueTransformationSequence")
    for keyword in ("BitsStored", "PixelRepresentation", "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept"):
        source = own if own is not None and keyword in own else dataset
        if source.get(keyword) not in (None, ""):
            setattr(module, keyword, source[keyword].value)
    module.PhotometricInterpretation = "MONOCHROME2"
    module.BitsStored = int(module.get("BitsStored") or dataset.BitsAllocated)
    module.PixelRepresentation = int(module.get("PixelRepresentation") or 0)
    return module


def modality_levels(stored: Levels, module: Dataset) -> Levels:
    """Stored samples after the modality transform."""
    wide = stored.astype(np.int64) if stored.dtype.kind in "iu" else stored.astype(np.float64)
    levels: Levels = apply_modality_lut(wide, module)
    return levels


def range_of(stored: Levels, dataset: Dataset, frame: int) -> tuple[float, float] | None:
    """The lowest and highest level of a frame, without its padding; None where all of it is padding, or not finite."""
    inside = np.isfinite(stored) if stored.dtype.kind == "f" else np.ones(stored.shape, bool)
    padding = dataset.get("PixelPaddingValue")
    if isinstance(padding, int):
        limit = dataset.get("PixelPaddingRangeLimit")
        low, high = sorted((padding, limit if isinstance(limit, int) else padding))
        inside &= (stored < low) | (stored > high)
    if not inside.any():
        return None
    ends = np.array([stored[inside].min(), stored[inside].max()])
    module = grey_module(dataset, frame)
    levels = modality_levels(stored[inside] if "ModalityLUTSequence" in module else ends, module)
    return float(levels.min()), float(levels.max())


def _shown(stored: Levels, header: Header, module: Dataset, window: Window | None) -> NDArray[np.uint8]:
    if window is None:
        lowest = -(2 ** (header.bits - 1)) if header.signed else 0
        share = (stored.astype(np.float64) - lowest) / (2**header.bits - 1)
    else:
        share = _windowed(modality_levels(stored, module), module, window)
    share = np.nan_to_num(share, nan=0.0, posinf=1.0, neginf=0.0)
    shown: NDArray[np.uint8] = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    return shown


def _windowed(levels: Levels, module: Dataset, window: Window) -> NDArray[np.float64]:
    """From 0 for black to 1 for white."""
    if window.table:
        _, first, bits, *entries = window.table
        # pydicom's apply_voi counts places in as many bits as an entry has: of an 8-bit table it knows 256.
        places = np.clip(np.rint(np.nan_to_num(levels.astype(np.float64))) - first, 0, len(entries) - 1)
        looked_up: NDArray[np.float64] = np.array(entries, np.float64)[places.astype(np.int64)] / (2**bits - 1)
        return looked_up
    module.WindowCenter, module.WindowWidth, module.VOILUTFunction = window.centre, window.width, window.function
    with np.errstate(over="ignore", invalid="ignore"):
        # The two last are black and white, whichever numbers these are in the levels' own range.
        ended: NDArray[np.float64] = apply_windowing(np.append(levels.astype(np.float64), [-np.inf, np.inf]), module)
        black, white = ended[-2:]
        share: NDArray[np.float64] = (ended[:-2].reshape(levels.shape) - black) / (white - black)
    return share
