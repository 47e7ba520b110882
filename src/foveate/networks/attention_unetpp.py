"""Attention U-Net++ with a residual encoder (paper 000).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. A nested U-Net++ whose skips
pass additive gates, on an encoder after ResNet-34; the narrow widths are the paper's.

Axes: B images, C channels, H rows, W columns; level i has widths[i] channels at 1/2**i of the size.

Our reading, where the text says no more than "Attention Gates in each decoder block" and "ResNet-34 as a basis":
    X[i,j] = block([gated X[i,0], …, gated X[i,j−1], up(X[i+1,j−1])]), one gate per skip, all with the signal
    up(X[i+1,j−1]); the residual encoder has a full-resolution residual block at level 0, then basic-block stages of
    ResNet-34's depths 3, 4, 6, 3, the first block of each with stride 2. No ImageNet weights fit these widths.
Deviation: `deep_supervision` is not in the paper; it is U-Net++'s own (Zhou et al. 2018), off by default.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from foveate.networks.blocks.convolution import Convolutions
from foveate.networks.blocks.nested_decoder import NestedDecoder
from foveate.networks.blocks.residual import BasicBlock, residual_stage
from foveate.networks.blocks.sampling import descend

RESNET34_DEPTHS = (3, 4, 6, 3)


class AttentionUNetPlusPlus(nn.Module):
    """'Attention U-Net with ResNet' of the paper's table 1; with the plain encoder its 'Attention U-Net'."""

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 1,
        widths: tuple[int, int, int, int, int] = (8, 16, 32, 64, 128),
        encoder: Literal["residual", "plain"] = "residual",
        gates: bool = True,
        deep_supervision: bool = False,
    ) -> None:
        super().__init__()
        steps = pairwise((in_channels, *widths))
        if encoder == "plain":
            self.encoder = nn.ModuleList(Convolutions(a, b) for a, b in steps)
        else:
            self.encoder = nn.ModuleList(
                residual_stage(BasicBlock, a, b, depth=depth, stride=2 if level else 1)
                for level, ((a, b), depth) in enumerate(zip(steps, (1, *RESNET34_DEPTHS), strict=True))
            )
        self.pools = encoder == "plain"
        self.decoder = NestedDecoder(widths, gated=gates)
        heads = len(widths) - 1 if deep_supervision else 1
        self.heads = nn.ModuleList(nn.Conv2d(widths[0], classes, kernel_size=1) for _ in range(heads))

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W); with deep supervision the mean of all heads'."""
        return self.forward_all(image)[0]

    def forward_all(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits, then with deep supervision those of the heads on X[0,1] … X[0,4], all (B, classes, H, W)."""
        encoded = self._encode(image)  # X[level,0]: (B, widths[level], H/2**level, W/2**level)
        nodes = self.decoder(encoded)[-len(self.heads) :]  # each (B, widths[0], H, W)
        logits = [head(node) for head, node in zip(self.heads, nodes, strict=True)]
        if len(logits) == 1:
            return (logits[0],)
        return (torch.stack(logits).mean(dim=0), *logits)

    def _encode(self, image: Tensor) -> list[Tensor]:
        if self.pools:
            return descend(self.encoder, image)
        maps = [image]
        for stage in self.encoder:
            maps.append(stage(maps[-1]))
        return maps[1:]
