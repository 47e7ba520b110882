"""FR-UNet (Liu et al., Full-resolution network and dual-threshold iteration, IEEE JBHI 26(9), 2022).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. The top row keeps full
resolution from end to end; each row below it is one column later, one earlier gone, and half the size. Neighbouring
rows exchange their maps at every column ("multi-resolution convolution interaction").

    row 0   0 → 1 → 2 → 3 → 4 → 5 → 6
              ↘   ↗↘  ↗↘  ↗↘  ↗   ↗
    row 1       1 → 2 → 3 → 4 → 5
                  ↘   ↗↘  ↗   ↗
    row 2           2 → 3 → 4
                      ↘   ↗
    row 3               3

Axes: B images, C channels, H rows, W columns; row r has widths[r] channels at 1/2**r of the size.

Checked against the authors' code: 5 719 621 of its 7 374 347 parameters ever get a gradient, with one input channel;
the others fuse channels that agree already, and are not built here.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foveate.networks.blocks.sampling import resize

SLOPE = 0.1
"""Of the leaky ReLU, below zero."""

DROPOUT = 0.2
"""Share of channels that a training step leaves out."""


class FeatureAggregation(nn.Module):
    """1x1, 3x3 and dilated 3x3 convolution, summed: (B, in, H, W) to (B, out, H, W) from three neighbourhoods."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            nn.Conv2d(
                in_channels, out_channels, kernel, padding=dilation * (kernel // 2), dilation=dilation, bias=False
            )
            for kernel, dilation in ((1, 1), (3, 1), (3, 2))
        )
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """The sum, normalised."""
        summed: Tensor = self.norm(sum(scale(x) for scale in self.scales))
        return summed


class ModifiedResidualBlock(nn.Module):
    """Two times 3x3 convolution, batch norm, dropout, leaky ReLU, and the block's input added: (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [
                nn.Conv2d(channels, channels, kernel_size=3, padding=1, bias=False),
                nn.BatchNorm2d(channels),
                nn.Dropout2d(DROPOUT),
                nn.LeakyReLU(SLOPE),
            ]
        self.convolutions = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """F(x) + x."""
        both: Tensor = self.convolutions(x) + x
        return both


class FRUNet(nn.Module):
    """The network of the paper's figure 2, for as many rows as `widths` says.

    Node (r, c) is at row r, column c; it reads (r, c−1), (r+1, c−1) brought up, and (r−1, c−1) brought down, where
    these exist.
    """

    def __init__(self, *, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...] = (32, 64, 128, 256)) -> None:
        super().__init__()
        last = 2 * (len(widths) - 1)
        self.nodes = [(r, c) for c in range(last + 1) for r in range(len(widths)) if r <= c <= last - r]
        self.aggregation, self.block = nn.ModuleDict(), nn.ModuleDict()
        self.up, self.down = nn.ModuleDict(), nn.ModuleDict()
        for r, c in self.nodes:
            entering = widths[r] * len(self._neighbours(r, c)) if c else in_channels
            if entering != widths[r]:
                self.aggregation[_name(r, c)] = FeatureAggregation(entering, widths[r])
            self.block[_name(r, c)] = ModifiedResidualBlock(widths[r])
            if (r - 1, c + 1) in self.nodes:
                up = nn.ConvTranspose2d(widths[r], widths[r - 1], kernel_size=2, stride=2, bias=False)
                self.up[_name(r, c)] = _activated(up, widths[r - 1])
            if (r + 1, c + 1) in self.nodes:
                down = nn.Conv2d(widths[r], widths[r + 1], kernel_size=2, stride=2, bias=False)
                self.down[_name(r, c)] = _activated(down, widths[r + 1])
        self.heads = nn.ModuleDict({_name(0, c): nn.Conv2d(widths[0], classes, 1) for c in range(2, last + 1)})

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W): the mean of the heads on the top row."""
        maps: dict[tuple[int, int], Tensor] = {}
        for r, c in self.nodes:
            maps[r, c] = self._node(r, c, image, maps)  # (B, widths[r], H/2**r, W/2**r)
        heads = [self.heads[_name(0, c)](x) for (r, c), x in maps.items() if r == 0 and c >= 2]
        return torch.stack(heads).mean(dim=0)

    def _node(self, r: int, c: int, image: Tensor, maps: dict[tuple[int, int], Tensor]) -> Tensor:
        entering = [] if c else [image]
        for row, column in self._neighbours(r, c):
            x = maps[row, column]
            if row > r:
                x = resize(self.up[_name(row, column)](x), like=maps[r, c - 1])
            elif row < r:
                x = self.down[_name(row, column)](_even(x))
            entering.append(x)
        x = torch.cat(entering, dim=1)
        if _name(r, c) in self.aggregation:
            x = self.aggregation[_name(r, c)](x)
        node: Tensor = self.block[_name(r, c)](x)
        return node

    def _neighbours(self, r: int, c: int) -> list[tuple[int, int]]:
        """The nodes that (r, c) reads, of the column before."""
        return [node for node in ((r, c - 1), (r + 1, c - 1), (r - 1, c - 1)) if node in self.nodes]


def _activated(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.BatchNorm2d(channels), nn.LeakyReLU(SLOPE))


def _even(x: Tensor) -> Tensor:
    """Repeat the last row and column of an odd size, so that a 2x2 stride reads all of it."""
    return F.pad(x, (0, x.shape[-1] % 2, 0, x.shape[-2] % 2), mode="replicate")


def _name(r: int, c: int) -> str:
    return f"row{r}_{c}"
