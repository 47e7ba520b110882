"""Which of a grey image's levels are shown from black to white: one window for all images of a series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pydicom import Dataset

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
"""VOI LUT functions (PS3.3, C.11.2.1.3)."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window over levels after the modality transform, or a table in its place."""

    centre: float = 0.0
    width: float = 1.0
    function: str = "LINEAR"
    table: tuple[int, ...] = ()
    """Descriptor of a VOI LUT (entries, first level, bits) and what it holds; empty for a window."""

    @property
    def ends(self) -> tuple[float, float]:
        """The levels that are black and white."""
        if self.table:
            return float(self.table[1]), float(self.table[1] + (self.table[0] or 1 << 16) - 1)
        exact = self.function != "LINEAR"
        centre, half = (self.centre, self.width / 2) if exact else (self.centre - 0.5, (self.width - 1) / 2)
        return centre - half, centre + half

    @classmethod
    def between(cls, low: float, high: float) -> Window:
        """From black at `low` to white at `high`; one level further where they are the same."""
        return cls((low + high) / 2, high - low, "LINEAR_EXACT") if high > low else cls(low + 0.5, 1.0, "LINEAR_EXACT")


def windows_of(dataset: Dataset) -> tuple[Window, ...]:
    """Those that a file gives for its frames, each once, in order: the first of several views, a table before a window.

    Raises ValueError or TypeError for what is none.
    """
    found = [window for item in _voi_modules(dataset) if (window := _window(item)) is not None]
    return tuple(dict.fromkeys(found))


def one_window(windows: Iterable[Window]) -> tuple[Window | None, tuple[str, ...]]:
    """One for all, and a note where they differ: then it reaches from the lowest end of any to the highest.

    None where there is none: then the levels that occur in the series decide.
    """
    different = list(dict.fromkeys(windows))
    if len(different) < 2:
        return (different[0] if different else None), ()
    lows, highs = zip(*(window.ends for window in different), strict=True)
    note = f"its series gives {len(different)} windows: shown from {min(lows):g} to {max(highs):g} in all its images"
    return Window.between(min(lows), max(highs)), (note,)


def frame_module(dataset: Dataset, frame: int, keyword: str) -> Dataset | None:
    """The item of a functional group's sequence that holds for a frame: its own, or that of all; None for none."""
    own = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())[frame : frame + 1]
    for group in (*own, *(dataset.get("SharedFunctionalGroupsSequence") or ())):
        for item in group.get(keyword) or ():
            return _dataset(item)
    return None


def _voi_modules(dataset: Dataset) -> list[Dataset]:
    groups = [
        *(dataset.get("PerFrameFunctionalGroupsSequence") or ()),
        *(dataset.get("SharedFunctionalGroupsSequence") or ()),
    ]
    return [dataset, *(_dataset(item) for group in groups for item in group.get("FrameVOILUTSequence") or ())]


def _dataset(item: Any) -> Dataset:
    found: Dataset = item
    return found


def _window(item: Dataset) -> Window | None:
    for lut in item.get("VOILUTSequence") or ():
        entries = lut.LUTData
        numbers = entries if not isinstance(entries, bytes) else _words(entries, item)
        return Window(table=(*(int(number) for number in lut.LUTDescriptor), *(int(number) for number in numbers)))
    centre, width = _first(item.get("WindowCenter")), _first(item.get("WindowWidth"))
    if centre is None or width is None:
        return None
    function = str(item.get("VOILUTFunction") or "LINEAR").strip().upper()
    least = 1.0 if function == "LINEAR" else 0.0
    # Wrong by the standard, and met: such a file is shown by what occurs in its series.
    if function not in FUNCTIONS or not least <= width < float("inf") or not abs(centre) < float("inf") or not width:
        return None
    return Window(centre, width, function)


def _words(packed: bytes, item: Dataset) -> Sequence[int]:
    order: Literal["little", "big"] = "big" if item.original_encoding[1] is False else "little"
    return [int.from_bytes(packed[place : place + 2], order) for place in range(0, len(packed) - 1, 2)]


def _first(value: Any) -> float | None:
    """Of several views the first."""
    if value is None or value == "":
        return None
    return float(value) if isinstance(value, (int, float, str)) else float(value[0])
