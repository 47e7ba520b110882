"""U-Net++ (Zhou et al., UNet++: A Nested U-Net Architecture, DLMIA 2018).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. Between encoder and decoder
lies a triangle of nodes, each of which reads everything to its left and the node below (eq. 1, in the block).

Axes: B images, C channels, H rows, W columns; level l has widths[l] channels at 1/2**l of the size.

Deviation: batch norm after every convolution. Deviation: one head, on the last node of the top row; the paper's deep
    supervision is an option of `attention_unetpp`.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from foveate.networks.blocks.convolution import Convolutions
from foveate.networks.blocks.nested_decoder import NestedDecoder
from foveate.networks.blocks.sampling import descend


class UNetPlusPlus(nn.Module):
    """The network of the paper's figure 1a; its widths are the default."""

    def __init__(
        self, *, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...] = (32, 64, 128, 256, 512)
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(Convolutions(a, b) for a, b in pairwise((in_channels, *widths)))
        self.decoder = NestedDecoder(widths, gated=False)
        self.head = nn.Conv2d(widths[0], classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        encoded = descend(self.encoder, image)  # X[level,0]: (B, widths[level], H/2**level, W/2**level)
        logits: Tensor = self.head(self.decoder(encoded)[-1])
        return logits
