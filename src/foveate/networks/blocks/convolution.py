"""Plain convolutions, as in U-Net (Ronneberger et al., MICCAI 2015), padded so that sizes stay.

Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn


class Convolutions(nn.Sequential):
    """`depth` times 3x3 convolution, batch norm, ReLU: (B, in, H, W) to (B, out, H, W).

    With `norm` off there is no batch norm, and the convolutions have a bias instead.
    """

    def __init__(self, in_channels: int, out_channels: int, *, depth: int = 2, norm: bool = True) -> None:
        layers: list[nn.Module] = []
        for a, b in pairwise((in_channels, *[out_channels] * depth)):
            layers.append(nn.Conv2d(a, b, kernel_size=3, padding=1, bias=not norm))
            if norm:
                layers.append(nn.BatchNorm2d(b))
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


def double(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """Up-sampling by a learned 2x2 transposed convolution: (B, in, H, W) to (B, out, 2H, 2W)."""
    return nn.ConvTranspose2d(in_channels, out_channels, kernel_size=2, stride=2)


def he_normal(network: nn.Module) -> None:
    """Draw every convolution's weights for ReLU (He et al., ICCV 2015, eq. 10), biases 0; in place.

    Without batch norm PyTorch's own first weights let a signal's strength fade by a factor of about √6 a layer.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            read = module.in_channels * math.prod(module.kernel_size) / module.groups  # by one output
            if isinstance(module, nn.ConvTranspose2d):
                read /= math.prod(module.stride)
            nn.init.normal_(module.weight, std=math.sqrt(2 / read))
            if module.bias is not None:
                nn.init.zeros_(module.bias)
