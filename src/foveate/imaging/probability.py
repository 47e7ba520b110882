"""Probability maps as files, such as `write_probability` makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from foveate.errors import DataError, ImageError, UsageError
from foveate.imaging.decode import decode
from foveate.imaging.files import file_bytes
from foveate.records import Probability


def read_probability(path: str | Path) -> Probability:
    """The map in a lossless grey image file, H×W: 0 to 255, or 0 to 65535 with 16 bits, become 0 to 1.

    Raises DataError, in one line, for a file that can't be read, is compressed with loss or is coloured.
    """
    try:
        decoded = decode(file_bytes(Path(path)))
        if decoded.lossy:
            raise ImageError("is compressed with loss; a probability map is read from PNG, TIFF, GIF, BMP or PPM")
        samples = decoded.samples if decoded.samples.ndim == 3 else decoded.samples[..., None]
        if samples.shape[2] != 1 and (samples != samples[..., :1]).any():
            raise ImageError("is coloured; a probability map is grey")
    except (ImageError, UsageError) as error:
        raise DataError(f"{path}: {error}") from error
    highest = np.float32(np.iinfo(samples.dtype).max)
    probability: Probability = samples[..., 0].astype(np.float32) / highest
    return probability
