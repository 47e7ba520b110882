"""ConvLSTM U-Net (paper 004), of the family of BCDU-Net (Azad et al., ICCV Workshops 2019).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. Each level of the decoder
reads the encoder's map and the one from below as a sequence of two, with a convolutional LSTM.

Axes: B images, C channels, H rows, W columns; level l has widths[l] channels at 1/2**l of the size.

Our reading of what the paper leaves open: widths 64, 128, 256 and 512 for the bottleneck; 3x3 kernels; a hidden state
    of half the level's channels, of which the last alone goes on; then two convolutions.
    Section 2.1 names its layers (x1 and x2, merge6 to merge8, conv9) as the family's code for DRIVE does, the function
    `attentional_lstm_encdec`, and prints no code of its own. That code concatenates (skip, up) and has the ConvLSTM
    read backwards, so that the state that goes on has read the skip last: `order="up_skip"`. The other way round is
    `order="skip_up"`, as an eye reads the text; `bidirectional` reads both ways and concatenates.
    The same code drops half of the numbers of the coarsest skip and of the bottleneck while it learns, which the paper
    does not mention: `dropout`, off by default.
    Two sigmoid channels are background and vessel: with `heads=2` both learn, and the vessel's is the output.
Deviation: that code squeezes the last map through a 3x3 convolution of two channels and a ReLU before its head, which
    the paper does not name. Without it: where both channels are 0 throughout, which chance can begin with, nothing
    learns, and two channels can't tell more than two classes apart.
Deviation: plain sigmoid gates in the cell, as in Keras 3 (see there). The encoder has no batch norm, as printed.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foveate.networks.blocks.convlstm import ConvLSTM, unit_forget_bias
from foveate.networks.blocks.convolution import Convolutions, double, he_normal
from foveate.networks.blocks.sampling import descend, resize

Order = Literal["up_skip", "skip_up"]
"""Which of the two maps is read first."""

DROPOUT = 0.5
"""Of the family's code; of single numbers, not of whole channels."""


class SequenceFusion(nn.Module):
    """Skip and up as a sequence through a ConvLSTM, one way or both: two (B, C, H, W) to (B, C/2 or C, H, W)."""

    def __init__(self, channels: int, *, order: Order, bidirectional: bool) -> None:
        super().__init__()
        hidden = max(1, channels // 2)
        self.order = order
        self.forwards = ConvLSTM(channels, hidden)
        self.backwards = ConvLSTM(channels, hidden) if bidirectional else None
        self.channels = hidden * (2 if bidirectional else 1)

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        """The last hidden state; of both ways, that of `order` first, concatenated."""
        sequence = (signal, skip) if self.order == "up_skip" else (skip, signal)
        last: Tensor = self.forwards(sequence)
        if self.backwards is None:
            return last
        return torch.cat((last, self.backwards(sequence[::-1])), dim=1)


class ConvLSTMUNet(nn.Module):
    """The network of section 2.1."""

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 1,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        order: Order = "up_skip",
        bidirectional: bool = False,
        dropout: bool = False,
        heads: Literal[1, 2] = 1,
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(Convolutions(a, b, norm=False) for a, b in pairwise((in_channels, *widths)))
        steps = list(pairwise(reversed(widths)))  # (C4, C3), (C3, C2), …
        self.up = nn.ModuleList(nn.Sequential(double(a, b), nn.BatchNorm2d(b), nn.ReLU(inplace=True)) for a, b in steps)
        fusions = [SequenceFusion(b, order=order, bidirectional=bidirectional) for _, b in steps]
        self.fusion = nn.ModuleList(fusions)
        self.decoder = nn.ModuleList(
            Convolutions(fusion.channels, b, norm=False) for fusion, (_, b) in zip(fusions, steps, strict=True)
        )
        self.heads = nn.ModuleList(nn.Conv2d(widths[0], classes, kernel_size=1) for _ in range(heads))
        self.dropout = DROPOUT if dropout else 0.0
        he_normal(self)
        unit_forget_bias(self)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        return self.forward_all(image)[0]

    def forward_all(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits, then with two heads what the background's says of the same classes: its logits, negated.

        σ(−x) = 1 − σ(x): the loss of the negated logits against the mask is that of the background against its own.
        """
        *skips, x = descend(self.encoder, image)  # (B, widths[level], H/2**level, W/2**level)
        skips[-1], x = (F.dropout(features, self.dropout, self.training) for features in (skips[-1], x))
        steps = zip(self.up, self.fusion, self.decoder, reversed(skips), strict=True)
        for up, fusion, block, skip in steps:
            x = block(fusion(skip, resize(up(x), like=skip)))  # (B, widths[level], size of the skip)
        vessel, *background = (head(x) for head in self.heads)
        return (vessel, *(-logits for logits in background))
