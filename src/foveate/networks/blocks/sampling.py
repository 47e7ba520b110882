"""Down and up by two, for any height and width: the signal meets the skip, the skip is never cropped.

Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def halve(x: Tensor) -> Tensor:
    """2x2 max-pooling, (B, C, H, W) to (B, C, ⌈H/2⌉, ⌈W/2⌉): the last row and column of an odd size are kept."""
    return F.max_pool2d(x, kernel_size=2, ceil_mode=True)


def descend(levels: Iterable[nn.Module], image: Tensor) -> list[Tensor]:
    """The map of each level of an encoder, with a halving before every level but the first: (B, C_l, H/2**l, …)."""
    maps: list[Tensor] = []
    for level in levels:
        maps.append(level(halve(maps[-1]) if maps else image))
    return maps


def resize(x: Tensor, *, like: Tensor) -> Tensor:
    """Bilinear, to the height and width of `like`; untouched where it has them."""
    if not torch.compiler.is_exporting() and x.shape[-2:] == like.shape[-2:]:
        return x
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)
