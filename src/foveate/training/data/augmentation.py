"""From cases to augmented crops: chance places and turns each, one resampling makes all, chance changes their colours.

A crop is made from a window that holds no more than it needs of its case.

Axes: B crops, C channels, P planes (all that a case has), H rows, W columns. Points are (column, row) in pixels; pixel
i reaches from i to i + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, floor, pi, sin, tan

import kornia
import torch
from torch import Tensor
from torch.nn import functional as F

from foveate.recipes.schema import AugmentationSection


def draw_placement(
    case: Tensor, side: int, augmentation: AugmentationSection, generator: torch.Generator, channels: int = 3
) -> Placement:
    """A crop of S×S pixels anywhere on the case, or about a vessel: turned, mirrored, scaled, shifted and sheared.

    The case is (C + K + 1)×H×W, as in `sampling.py`; `channels` is C.

    What a recipe switches off takes no number from `generator`, except for the five that every crop takes.
    """
    angle, stretch, across, down, mirror = _signed(5, generator)
    turn = angle * augmentation.rotation * pi / 180
    zoom = 2.718281828459045 ** (-stretch * augmentation.scale)
    flip = -1.0 if augmentation.flip and mirror > 0 else 1.0
    upend = -1.0 if augmentation.flip_vertical and _signed(1, generator)[0] > 0 else 1.0
    slant = tan(_signed(1, generator)[0] * augmentation.shear * pi / 180) if augmentation.shear else 0.0
    vessel = _vessel_pixel(case, channels, generator) if augmentation.place == "vessel" else None
    x, y = _place(case, side, (across, down), vessel, augmentation)
    if augmentation.shift:
        right, lower = _signed(2, generator)
        x, y = x + right * augmentation.shift * side, y + lower * augmentation.shift * side
    if augmentation.whole_pixels and _signed(1, generator)[0] < 2 * augmentation.whole_pixels - 1:
        # A crop's side is even, so that its middle lies between pixels, as does a whole number of the case's.
        x, y = float(round(x)), float(round(y))
        turn, zoom, slant = round(turn / (pi / 2)) * (pi / 2), 1.0, 0.0
    # Sheared along the rows, then mirrored, then turned.
    (a, b), (c, d) = (flip * cos(turn) * zoom, -sin(turn) * zoom), (flip * sin(turn) * zoom, cos(turn) * zoom)
    return Placement((x, y), ((a, upend * b + slant * a), (c, upend * d + slant * c)))


def recolour(
    image: Tensor,
    augmentation: AugmentationSection,
    generator: torch.Generator,
    *,
    size: int | None = None,
    own: Sequence[int] | None = None,
) -> Tensor:
    """Gamma, contrast, colour balance, brightness and noise for a whole batch B×C×H×W, 0 to 1.

    Where the images are the `own` ones of `size`, they become what they would among all of these.
    """
    batch, channels = size or len(image), image.shape[1]
    mine = list(range(batch)) if own is None else list(own)

    def uniform(bound: float, *shape: int) -> Tensor:
        return ((2 * torch.rand(shape, generator=generator)[mine] - 1) * bound).to(image.device)

    image = kornia.enhance.adjust_gamma(image, uniform(augmentation.gamma, batch).exp())
    image = kornia.enhance.adjust_contrast_with_mean_subtraction(image, 1 + uniform(augmentation.contrast, batch))
    image = image * (1 + uniform(augmentation.colour, batch, channels, 1, 1))
    image = image + uniform(augmentation.brightness, batch, 1, 1, 1)
    if augmentation.noise:
        image = image + uniform(augmentation.noise, batch, 1, 1, 1) * _normal(image, batch, mine, generator)
    return image.clamp(0, 1)


def _normal(image: Tensor, size: int, own: Sequence[int], generator: torch.Generator) -> Tensor:
    """Normal noise of the image's shape, made where the image is: drawing it on the CPU would hold a GPU up."""
    there, noise = torch.Generator(image.device), torch.empty_like(image)
    seeds = torch.randint(2**62, (size,), generator=generator)[list(own)].tolist()
    for seed, into in zip(seeds, noise, strict=True):
        torch.randn(into.shape, generator=there.manual_seed(seed), out=into)
    return noise


def _signed(count: int, generator: torch.Generator) -> list[float]:
    """Uniform numbers from −1 to 1."""
    numbers: list[float] = (2 * torch.rand(count, generator=generator) - 1).tolist()
    return numbers


def _place(
    case: Tensor,
    side: int,
    chance: tuple[float, float],
    vessel: tuple[float, float] | None,
    augmentation: AugmentationSection,
) -> tuple[float, float]:
    """A crop's centre (column, row): about the vessel, else by `chance`, −1 to 1, anywhere on the image.

    Along an axis in which the crop holds all of the image, it is centred on it.
    """
    height, width = case.shape[1:]
    centre = []
    for axis, length in enumerate((width, height)):
        room = max(length - side, 0)
        beyond = augmentation.jitter * side
        if not augmentation.jitter_whole:
            beyond = min(beyond, room)
        if vessel and (room or augmentation.jitter_whole):
            centre.append(vessel[axis])
        else:
            centre.append(length / 2 + chance[axis] * (room / 2 + beyond))
    return centre[0], centre[1]


def _vessel_pixel(case: Tensor, channels: int, generator: torch.Generator) -> tuple[float, float] | None:
    """The middle of a pixel of any class inside the FOV, each as likely; None where the case has none."""
    pixels = torch.nonzero((case[channels:-1].amax(dim=0) > 127) & (case[-1] > 127))
    if not len(pixels):
        return None
    row, column = pixels[int(torch.randint(len(pixels), (1,), generator=generator))].tolist()
    return column + 0.5, row + 0.5


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
    windows = _windows([cases[index] for index in made], [boxes[index] for index in made], size, device.type == "cuda")
    maps = torch.tensor([_map(placements[index], boxes[index], side, size) for index in made])
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
