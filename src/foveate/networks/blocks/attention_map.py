"""The last step of every attention: scores to weights. `record_attention` looks for this class."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn


class AttentionMap(nn.Module):
    """Scores (B, C, H, W) to weights of the same shape: σ, each in 0…1, or softmax over channels, which sum to 1."""

    def __init__(self, kind: Literal["sigmoid", "softmax"] = "sigmoid") -> None:
        super().__init__()
        self.kind = kind

    def forward(self, scores: Tensor) -> Tensor:
        """Weights."""
        return torch.softmax(scores, dim=1) if self.kind == "softmax" else torch.sigmoid(scores)
