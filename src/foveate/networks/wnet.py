"""W-Net (Galdran et al., State-of-the-art retinal vessel segmentation with minimalistic models, Sci. Rep. 2022).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. Two small U-Nets in a row:
the second sees the image and what the first made of it. Blocks have a shortcut, skips a convolution of their own.

Axes: B images, C channels, H rows, W columns; level l has widths[l] channels at 1/2**l of the size.

Checked against the authors' counts: 68 482 parameters in all, 34 201 in the first U-Net.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from foveate.networks.blocks.convolution import double
from foveate.networks.blocks.sampling import descend, resize


class ShortcutBlock(nn.Module):
    """Two times 3x3 convolution, ReLU, batch norm, beside a 1x1 shortcut: (B, in, H, W) to (B, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            _convolution(in_channels, out_channels), _convolution(out_channels, out_channels)
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=False), nn.BatchNorm2d(out_channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """F(x) + shortcut(x)."""
        both: Tensor = self.convolutions(x) + self.shortcut(x)
        return both


class BridgedUNet(nn.Module):
    """One of the two U-Nets."""

    def __init__(self, in_channels: int, classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(ShortcutBlock(a, b) for a, b in pairwise((in_channels, *widths)))
        steps = list(pairwise(reversed(widths)))
        self.up = nn.ModuleList(double(a, b) for a, b in steps)
        self.bridge = nn.ModuleList(_convolution(b, b) for _, b in steps)
        self.decoder = nn.ModuleList(ShortcutBlock(2 * b, b) for _, b in steps)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        *skips, x = descend(self.encoder, image)  # (B, widths[level], H/2**level, W/2**level)
        steps = zip(self.up, self.bridge, self.decoder, reversed(skips), strict=True)
        for up, bridge, block, skip in steps:
            x = block(torch.cat((bridge(skip), resize(up(x), like=skip)), dim=1))
        logits: Tensor = self.head(x)
        return logits


class WNet(nn.Module):
    """The network of the paper's figure 2; its widths are the default."""

    def __init__(self, *, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...] = (8, 16, 32)) -> None:
        super().__init__()
        self.first = BridgedUNet(in_channels, classes, widths)
        self.second = BridgedUNet(in_channels + classes, classes, widths)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W), the second U-Net's."""
        return self.forward_all(image)[0]

    def forward_all(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, then the first U-Net's: a loss on both trains it (section "W-Net")."""
        coarse = self.first(image)
        return self.second(torch.cat((image, coarse), dim=1)), coarse


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1), nn.ReLU(), nn.BatchNorm2d(out_channels)
    )
