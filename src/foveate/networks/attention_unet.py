"""Attention U-Net (Oktay et al., MIDL 2018); "eq." below means that paper.

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. A U-Net whose skips pass an
additive gate: what comes from below decides where the encoder's map is let through.

Axes: B images, C channels, H rows, W columns; level l has widths[l] channels at 1/2**l of the size.

Deviation: 2-D, and padded convolutions, as in this package's `unet`, which this network equals where every α is 1.
Deviation: the gate works at the skip's size on the up-sampled signal; the paper strides the skip down to the signal
    and brings α up. So nothing is lost of thin structures, at four times the gate's (small) cost.
Deviation: every skip has a gate; the paper leaves the finest without one.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from foveate.networks.blocks.additive_gate import AdditiveGate
from foveate.networks.blocks.convolution import Convolutions, double
from foveate.networks.blocks.sampling import descend, resize


class AttentionUNet(nn.Module):
    """The network of the paper's figure 1."""

    def __init__(
        self, *, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(Convolutions(a, b) for a, b in pairwise((in_channels, *widths)))
        levels = list(reversed(list(enumerate(pairwise(widths)))))  # (3, (C3, C4)), (2, (C2, C3)), …
        self.up = nn.ModuleList(double(b, a) for _, (a, b) in levels)
        self.gate = nn.ModuleDict(
            {f"level{level}": AdditiveGate(features=a, signal=a, hidden=max(1, a // 2)) for level, (a, _) in levels}
        )
        self.decoder = nn.ModuleList(Convolutions(2 * a, a) for _, (a, _) in levels)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        *skips, x = descend(self.encoder, image)  # (B, widths[level], H/2**level, W/2**level)
        steps = zip(self.up, self.gate.values(), self.decoder, reversed(skips), strict=True)
        for up, gate, block, skip in steps:
            signal = resize(up(x), like=skip)  # (B, widths[level], size of the skip)
            x = block(torch.cat((gate(skip, signal), signal), dim=1))  # eqs. 1 and 2 in the gate
        logits: Tensor = self.head(x)
        return logits
