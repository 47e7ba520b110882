"""SegNet (Badrinarayanan, Kendall, Cipolla, TPAMI 2017).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. Every pooling remembers which
pixel of its 2x2 window was the largest, and the decoder puts its values back to just those places. No features cross.

Axes: B images, C channels, H rows, W columns; level l has widths[l] channels, and two convolutions (the first two
levels) or three (the others), as VGG-16 has.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foveate.networks.blocks.convolution import Convolutions


class SegNet(nn.Module):
    """The network of the paper's figure 2; its widths, VGG-16's, are the default."""

    def __init__(
        self, *, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...] = (64, 128, 256, 512, 512)
    ) -> None:
        super().__init__()
        depths = [2 if level < 2 else 3 for level in range(len(widths))]
        steps = list(zip(pairwise((in_channels, *widths)), depths, strict=True))
        self.encoder = nn.ModuleList(Convolutions(a, b, depth=depth) for (a, b), depth in steps)
        # A level's last convolution has the channels of the level above; the finest ends in the head instead.
        self.decoder = nn.ModuleList(
            nn.Sequential(Convolutions(b, b, depth=depth - 1), Convolutions(b, a, depth=1))
            for (a, b), depth in reversed(steps[1:])
        )
        self.finest = Convolutions(widths[0], widths[0], depth=depths[0] - 1)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        x, pooled = image, []
        for block in self.encoder:
            x = block(x)  # (B, widths[level], H/2**level, W/2**level)
            size = x.shape
            x, places = pool(x)
            pooled.append((places, size))
        for block, (places, size) in zip((*self.decoder, self.finest), reversed(pooled), strict=True):
            x = block(unpool(x, places, size))
        logits: Tensor = self.head(x)
        return logits


def pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """2x2 max-pooling and where each maximum lay: (B, C, H, W) to (B, C, ⌈H/2⌉, ⌈W/2⌉) and indices into H·W."""
    return F.max_pool2d(x, kernel_size=2, ceil_mode=True, return_indices=True)


def unpool(x: Tensor, places: Tensor, size: torch.Size) -> Tensor:
    """Put every value back to its place; the rest is 0: (B, C, ⌈H/2⌉, ⌈W/2⌉) to `size`, (B, C, H, W)."""
    empty = x.new_zeros(*size[:2], size[2] * size[3])
    return empty.scatter(2, places.flatten(2), x.flatten(2)).reshape(size)
