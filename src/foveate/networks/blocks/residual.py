"""Residual blocks and stages of them (He et al., Deep Residual Learning, CVPR 2016, eqs. 1 and 2, figure 5).

Names are those of the common ImageNet checkpoints. Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: (B, in, H, W) to (B, channels, H/stride, W/stride)."""

    expansion = 1

    def __init__(self, in_channels: int, channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _projection(in_channels, channels, stride)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """ReLU(F(x) + x)."""
        shortcut = x if self.downsample is None else self.downsample(_every(self.stride, x))
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)) + shortcut)


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions beside a shortcut: (B, in, H, W) to (B, 4 channels, H/stride, W/stride).

    Deviation: the 3x3 convolution has the stride, as in the common checkpoints, where the paper strides the first 1x1.
    """

    expansion = 4

    def __init__(self, in_channels: int, channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, channels * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels * self.expansion)
        self.downsample = _projection(in_channels, channels * self.expansion, stride)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """ReLU(F(x) + x)."""
        shortcut = x if self.downsample is None else self.downsample(_every(self.stride, x))
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.relu(self.bn3(self.conv3(x)) + shortcut)


def residual_stage(
    block: type[BasicBlock] | type[Bottleneck], in_channels: int, channels: int, *, depth: int, stride: int
) -> nn.Sequential:
    """`depth` blocks in a row, the first of which strides: (B, in, H, W) to (B, channels · expansion, H/stride, …)."""
    blocks = [block(in_channels, channels, stride=stride)]
    blocks += [block(channels * block.expansion, channels) for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


def _every(stride: int, x: Tensor) -> Tensor:
    """Every second position, say: (B, C, H, W) to (B, C, ⌈H/stride⌉, ⌈W/stride⌉).

    As pooling, since slices trouble torch.export (guards on sizes) and ONNX Runtime 1.31 (wrong shapes after a Slice).
    """
    return x if stride == 1 else F.avg_pool2d(x, kernel_size=1, stride=stride)


def _projection(in_channels: int, out_channels: int, stride: int) -> nn.Sequential | None:
    """W_s of eq. 2, where the shortcut must change its size or channels.

    The caller leaves out the positions that a stride would: the backward pass of a strided 1x1 convolution of fewer
    than 16 channels, channels last, writes outside its memory on a CPU (PyTorch 2.13).
    """
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))
