"""Self-attention over positions (paper 002, section 7.1; after Vaswani et al., NeurIPS 2017).

Axes: B images, C channels, H rows, W columns, N = H·W positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SelfAttention(nn.Module):
    """x_att = softmax(x_q x_kᵀ) x_v, unscaled as printed: (B, C, H, W) to (B, C, H, W).

    Queries and keys have C / 8 channels, values C. Keys have no bias: it would add the same to all scores of a
    query, and softmax takes that out again. PyTorch's fused kernel never holds the N x N scores; an exported graph
    does, as ONNX has no such operator: 1 GiB in float32 for 128x128 positions.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = max(1, channels // 8)
        self.query = nn.Conv2d(channels, narrow, kernel_size=1)
        self.key = nn.Conv2d(channels, narrow, kernel_size=1, bias=False)
        self.value = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """Every position becomes the mean of all values, weighted by how well its query fits their keys.

        In float32 also where the layers around it are in half precision: in that the unscaled scores would be off by so
        much that softmax makes several percent of it.
        """
        if torch.amp.is_autocast_available(x.device.type) and torch.is_autocast_enabled(x.device.type):
            with torch.autocast(x.device.type, enabled=False):
                return self._attended(x.float())
        return self._attended(x)

    def _attended(self, x: Tensor) -> Tensor:
        query, key, value = (_positions(layer(x)) for layer in (self.query, self.key, self.value))
        # The CPU's fused kernel wants one width for all three, and channels side by side in memory (see below);
        # zeros add nothing to a product.
        missing = value.shape[-1] - query.shape[-1]
        attended = F.scaled_dot_product_attention(
            F.pad(query, (0, missing)), F.pad(key, (0, missing)), value, scale=1.0
        )  # (B, 1, N, C)
        return attended.squeeze(1).transpose(1, 2).reshape(x.shape)


def _positions(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, 1, N, C): one head."""
    return x.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()
