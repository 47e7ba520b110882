"""U-Net (Ronneberger, Fischer, Brox, MICCAI 2015).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. Level l has widths[l] channels
at 1/2**l of the size; an encoder goes down by max-pooling, a decoder up by transposed convolutions, and each level of
the decoder reads the encoder's map of its size beside the one from below.

Axes: B images, C channels, H rows, W columns.

Deviation: padded convolutions, so that skip and signal meet at one size and the logits have the image's.
Deviation: batch norm after every convolution, as in most U-Nets since, and no dropout at the deepest level.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from foveate.networks.blocks.convolution import Convolutions, double
from foveate.networks.blocks.sampling import descend, resize


class UNet(nn.Module):
    """The network of the paper's figure 1; its widths are the default."""

    def __init__(
        self, *, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(Convolutions(a, b) for a, b in pairwise((in_channels, *widths)))
        steps = list(pairwise(reversed(widths)))  # (C4, C3), (C3, C2), …
        self.up = nn.ModuleList(double(a, b) for a, b in steps)
        self.decoder = nn.ModuleList(Convolutions(2 * b, b) for _, b in steps)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        *skips, x = descend(self.encoder, image)  # (B, widths[level], H/2**level, W/2**level)
        for up, block, skip in zip(self.up, self.decoder, reversed(skips), strict=True):
            x = block(torch.cat((skip, resize(up(x), like=skip)), dim=1))  # (B, widths[level], size of the skip)
        logits: Tensor = self.head(x)
        return logits
