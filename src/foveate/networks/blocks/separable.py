"""Depthwise-separable convolutions (Chollet, Xception, CVPR 2017).

Axes: B images, C channels, H rows, W columns.
"""

from itertools import pairwise

from torch import nn


class SeparableConv(nn.Sequential):
    """Depthwise 3x3, pointwise 1x1, batch norm, ReLU: (B, in, H, W) to (B, out, H, W).

    Neither convolution has a bias: batch norm would take it out again.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )


class SeparableBlock(nn.Sequential):
    """`depth` separable convolutions in a row, the first of which changes the channel count."""

    def __init__(self, in_channels: int, out_channels: int, *, depth: int = 2) -> None:
        channels = (in_channels, *[out_channels] * depth)
        super().__init__(*(SeparableConv(a, b) for a, b in pairwise(channels)))
