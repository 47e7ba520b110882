"""The nested decoder of U-Net++ (Zhou et al., UNet++, DLMIA 2018, eq. 1), plain or with attention gates.

Node X[i,j] is at level i (1/2**i of the image's size, widths[i] channels), j steps to the right of the encoder's
X[i,0]. Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from foveate.networks.blocks.additive_gate import AdditiveGate
from foveate.networks.blocks.convolution import Convolutions, double
from foveate.networks.blocks.sampling import resize


class NestedDecoder(nn.Module):
    """X[i,j] = block([X[i,0], …, X[i,j−1], up(X[i+1,j−1])]), for every i + j within the levels.

    With `gated`, each X[i,k] passes an additive gate of X[i,j]'s own, whose signal is up(X[i+1,j−1]).
    """

    def __init__(self, widths: Sequence[int], *, gated: bool) -> None:
        super().__init__()
        self.levels = len(widths)
        nodes = [(i, j) for j in range(1, self.levels) for i in range(self.levels - j)]
        self.up = nn.ModuleDict({_name(i, j): double(widths[i + 1], widths[i]) for i, j in nodes})
        self.block = nn.ModuleDict({_name(i, j): Convolutions((j + 1) * widths[i], widths[i]) for i, j in nodes})
        self.gate = nn.ModuleDict(
            {
                f"{_name(i, j)}_{_name(i, k)}": AdditiveGate(
                    features=widths[i], signal=widths[i], hidden=max(1, widths[i] // 2)
                )
                for i, j in nodes
                for k in range(j)
                if gated
            }
        )

    def forward(self, encoded: Sequence[Tensor]) -> list[Tensor]:
        """X[i,0] of every level, finest first, to X[0,1], X[0,2], …, each (B, widths[0], H, W)."""
        rows = [[x] for x in encoded]
        for j in range(1, self.levels):
            for i in range(self.levels - j):
                rows[i].append(self._node(i, j, rows[i], below=rows[i + 1][j - 1]))
        return rows[0][1:]

    def _node(self, i: int, j: int, before: Sequence[Tensor], *, below: Tensor) -> Tensor:
        name = _name(i, j)
        signal = resize(self.up[name](below), like=before[0])  # (B, widths[i], H/2**i, W/2**i)
        if self.gate:
            before = [self.gate[f"{name}_{_name(i, k)}"](x, signal) for k, x in enumerate(before)]
        node: Tensor = self.block[name](torch.cat((*before, signal), dim=1))
        return node


def _name(i: int, j: int) -> str:
    return f"x{i}{j}"
