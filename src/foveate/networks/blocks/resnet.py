"""ResNet bodies (He et al., Deep Residual Learning, CVPR 2016, table 1), without the classifier.

In: image (B, in_channels, H, W). Out: five maps, from 1/2 to 1/32 of the image's size. Parameters have the names and
shapes of the common ImageNet checkpoints, so that any such file loads strictly.

Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Tensor, nn

from foveate.networks.blocks.residual import BasicBlock, Bottleneck, residual_stage

DEPTHS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
}
"""Layers to block and blocks per stage."""

STEM = 64
WIDTHS = (64, 128, 256, 512)
"""Channels of the stem, and of each stage before its block's expansion."""

Depth = Literal[18, 34, 50, 101]
Freeze = Literal["none", "stem", "layer1", "layer2", "layer3", "layer4"]
"""The last part, counted from the image, that does not learn."""


class ResNet(nn.Module):
    """The body; `channels` are those of its five maps: stem, layer1 … layer4."""

    def __init__(self, depth: Depth, *, in_channels: int = 3, freeze: Freeze = "none") -> None:
        super().__init__()
        block, depths = DEPTHS[depth]
        self.channels = (STEM, *(width * block.expansion for width in WIDTHS))
        self.conv1 = nn.Conv2d(in_channels, STEM, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(STEM)
        for index, (width, count) in enumerate(zip(WIDTHS, depths, strict=True)):
            before = self.channels[index]
            stage = residual_stage(block, before, width, depth=count, stride=2 if index else 1)
            self.add_module(f"layer{index + 1}", stage)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al., ICCV 2015, eq. 14, as the common checkpoints began
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self._frozen = frozen_parts(freeze)
        for name in self._frozen:
            self.get_submodule(name).requires_grad_(False)
        self.train()

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Five maps: stem before its pooling at 1/2, layer1 at 1/4, layer2 at 1/8, layer3 at 1/16, layer4 at 1/32."""
        maps = [self.stem(image)]
        for index in range(1, 5):
            maps.append(self.stage(index, maps[-1]))
        return tuple(maps)

    def stem(self, image: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, STEM, H/2, W/2)."""
        return torch.relu(self.bn1(self.conv1(image)))

    def stage(self, index: int, x: Tensor) -> Tensor:
        """The map before it to that of layer `index`, 1 to 4; the first pools before it begins."""
        if index == 1:
            x = nn.functional.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        features: Tensor = self.get_submodule(f"layer{index}")(x)
        return features

    def train(self, mode: bool = True) -> Self:
        """As ever, but frozen parts stay in evaluation mode: their batch norm's statistics are frozen too."""
        super().train(mode)
        for name in self._frozen:
            self.get_submodule(name).eval()
        return self


def frozen_parts(freeze: Freeze) -> tuple[str, ...]:
    """The names of a body's children up to and with `freeze`."""
    parts: dict[str, tuple[str, ...]] = {"stem": ("conv1", "bn1")}
    parts |= {f"layer{index}": (f"layer{index}",) for index in range(1, 5)}
    if freeze == "none":
        return ()
    names = list(parts)
    return tuple(child for name in names[: names.index(freeze) + 1] for child in parts[name])
