"""Additive attention gate (Oktay et al., Attention U-Net, MIDL 2018, eqs. 1 and 2).

Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from foveate.networks.blocks.attention_map import AttentionMap


class AdditiveGate(nn.Module):
    """α = σ(ψ ReLU(W_x x + W_g g + b_g) + b_ψ), x̂ = α x: one α per position, the same for every channel.

    Deviation: features and signal come at one size (the caller brings the signal up), so nothing is resampled inside.
    """

    def __init__(self, *, features: int, signal: int, hidden: int) -> None:
        super().__init__()
        self.of_features = nn.Conv2d(features, hidden, kernel_size=1, bias=False)
        self.of_signal = nn.Conv2d(signal, hidden, kernel_size=1)
        self.score = nn.Conv2d(hidden, 1, kernel_size=1)
        self.map = AttentionMap()

    def forward(self, features: Tensor, signal: Tensor) -> Tensor:
        """Features (B, features, H, W), weighted by what they and the signal (B, signal, H, W) say together."""
        joint = torch.relu(self.of_features(features) + self.of_signal(signal))  # (B, hidden, H, W)
        alpha: Tensor = self.map(self.score(joint))  # (B, 1, H, W)
        return alpha * features
