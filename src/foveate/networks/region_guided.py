"""Region Guided Attention Network (paper 003); "eq." below means that paper.

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more. A U-Net of separable
convolutions with three poolings; a partial decoder draws a first, coarse vessel map from the second decoder block,
and three inverse addition attentions refine it from coarse to fine: each looks where the map so far says no.

Axes: B images, C channels, H rows, W columns; widths = (C1, C2, C3, C4), by default the paper's 8, 16, 24, 32.

Deviation: "we replicate the segmentation map". The sizes and channels of eqs. 6 and 7 do not fit as printed (the
    partial decoder's output is H/2 with C2 channels, dec1 is H/4 with C3), so a map has one channel: it is resized
    bilinearly to the decoder block's size and broadcast over its channels, and a 1x1 convolution turns every Pred
    into the next map.
Deviation: the paper counts 40 000 parameters. As printed there are 14 999 with deconvolutions of 2x2 (21 399 with
    3x3); `widths` and `depth` let a network use the whole budget.

Beyond the paper, for what a small network can still learn: `dual_attention` weighs the skips (and the bottleneck) by
paper 001's two gates, which begin as the identity; `passes` runs the chain of attentions again from its own last map;
with `initial_maps` "previous" every map begins as the one before it.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from foveate.errors import UsageError
from foveate.networks.blocks.convolution import double
from foveate.networks.blocks.dual_attention import ChannelAttention, SpatialAttention, fuse
from foveate.networks.blocks.inverse_addition import InverseAdditionAttention
from foveate.networks.blocks.sampling import descend, resize
from foveate.networks.blocks.separable import SeparableBlock


class IdentityAtFirst(nn.Module):
    """F·S + F·C of paper 001, (B, C, H, W) to the same, with scores that begin at 0: S = C = ½, so F comes out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial, self.channel = SpatialAttention(), ChannelAttention(channels)
        for tensor in (*self.spatial.parameters(), *self.channel.expand.parameters()):
            nn.init.zeros_(tensor)
        # Features are ≥ 0 here: with negative weights the channels' one hidden unit might never be alive.
        self.channel.squeeze.weight.data.abs_()

    def forward(self, features: Tensor) -> Tensor:
        """The features, weighed."""
        return fuse(features, self.spatial(features), self.channel(features), fusion="sum")


def begin_with_previous(to_map: nn.Conv2d) -> None:
    """Make the weights of every map that a 1x1 convolution draws add up to 1, in place.

    Attention adds one map to all features; so that map comes through as it is, and the features change it. As drawn,
    the sum has either sign: where it is negative, a map begins as its opposite, and a short training may end before it
    has turned.
    """
    weight = to_map.weight.data
    weight += (1 - weight.sum(dim=1, keepdim=True)) / weight.shape[1]


class RegionGuided(nn.Module):
    """The network of the paper's figure 1, 'IAA + PD + UNET *' of its table II.

    `attention` off leaves the separable U-Net, which has no maps, so that `partial_decoder` and `initial_maps` say
    nothing of it; `partial_decoder` off draws the first map from dec2 itself. The
    rows of table II without "*" have widths (32, 64, 128, 256), "the standard filter count", which is our reading.
    Raises UsageError for several `passes` without the attention that they are of.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 1,
        widths: tuple[int, int, int, int] = (8, 16, 24, 32),
        depth: int = 2,
        attention: bool = True,
        partial_decoder: bool = True,
        dual_attention: Literal["none", "skips", "all"] = "none",
        passes: int = 1,
        initial_maps: Literal["random", "previous"] = "random",
    ) -> None:
        super().__init__()
        if passes > 1 and not attention:
            raise UsageError(f"passes = {passes} needs attention = true: there is nothing to repeat.")
        self.passes = passes
        c1, c2, c3, c4 = widths
        self.encoder = nn.ModuleList(
            SeparableBlock(a, b, depth=depth) for a, b in ((in_channels, c1), (c1, c2), (c2, c3))
        )
        self.bottleneck = SeparableBlock(c3, c4, depth=depth)
        weighed = {"none": (), "skips": (c1, c2, c3), "all": (c1, c2, c3, c4)}[dual_attention]
        self.dual_attention = nn.ModuleList(IdentityAtFirst(c) for c in weighed)
        self.upsample = nn.ModuleList(double(a, b) for a, b in ((c4, c3), (c3, c2), (c2, c1)))
        self.decoder = nn.ModuleList(SeparableBlock(2 * c, c, depth=depth) for c in (c3, c2, c1))
        has_decoder = attention and partial_decoder
        self.partial_decoder = SeparableBlock(c2, c2, depth=depth) if has_decoder else None
        self.maps = nn.ModuleList(nn.Conv2d(c, 1, kernel_size=1) for c in (c2, c3, c2) if attention)
        self.iaa = nn.ModuleList(InverseAdditionAttention() for _ in range(3) if attention)
        self.head = nn.Conv2d(c1, classes, kernel_size=1)
        if attention and initial_maps == "previous":
            for layer in (*self.maps[1:], self.head):
                begin_with_previous(layer)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        return self.forward_all(image)[0]

    def forward_all(self, image: Tensor) -> tuple[Tensor, ...]:
        """Logits, then the three region maps before them, finest first: (B, 1, H/2, W/2), H/4, H/2."""
        dec1, dec2, dec3 = self._decode(image)  # (B, C3, H/4, W/4), (B, C2, H/2, W/2), (B, C1, H, W)
        if not self.iaa:
            return (self.head(dec3),)
        map0 = self.maps[0](dec2 if self.partial_decoder is None else self.partial_decoder(dec2))  # eq. 5
        so_far = map0
        for _ in range(self.passes):
            map1 = self.maps[1](self.iaa[0](dec1, so_far))  # eq. 6: (B, 1, H/4, W/4)
            so_far = map2 = self.maps[2](self.iaa[1](dec2, map1))  # eq. 7: (B, 1, H/2, W/2)
        return self.head(self.iaa[2](dec3, map2)), map2, map1, map0  # eqs. 7 and 8

    def _decode(self, image: Tensor) -> list[Tensor]:
        # S1, S2, S3 (eq. 2), each pooled before the next (eq. 3); b: (B, C4, H/8, W/8)
        maps = list(descend((*self.encoder, self.bottleneck), image))
        for level, weigh in enumerate(self.dual_attention):
            maps[level] = weigh(maps[level])
        *skips, x = maps
        decoded = []
        for upsample, block, skip in zip(self.upsample, self.decoder, reversed(skips), strict=True):
            x = block(torch.cat((skip, resize(upsample(x), like=skip)), dim=1))
            decoded.append(x)  # dec1, dec2, dec3: eq. 4
        return decoded
