"""Spatial and channel attention side by side (paper 001, section 3.2; after Woo et al., CBAM, ECCV 2018).

Axes: B images, C channels, H rows, W columns.

Deviation from CBAM, as printed in paper 001: the two poolings over channels are added, not stacked, before the
    convolution; the two poolings over positions are stacked (‖) before the layers, not added after them.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from foveate.networks.blocks.attention_map import AttentionMap


class SpatialAttention(nn.Module):
    """S = σ(Conv7x7(MaxPool_c(F) + AvgPool_c(F))): (B, C, H, W) to (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Conv2d(1, 1, kernel_size=7, padding=3)
        self.map = AttentionMap()

    def forward(self, features: Tensor) -> Tensor:
        """The weight of each position."""
        pooled = features.amax(dim=1, keepdim=True) + features.mean(dim=1, keepdim=True)  # (B, 1, H, W)
        weights: Tensor = self.map(self.score(pooled))
        return weights


class ChannelAttention(nn.Module):
    """C = gate(W1 ReLU(W0 [MaxPool(F) ‖ AvgPool(F)])): (B, C, H, W) to (B, C, 1, 1); W0 has C / `reduction` rows."""

    def __init__(self, channels: int, *, reduction: int = 16, gate: Literal["sigmoid", "softmax"] = "sigmoid") -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.Conv2d(2 * channels, hidden, kernel_size=1, bias=False)  # W0
        self.expand = nn.Conv2d(hidden, channels, kernel_size=1, bias=False)  # W1
        self.map = AttentionMap(gate)

    def forward(self, features: Tensor) -> Tensor:
        """The weight of each channel."""
        peak, mean = features.amax(dim=(2, 3), keepdim=True), features.mean(dim=(2, 3), keepdim=True)
        pooled = torch.cat((peak, mean), dim=1)  # (B, 2C, 1, 1)
        weights: Tensor = self.map(self.expand(torch.relu(self.squeeze(pooled))))
        return weights


def fuse(features: Tensor, by_position: Tensor, by_channel: Tensor, *, fusion: Literal["sum", "product"]) -> Tensor:
    """F·S + F·C where `fusion` is "sum" (section 3.2), F·S·C where it is "product" (algorithm 1): (B, C, H, W)."""
    if fusion == "product":
        return features * by_position * by_channel
    return features * by_position + features * by_channel
