"""Probability maps as files, such as `write_probability` makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foveate.errors import DataError, ImageError, UsageError
from foveate.imaging.decoding import decode
from foveate.imaging.files import file_bytes
from foveate.records import Probability

MOST_LABELS = 16
"""A file with more values than this holds no labels."""


@dataclass(frozen=True, slots=True)
class ProbabilityFile:
    """A map, and the numbers that its file stores where they might be labels."""

    probability: Probability
    labels: tuple[int, ...] = ()
    """Its few values, sorted; empty where there are more than 16, or where they are fractions."""


def read_probability(path: str | Path) -> Probability:
    """The map in a lossless grey image file, H×W: 0 to 255, or 0 to 65535 with 16 bits, become 0 to 1; fractions from
    0 to 1, as a float TIFF holds them, stay as they are.

    Raises DataError, in one line, for a file that can't be read, is compressed with loss or is coloured.
    """
    return read_probability_file(path).probability


def read_probability_file(path: str | Path) -> ProbabilityFile:
    """As `read_probability`, with what the file stores."""
    try:
        decoded = decode(file_bytes(Path(path)))
        if decoded.lossy:
            raise ImageError("is compressed with loss; a probability map is read from PNG, TIFF, GIF, BMP or PPM")
        samples = decoded.samples if decoded.samples.ndim == 3 else decoded.samples[..., None]
        if samples.shape[2] == 4 and (samples[..., 3] == np.iinfo(samples.dtype).max).all():
            samples = samples[..., :3]
        if samples.shape[2] != 1 and (samples != samples[..., :1]).any():
            raise ImageError("is coloured; a probability map is grey")
    except (ImageError, UsageError) as error:
        raise DataError(f"{path}: {error}") from error
    if decoded.floats is not None:
        return ProbabilityFile(decoded.floats)
    highest = np.float32(np.iinfo(samples.dtype).max)
    values = np.unique(samples[..., 0])
    labels = tuple(values.tolist()) if len(values) <= MOST_LABELS else ()
    return ProbabilityFile(samples[..., 0].astype(np.float32) / highest, labels)
