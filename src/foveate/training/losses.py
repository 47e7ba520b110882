"""Losses that count only inside the FOV. Logits and targets B×1×H×W; targets and FOV from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.losses import DiceLoss
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6
LOSSES = ("bce", "dice", "dice_bce")


def segmentation_loss(name: str, logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """`bce`, `dice` (1 − Dice, one count over the whole batch) or their sum, inside the FOV; a scalar.

    Dice of shares and probabilities is soft: 2 Σpt / (Σp + Σt), Milletari et al. 2016 without their squares.
    """
    logits = logits.float()
    loss = logits.new_zeros(())
    if name in ("bce", "dice_bce"):
        entropy = F.binary_cross_entropy_with_logits(logits, mask, weight=fov, reduction="sum")
        loss = loss + entropy / fov.sum().clamp(min=1)
    if name in ("dice", "dice_bce"):
        dice = DiceLoss(batch=True, smooth_nr=EPSILON, smooth_dr=EPSILON)
        loss = loss + dice(torch.sigmoid(logits) * fov, mask * fov)
    return loss


def deep_loss(name: str, outputs: Sequence[Tensor], mask: Tensor, fov: Tensor, side_weight: float) -> Tensor:
    """The loss of the first output, plus `side_weight` times that of each other one at its own size."""
    loss = segmentation_loss(name, outputs[0], mask, fov)
    if side_weight:
        for output in outputs[1:]:
            size = output.shape[-2:]
            smaller = (F.interpolate(target, size=size, mode="area") for target in (mask, fov))
            loss = loss + side_weight * segmentation_loss(name, output, *smaller)
    return loss
