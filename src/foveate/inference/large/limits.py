"""How much memory may be used, how large an image may be, and from which size on it isn't held as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass

from foveate.errors import UsageError

MEMORY = 1_500_000_000
"""Bytes that work is planned for where nothing else is asked for."""

BASE = 350_000_000
"""Of these: Python, the runtime, and a network with the maps of a photograph."""

LEAST_MEMORY = 450_000_000

WHOLE_BYTES = 100
"""That each pixel of an image takes which is held as a whole: its colours, masks, probabilities and what is between."""

DECODED_BYTES = 10
"""That each pixel takes while a file is decoded as a whole."""

MEGAPIXELS = 500.0

BIGTIFF_FROM = 100_000_000
"""Pixels from which on outputs are tiled TIFFs."""

_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a call. Raises UsageError for numbers that nothing can be done with."""

    memory: int | None = None
    """Bytes; None: `MEMORY`, and a file that must be decoded as a whole is, whatever that takes."""
    megapixels: float = MEGAPIXELS
    """Millions of pixels that an image may have."""

    def __post_init__(self) -> None:
        if self.memory is not None and self.memory < LEAST_MEMORY:
            raise UsageError(f"max_memory {self.memory}: is too little. Give {LEAST_MEMORY // 10**6}MB or more.")
        if not 0 < self.megapixels <= 100_000:  # NaN is neither
            raise UsageError(f"max_megapixels {self.megapixels:g}: is not above 0 and at most 100000.")

    @classmethod
    def of(cls, max_memory: int | str | None, max_megapixels: float) -> Limits:
        """In the words of `foveate.segment`."""
        return cls(bytes_in(max_memory) if isinstance(max_memory, str) else max_memory, max_megapixels)

    @property
    def pixels(self) -> int:
        """That an image may have."""
        return round(self.megapixels * 10**6)

    @property
    def for_arrays(self) -> int:
        """Bytes beside `BASE`."""
        return (self.memory or MEMORY) - BASE

    @property
    def whole_pixels(self) -> int:
        """Up to so many an image is held as a whole."""
        return min(BIGTIFF_FROM, self.for_arrays // WHOLE_BYTES)

    @property
    def decoded_pixels(self) -> int | None:
        """Up to so many a file may be decoded as a whole; None: as many as any is."""
        return None if self.memory is None else self.for_arrays // DECODED_BYTES

    def rows_of(self, width: int, planes: int) -> int:
        """How many rows of an image are worked on together, with `planes` probabilities for each pixel."""
        return max(16, min(512, self.for_arrays // (4 * width * (16 * planes + 40))))


def bytes_in(text: str) -> int:
    """Of a size such as '1500MB', '2GB', '1.5GiB'. Raises UsageError for one that isn't."""
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([kmg]i?b)?\s*", text, re.IGNORECASE)
    if match is None:
        raise UsageError(f"max_memory '{text}': is no size. Give bytes, or a number with MB or GB, such as 1500MB.")
    return int(float(match[1]) * _UNITS[(match[2] or "").lower()])
