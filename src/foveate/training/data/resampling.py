"""The crops of a whole batch in one resampling, from windows that hold no more than they need of their cases.

Axes: B crops, P planes, H rows, W columns of a window. Points are (column, row) in pixels; pixel i reaches from i to
i + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import torch
from torch import Tensor
from torch.nn import functional as F

Box = tuple[slice, slice]
"""Rows and columns of a case."""

AT_ONCE = 2**20
"""Numbers that a CPU works on at once, 4 MB: with more than its caches hold, the same takes up to twice as long."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The affine map from a crop to its case: case = matrix · (crop − the crop's middle) + centre."""

    centre: tuple[float, float]
    matrix: tuple[tuple[float, float], tuple[float, float]]

    def footprint(self, side: int, height: int, width: int) -> Box:
        """The part of a case H×W on which a crop of S×S pixels depends; empty where it lies outside."""
        (a, b), (c, d) = self.matrix
        x, y = self.centre
        return _taps(y, (abs(c) + abs(d)) * (side - 1) / 2, height), _taps(x, (abs(a) + abs(b)) * (side - 1) / 2, width)


def _taps(centre: float, reach: float, length: int) -> slice:
    """The pixels that bilinear samples at centre ± reach are made of, with a hundredth of a pixel for rounding."""
    first = min(max(floor(centre - reach - 0.51), 0), length)
    return slice(first, max(min(floor(centre + reach - 0.49) + 2, length), first))


def resample(
    cases: Sequence[Tensor],
    placements: Sequence[Placement],
    side: int,
    device: torch.device,
    own: Sequence[int] | None = None,
) -> Tensor:
    """Crops B×P×S×S of as many cases P×H×W uint8 by a single bilinear resampling on `device`: 0 to 255, float32.

    It is black outside the images. The cases stay where they are; only the windows go to the device, as bytes.
    Where `own` numbers some crops, those are made, and bit by bit as they are among all.
    """
    boxes = [place.footprint(side, *case.shape[1:]) for case, place in zip(cases, placements, strict=True)]
    size = _largest(boxes)
    made = list(range(len(boxes)) if own is None else own)
    windows = _windows([cases[each] for each in made], [boxes[each] for each in made], size, device.type == "cuda")
    maps = torch.tensor([_map(placements[each], boxes[each], side, size) for each in made])
    windows, maps = windows.to(device, non_blocking=True), maps.to(device, non_blocking=True)
    if device.type != "cpu":
        return _sampled(windows, maps, side)
    planes, height, width = windows.shape[1:]
    numbers = planes * height * width + (planes + 2) * side * side
    # Below the number of threads some of them would have nothing to do.
    count = max(AT_ONCE // numbers, torch.get_num_threads())
    crops = torch.empty(len(windows), planes, side, side)
    for first in range(0, len(windows), count):
        some = slice(first, first + count)
        crops[some] = _sampled(windows[some], maps[some], side)
    return crops


def _largest(boxes: Sequence[Box]) -> tuple[int, int]:
    """Height and width of a window that holds each of them."""
    height = max(1, *(rows.stop - rows.start for rows, _ in boxes))
    width = max(1, *(columns.stop - columns.start for _, columns in boxes))
    return height, width


def _windows(cases: Sequence[Tensor], boxes: Sequence[Box], size: tuple[int, int], pinned: bool) -> Tensor:
    """B×P×H×W uint8: every case's box in the upper left corner of a window H×W, else 0."""
    windows = torch.empty(len(cases), len(cases[0]), *size, dtype=torch.uint8, pin_memory=pinned)
    for window, case, (rows, columns) in zip(windows, cases, boxes, strict=True):
        box = case[:, rows, columns]
        window[:, : box.shape[1], : box.shape[2]] = box
        window[:, box.shape[1] :] = 0
        window[:, : box.shape[1], box.shape[2] :] = 0
    return windows


def _map(place: Placement, box: Box, side: int, size: Sequence[int]) -> tuple[complex, complex, complex]:
    """The crop's two directions and its middle as `grid_sample` counts in a window of that size: −1 to 1."""
    height, width = size
    (a, b), (c, d) = place.matrix
    rows, columns = box
    x, y = place.centre[0] - columns.start, place.centre[1] - rows.start
    across, down = complex(a * side / width, c * side / height), complex(b * side / width, d * side / height)
    return across, down, complex(2 * x / width - 1, 2 * y / height - 1)


def _sampled(windows: Tensor, maps: Tensor, side: int) -> Tensor:
    # As complex numbers, column + i · row, the grid is a sum of a row and a column of points: a tenth of the time that
    # `affine_grid` takes, which multiplies a matrix for every pixel.
    across, down, middle = maps[:, :, None, None].unbind(dim=1)
    steps = (torch.arange(side, device=maps.device) + 0.5) * (2 / side) - 1
    grid = torch.view_as_real((down * steps[:, None] + middle) + across * steps)
    return F.grid_sample(windows.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
