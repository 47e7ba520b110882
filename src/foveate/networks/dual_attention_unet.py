"""U-Net with a ResNet-50 encoder and dual attention (paper 001).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. Spatial and channel attention
on each skip and on what enters the bottleneck ("applied to the encoder", section 3.2).

Axes: B images, C channels, H rows, W columns.

Our reading of what the paper leaves open:
    With ResNet-50 the skips are stem (1/2), layer1 (1/4), layer2 (1/8), layer3 (1/16), the bottleneck lies on layer4
    (1/32), the decoder has 512, 256, 128, 64 filters, and a last step brings 64 channels to full size.
    The plain network has 64 filters and a bottleneck of 128, so one pooling. With attention "64, 64, 256" are printed
    for three convolutions; we read 64, 128, 256.
    "Fine-tuning from layer 140" of Keras' ResNet50, which has 175: `freeze="layer3"`. "From layer 240" names none:
    `freeze="layer4"`, the whole encoder.
    `fusion`: section 3.2 prints F·S + F·C, algorithm 1 S·C·F, with a softmax over channels (`channel_gate`). The
    algorithm's S and C are affine maps of F; we keep section 3.2's poolings for both. A softmax over C channels
    scales a map down by about C, so that this variant learns slowly at first.
    Attention stays in the encoder, though section 4.3.4 names it "when upsampling" too.
    The bottleneck, of which only "512 filters and kernel size 3x3" is said, has two convolutions.
Deviation: section 3.1 prints F = ReLU(BN(Conv(F))) + F; ResNet-50 itself adds before the last ReLU.
Deviation: batch norm after every convolution of the plain encoder and the decoder; the paper does not say.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from foveate.errors import UsageError
from foveate.networks.blocks.convolution import Convolutions, double
from foveate.networks.blocks.dual_attention import ChannelAttention, SpatialAttention, fuse
from foveate.networks.blocks.resnet import Freeze, ResNet
from foveate.networks.blocks.sampling import descend, halve, resize

DECODER = (512, 256, 128, 64)
"""Filters on a ResNet-50, from coarse to fine (section 4.3)."""


class PlainEncoder(nn.Module):
    """Convolutions and poolings; `channels` are those of its maps, as a ResNet body has them."""

    def __init__(self, in_channels: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(Convolutions(a, b) for a, b in pairwise((in_channels, *widths)))
        self.channels = (*widths, widths[-1])

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """The map of each level, then the last one pooled once more: what enters the bottleneck."""
        maps = descend(self.levels, image)  # (B, widths[l], H/2**l, W/2**l)
        return (*maps, halve(maps[-1]))


class DualAttentionUNet(nn.Module):
    """The combined model of the paper's table 4; without `attention` or with the plain encoder the other three.

    `widths` are the plain encoder's levels, the last the bottleneck's; empty means the paper's. Raises UsageError for
    an option of a part that isn't there.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 1,
        encoder: Literal["resnet50", "plain"] = "resnet50",
        attention: bool = True,
        fusion: Literal["sum", "product"] = "sum",
        channel_gate: Literal["sigmoid", "softmax"] = "sigmoid",
        freeze: Freeze = "none",
        widths: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        if not attention and fusion != "sum":
            raise UsageError(f"fusion = '{fusion}' needs attention = true.")
        if not attention and channel_gate != "sigmoid":
            raise UsageError(f"channel_gate = '{channel_gate}' needs attention = true.")
        _check_encoder(encoder, freeze, widths)
        if encoder == "plain":
            widths = widths or ((64, 128, 256) if attention else (64, 128))
        body = PlainEncoder(in_channels, widths[:-1]) if widths else ResNet(50, in_channels=in_channels, freeze=freeze)
        *skips, deepest = body.channels
        decoder = DECODER if isinstance(body, ResNet) else tuple(reversed(skips))
        bottom = DECODER[0] if isinstance(body, ResNet) else widths[-1]
        self.encoder = body
        gated = {place: c for place, c in zip(_places(body), body.channels, strict=True) if attention}
        self.spatial = nn.ModuleDict({place: SpatialAttention() for place in gated})
        self.channel = nn.ModuleDict({place: ChannelAttention(c, gate=channel_gate) for place, c in gated.items()})
        self.fusion = fusion
        self.bottleneck = Convolutions(deepest, bottom)
        self.up = nn.ModuleList(double(a, b) for a, b in pairwise((bottom, *decoder)))
        self.decoder = nn.ModuleList(
            Convolutions(skip + c, c) for skip, c in zip(reversed(skips), decoder, strict=True)
        )
        self.last_up = double(decoder[-1], decoder[-1]) if isinstance(body, ResNet) else None
        self.head = nn.Conv2d(decoder[-1], classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        *skips, x = self._attend(self.encoder(image))  # from fine to coarse
        x = self.bottleneck(x)
        for up, block, skip in zip(self.up, self.decoder, reversed(skips), strict=True):
            x = block(torch.cat((skip, resize(up(x), like=skip)), dim=1))  # (B, filters, size of the skip)
        if self.last_up is not None:
            x = resize(self.last_up(x), like=image)  # (B, 64, H, W)
        logits: Tensor = self.head(x)
        return logits

    def _attend(self, maps: tuple[Tensor, ...]) -> list[Tensor]:
        """F_DA of section 3.2 for every map of the encoder."""
        if not self.spatial:
            return list(maps)
        gates = zip(self.spatial.values(), self.channel.values(), maps, strict=True)
        return [fuse(x, spatial(x), channel(x), fusion=self.fusion) for spatial, channel, x in gates]


def _check_encoder(encoder: str, freeze: str, widths: tuple[int, ...]) -> None:
    if encoder == "plain" and freeze != "none":
        raise UsageError(f"freeze = '{freeze}' needs encoder = 'resnet50': the plain encoder has no such part.")
    if encoder == "plain" and len(widths) == 1:
        raise UsageError(f"widths = {list(widths)}: the plain encoder needs two or more, the last the bottleneck's.")
    if encoder != "plain" and widths:
        raise UsageError(f"widths = {list(widths)} needs encoder = 'plain': ResNet-50 has its own.")


def _places(body: ResNet | PlainEncoder) -> list[str]:
    """The names of a body's maps, from fine to coarse."""
    if isinstance(body, ResNet):
        return ["stem", "layer1", "layer2", "layer3", "layer4"]
    return [f"level{level}" for level in range(len(body.channels))]
