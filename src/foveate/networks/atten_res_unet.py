"""AttenResUnet: U-Net with a ResNet encoder, self-attention between its stages, gated skips (paper 002).

In: image (B, in_channels, H, W). Out: logits (B, classes, H, W), any H, W of 16 or more.

Axes: B images, C channels, H rows, W columns.

Our reading of what the paper leaves open:
    Section 7.1 gates x_att with a signal g: in the encoder g is the stage's own output before self-attention, in the
    decoder (section 6.2) the up-sampled features.
    Skips are stem before its pooling (1/2), layer1 (1/4), layer2 (1/8), layer3 (1/16); the bridge is on layer4 (1/32).
    Bridge and decoder have 512, 256, 128, 64, 64 channels (ResNet-34's own) for every depth, and 32 at full size.
    "Encoder attention up to layer 3 alongside gated attention" (section 9.5) has gates in the decoder too, though the
    table's name leaves them out: `decoder_gates`.
Deviation: `attention_residual` adds x + γ·x̂, with γ = 0 at the start, so that the pretrained path is alive from the
    first step. Nothing of the kind is printed; it is off by default.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from foveate.errors import UsageError
from foveate.networks.blocks.additive_gate import AdditiveGate
from foveate.networks.blocks.convolution import Convolutions, double
from foveate.networks.blocks.resnet import Depth, ResNet
from foveate.networks.blocks.sampling import resize
from foveate.networks.blocks.self_attention import SelfAttention

DECODER = (512, 256, 128, 64, 64, 32)
"""Channels of the bridge, the four decoder blocks, and the last step."""

ATTENDED_STAGES = {"none": 0, "limit": 3, "all": 4}
"""Of the encoder's four."""


class AttenResUNet(nn.Module):
    """The pipeline of section 8; the variants of section 9.5 are in the registry under their names.

    Raises UsageError for a residual of an encoder attention that isn't there.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        classes: int = 1,
        depth: Depth = 34,
        encoder_attention: Literal["none", "limit", "all"] = "limit",
        decoder_gates: bool = True,
        attention_residual: bool = False,
    ) -> None:
        super().__init__()
        if attention_residual and encoder_attention == "none":
            raise UsageError("attention_residual = true needs encoder_attention = 'limit' or 'all'.")
        self.encoder = ResNet(depth, in_channels=in_channels)
        *skips, deepest = self.encoder.channels
        attended = {f"layer{i}": self.encoder.channels[i] for i in range(1, 1 + ATTENDED_STAGES[encoder_attention])}
        self.self_attention = nn.ModuleDict({stage: SelfAttention(c) for stage, c in attended.items()})
        self.encoder_attention = nn.ModuleDict({stage: _gate(c, c) for stage, c in attended.items()})
        self.gamma = nn.ParameterDict(
            {stage: nn.Parameter(torch.zeros(())) for stage in attended if attention_residual}
        )
        self.bridge = Convolutions(deepest, DECODER[0])
        self.up = nn.ModuleList(double(a, b) for a, b in pairwise(DECODER))
        ways = list(zip(("layer3", "layer2", "layer1", "stem"), reversed(skips), DECODER[1:-1], strict=True))
        self.gate = nn.ModuleDict({place: _gate(skip, c) for place, skip, c in ways if decoder_gates})
        self.decoder = nn.ModuleList(Convolutions(skip + c, c) for _, skip, c in ways)
        self.last = Convolutions(DECODER[-1], DECODER[-1], depth=1)
        self.head = nn.Conv2d(DECODER[-1], classes, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, classes, H, W)."""
        skips = self._encode(image)
        x = self.bridge(skips.pop("layer4"))  # (B, 512, H/32, W/32)
        *ups, last_up = self.up
        for up, block, (place, skip) in zip(ups, self.decoder, reversed(skips.items()), strict=True):
            signal = resize(up(x), like=skip)  # (B, C, size of the skip)
            if self.gate:
                skip = self.gate[place](skip, signal)  # section 6.2
            x = block(torch.cat((skip, signal), dim=1))
        x = self.last(resize(last_up(x), like=image))  # section 8.5: (B, 32, H, W)
        logits: Tensor = self.head(x)
        return logits

    def _encode(self, image: Tensor) -> dict[str, Tensor]:
        """Stem and layers 1 to 4, by name, with encoder attention where this variant has it."""
        maps = {"stem": self.encoder.stem(image)}
        for index in range(1, 5):
            stage, before = f"layer{index}", list(maps.values())[-1]
            x = self.encoder.stage(index, before)
            maps[stage] = self._attend(stage, x) if stage in self.encoder_attention else x
        return maps

    def _attend(self, stage: str, x: Tensor) -> Tensor:
        """Section 7.1: x̂ = GatedAttention(x_att, g), here with g = x."""
        attended: Tensor = self.encoder_attention[stage](self.self_attention[stage](x), x)
        return x + self.gamma[stage] * attended if stage in self.gamma else attended


def _gate(features: int, signal: int) -> AdditiveGate:
    return AdditiveGate(features=features, signal=signal, hidden=features // 2)
