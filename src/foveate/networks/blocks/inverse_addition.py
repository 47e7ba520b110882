"""Inverse addition attention (paper 003, eqs. 6 and 7).

Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

from torch import Tensor, nn

from foveate.networks.blocks.attention_map import AttentionMap
from foveate.networks.blocks.sampling import resize


class InverseAdditionAttention(nn.Module):
    """Features ⊙ (1 − σ(map)) + map; (B, C, H, W) and (B, 1, any, any) to (B, C, H, W).

    Where the map is sure of a vessel the features make way for it; elsewhere they speak and the map adds to them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.map = AttentionMap()

    def forward(self, features: Tensor, region_map: Tensor) -> Tensor:
        """Refine: `region_map` holds logits and is resized to the features."""
        resized = resize(region_map, like=features)  # (B, 1, H, W)
        elsewhere: Tensor = self.map(-resized)  # 1 − σ(x) = σ(−x)
        return features * elsewhere + resized
