"""What lies around the eye in a fundus photograph: dark border, and what someone drew, stuck or printed onto it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.components import label, sizes
from foveate.records import Mask

BLACK = 24
"""Grey level under which a whole image counts as black, and over which a corner no longer counts as border when the
image has nothing brighter than three times that corner. The lightest border in STARE is 18, its noise 43."""

FULL, ENDED = 0.95, 0.85
"""A frame's lines are lit from end to end. The flat cut of a camera's disc is lit over some .65 of its line, so where
a frame lies on the cut itself, the share still falls from one to the other within a line that holds a bit of both."""

Box = tuple[slice, slice]
"""Rows and columns."""


def border_levels(small: NDArray[np.uint8]) -> list[float]:
    """Levels that may separate dark border from lit disc; none where the corners are not darker than the middle.

    A low level keeps a dim rim, a high one keeps out a noisy border; the circle that agrees best decides.
    """
    height, width = small.shape
    k = max(2, round(0.03 * min(height, width)))
    corners = np.stack([small[:k, :k], small[:k, -k:], small[-k:, :k], small[-k:, -k:]]).astype(np.float32)
    dark = _median(corners)
    return _levels(dark, middle_of(small), noise=_median(np.abs(corners - dark)))


def levels_of_darkest(small: NDArray[np.uint8]) -> list[float]:
    """The same by the image's darkest pixels, wherever they lie; its corners may have marks on them."""
    return _levels(float(np.percentile(small, 0.5)), middle_of(small), noise=0.0)


def _levels(dark: float, middle: float, *, noise: float) -> list[float]:
    if dark > BLACK and dark * 3 > middle:
        return []
    return [dark + max(6 * noise, share * (middle - dark), 4.0) for share in (0.12, 0.2, 0.3, 0.4)]


def middle_of(small: NDArray[np.uint8]) -> float:
    """The median grey level of the image's middle."""
    rows, columns = (slice(side // 4, side - side // 4) for side in small.shape)
    # Of so many pixels it is quicker to count the levels than to order them.
    upto = np.bincount(small[rows, columns].ravel(), minlength=256).cumsum()
    lower, upper = upto.searchsorted(((upto[-1] + 1) // 2, upto[-1] // 2 + 1))
    return (float(lower) + float(upper)) / 2


def _median(values: NDArray[np.float32]) -> float:
    """The middle value; `np.median` would first import masked arrays, which takes longer than the whole search."""
    lower, upper = (values.size - 1) // 2, values.size // 2
    ordered = np.partition(values, (lower, upper), axis=None)
    return (float(ordered[lower]) + float(ordered[upper])) / 2


def inside_frame(lit: Mask) -> Box:
    """The part of a mask of lit pixels (H×W) that bright bars and frames at the picture's edge leave free.

    A bar is a run of lines lit from end to end that lies in an outer third and ends there; a picture that is lit to
    its edges has no such end.
    """
    rows, columns = shares_lit(lit, 1), shares_lit(lit, 0)
    return _between_bars(rows), _between_bars(columns)


def shares_lit(lit: Mask, axis: int) -> NDArray[np.float64]:
    """The share of lit pixels along an axis of a mask (H×W)."""
    shares: NDArray[np.float64] = counts_lit(lit, axis) / lit.shape[axis]
    return shares


def counts_lit(lit: Mask, axis: int) -> NDArray[np.uint32]:
    """The number of lit pixels along an axis of a mask (H×W)."""
    # As numbers of 8 bits: truth values would be summed up one by one.
    counts: NDArray[np.uint32] = lit.view(np.uint8).sum(axis=axis, dtype=np.uint32)
    return counts


def _between_bars(shares: NDArray[np.float64]) -> slice:
    count = len(shares)
    return slice(_bar(shares), count - _bar(shares[::-1]))


def _bar(shares: NDArray[np.float64]) -> int:
    """How many of the first lines a bar takes up, with what lies outside it; 0 where there is none."""
    full = np.flatnonzero(shares[: len(shares) // 3] >= FULL)
    if not full.size:
        return 0
    ended = np.flatnonzero(shares[full[0] : len(shares) // 3 + 2] < ENDED)
    if not ended.size:
        return 0
    end = int(full[0] + ended[0])
    last = int(full[full < end][-1])
    return last + 1 if end - last <= 2 else 0


def large_pieces(mask: Mask) -> Mask:
    """The connected components of a mask (H×W) that have at least half the largest one's area."""
    labels, count = label(mask)
    areas = sizes(labels, count)
    areas[0] = 0
    large: Mask = (areas >= max(1.0, areas.max() / 2))[labels]
    return large


def not_outside(lit: Mask) -> Mask:
    """A mask of lit pixels (H×W) with the small dark pieces within it, such as vessels and spots, but not the border.

    A dark piece is border where it takes up a thousandth of the picture and reaches its edge, or a fiftieth wherever it
    lies, as within a drawn frame. Lit specks, below a hundredth of the largest lit piece, are print on the border.
    """
    labels, count = label(~lit, 4)
    areas = sizes(labels, count)
    at_edge = np.zeros(count + 1, bool)
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        at_edge[line] = True
    border = at_edge & (areas >= lit.size / 1000) | (areas >= lit.size / 50)
    border[0] = False
    pieces, number = label(~border[labels])
    areas = sizes(pieces, number)
    areas[0] = 0
    inside: Mask = (areas >= max(1.0, areas.max() / 100))[pieces]
    return inside
