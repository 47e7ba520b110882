"""What chance makes of a case: where a crop lies and how it is turned, and what becomes of its colours.

Axes: B images, C channels, H rows, W columns. Points are (column, row) in pixels; pixel i reaches from i to i + 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi, sin, tan

import kornia
import torch
from torch import Tensor

from foveate.recipes.schema import AugmentationSection
from foveate.training.data.resampling import Placement


def draw_placement(
    case: Tensor, side: int, augmentation: AugmentationSection, generator: torch.Generator, channels: int = 3
) -> Placement:
    """A crop of S×S pixels anywhere on the case, or about a vessel: turned, mirrored, scaled, shifted and sheared.

    The case is (C + K + 1)×H×W, as in `samples.py`; `channels` is C.

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
