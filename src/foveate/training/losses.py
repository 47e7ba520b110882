"""Losses that count only inside the FOV. Logits and targets B×1×H×W; targets and FOV from 0 to 1.

Counts go over the whole batch. Where the FOV is a share, at its edge on smaller side outputs, it scales both mask and
probability.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from kornia.losses import binary_focal_loss_with_logits
from monai.losses import DiceLoss, TverskyLoss
from monai.losses.cldice import soft_skel
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-6
SKELETON_STEPS = 10
"""Pixels of radius that a soft skeleton wears away: the paper asks for the widest structure's."""


def segmentation_loss(name: str, logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """The loss of that name (a key of `LOSSES`), a scalar; finite for an empty mask and an empty FOV, too."""
    return LOSSES[name](logits.float(), mask, fov)


def deep_loss(name: str, outputs: Sequence[Tensor], mask: Tensor, fov: Tensor, side_weight: float) -> Tensor:
    """The loss of the first output, plus `side_weight` times that of each other one at its own size."""
    loss = segmentation_loss(name, outputs[0], mask, fov)
    if side_weight:
        for output in outputs[1:]:
            size = output.shape[-2:]
            smaller = (F.interpolate(target, size=size, mode="area") for target in (mask, fov))
            loss = loss + side_weight * segmentation_loss(name, output, *smaller)
    return loss


def _bce(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """Binary cross-entropy, the mean over the FOV."""
    entropy = F.binary_cross_entropy_with_logits(logits, mask, weight=fov, reduction="sum")
    return entropy / fov.sum().clamp(min=1)


def _dice(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """1 − 2 Σpt / (Σp + Σt): Milletari et al. 2016 without their squares."""
    dice: Tensor = DiceLoss(batch=True, smooth_nr=EPSILON, smooth_dr=EPSILON)(torch.sigmoid(logits) * fov, mask * fov)
    return dice


def _dice_bce(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    return _bce(logits, mask, fov) + _dice(logits, mask, fov)


def _weighted_dice(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """Generalised Dice of vessel and background, weighted by 1 / (pixels of the class)²: Sudre et al. 2017, sec. 2.1.

    Both weights count the same where a class is missing. MONAI's has weights of 1e-10 beside its smoothing terms.
    """
    probability = torch.sigmoid(logits)
    vessel, background = (mask * fov).sum(), ((1 - mask) * fov).sum()
    both = (vessel > 0) & (background > 0)
    weight = torch.where(both, (vessel / background.clamp(min=EPSILON)).square(), 1.0)
    agreed = (probability * mask * fov).sum() + weight * ((1 - probability) * (1 - mask) * fov).sum()
    total = (probability * fov).sum() + vessel + weight * (((1 - probability) * fov).sum() + background)
    return 1 - (2 * agreed + EPSILON) / (total + EPSILON)


def _iou(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """1 − Σpt / (Σp + Σt − Σpt): Rahman and Wang 2016."""
    jaccard = DiceLoss(batch=True, jaccard=True, smooth_nr=EPSILON, smooth_dr=EPSILON)
    iou: Tensor = jaccard(torch.sigmoid(logits) * fov, mask * fov)
    return iou


def _focal(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """−α (1 − p)² log p for vessel, −(1 − α) p² log(1 − p) for background, α = .25: Lin et al. 2017, eq. 5.

    A share of vessel counts as so much of the one and the rest of the other; the mean over the FOV.
    """
    focal: Tensor = binary_focal_loss_with_logits(logits, mask, alpha=0.25, gamma=2.0, ignore_index=None)
    return (focal * fov).sum() / fov.sum().clamp(min=1)


def _tversky(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """1 − TP / (TP + .3 FP + .7 FN): Salehi et al. 2017, with the best row of their table 1."""
    tversky = TverskyLoss(alpha=0.3, beta=0.7, batch=True, smooth_nr=EPSILON, smooth_dr=EPSILON)
    loss: Tensor = tversky(torch.sigmoid(logits) * fov, mask * fov)
    return loss


def _cldice(logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """½ (1 − Dice) + ½ (1 − soft clDice): Shit et al. 2021, algorithms 1 and 2, with the α of their code.

    Deviation from MONAI's loss, of which only the skeleton is used: one count over the batch, as in the losses above.
    """
    probability, truth = torch.sigmoid(logits) * fov, mask * fov
    predicted_skeleton, true_skeleton = soft_skel(probability, SKELETON_STEPS), soft_skel(truth, SKELETON_STEPS)
    precision = ((predicted_skeleton * truth).sum() + EPSILON) / (predicted_skeleton.sum() + EPSILON)
    sensitivity = ((true_skeleton * probability).sum() + EPSILON) / (true_skeleton.sum() + EPSILON)
    centreline = 2 * precision * sensitivity / (precision + sensitivity)
    return 0.5 * _dice(logits, mask, fov) + 0.5 * (1 - centreline)


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = MappingProxyType(
    {
        "bce": _bce,
        "dice": _dice,
        "dice_bce": _dice_bce,
        "weighted_dice": _weighted_dice,
        "iou": _iou,
        "focal": _focal,
        "tversky": _tversky,
        "cldice": _cldice,
    }
)
"""By their name in a recipe."""
