"""Losses that count only inside the FOV. Axes: B images, K classes, H rows, W columns.

Logits are B×K×H×W for a single class and for classes that may overlap, each with a sigmoid of its own. For classes that
exclude each other they are B×(K + 1)×H×W, the background's first, with one softmax. Masks are B×K×H×W, the share of
each class in a pixel, 0 to 1; the FOV is B×1×H×W.
Counts go over the whole batch, and what is counted class by class is averaged over the classes. Where the FOV is a
share, at its edge on smaller side outputs, it scales both mask and probability.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Sequence[Tensor], Tensor, Tensor], Tensor]
"""Those outputs, masks B×K×H×W and FOV B×1×H×W, both 0 to 1, to a scalar."""


EPSILON = 1e-6
SKELETON_STEPS = 10
"""Pixels of radius that a soft skeleton wears away: the paper asks for the widest structure's."""

PIXELS = (0, 2, 3)
"""The axes that a count of one class goes over."""


@dataclass(frozen=True, slots=True)
class ComparedPixels:
    """What a network says of every pixel beside what is true."""

    classes: Tensor
    """Log probabilities of the classes, B×K×H×W."""
    background: Tensor
    """Log probability of being no class, B×1×H×W, or of not being each class, B×K×H×W, where they may overlap."""
    mask: Tensor
    """B×K×H×W."""
    fov: Tensor
    """B×1×H×W."""

    @classmethod
    def of(cls, logits: Tensor, mask: Tensor, fov: Tensor) -> ComparedPixels:
        """By softmax where the logits have a channel more than the mask, else by sigmoids."""
        logits = logits.float()
        if logits.shape[1] == mask.shape[1]:
            return cls(F.logsigmoid(logits), F.logsigmoid(-logits), mask, fov)
        log_probability = F.log_softmax(logits, dim=1)
        return cls(log_probability[:, 1:], log_probability[:, :1], mask, fov)

    @property
    def overlapping(self) -> bool:
        """Whether each class has its own background; a single class counts as such."""
        return self.background.shape[1] == self.mask.shape[1]

    @property
    def other(self) -> Tensor:
        """Share of what `background` stands for, of its shape."""
        return 1 - self.mask if self.overlapping else 1 - self.mask.sum(dim=1, keepdim=True)

    @property
    def probability(self) -> Tensor:
        """Of the classes, B×K×H×W; 0 outside the FOV."""
        return self.classes.exp() * self.fov

    @property
    def truth(self) -> Tensor:
        """B×K×H×W, 0 outside the FOV."""
        return self.mask * self.fov

    def mean(self, classes: Tensor, background: Tensor) -> Tensor:
        """Of what each pixel adds, over the FOV, and over the classes where each has its own background."""
        total = (classes * self.fov).sum() + (background * self.fov).sum()
        return total / (self.fov.sum().clamp(min=1) * (self.mask.shape[1] if self.overlapping else 1))


def segmentation_loss(name: str, logits: Tensor, mask: Tensor, fov: Tensor) -> Tensor:
    """The loss of that name (a key of `LOSSES`), a scalar; finite for an empty mask and an empty FOV, too."""
    return LOSSES[name](ComparedPixels.of(logits, mask, fov))


def deep_loss(name: str, outputs: Sequence[Tensor], mask: Tensor, fov: Tensor, side_weight: float) -> Tensor:
    """The loss of the first output, plus `side_weight` times that of each other one at its own size.

    A side output of one channel is compared with what is of any class.
    """
    loss = segmentation_loss(name, outputs[0], mask, fov)
    if side_weight:
        anything = mask.sum(dim=1, keepdim=True).clamp(max=1)
        for output in outputs[1:]:
            target = anything if output.shape[1] == 1 else mask
            smaller = (F.interpolate(plane, size=output.shape[-2:], mode="area") for plane in (target, fov))
            loss = loss + side_weight * segmentation_loss(name, output, *smaller)
    return loss


def _bce(pixels: ComparedPixels) -> Tensor:
    """Cross-entropy: binary for each class, or of all and the background together."""
    return pixels.mean(-pixels.mask * pixels.classes, -pixels.other * pixels.background)


def _overlap(pixels: ComparedPixels, *, too_much: float, missed: float) -> Tensor:
    """1 − Σpt / (Σpt + `too_much` Σp(1 − t) + `missed` Σ(1 − p)t)."""
    predicted, true = pixels.probability.sum(PIXELS), pixels.truth.sum(PIXELS)
    agreed = (pixels.probability * pixels.truth).sum(PIXELS)
    weighed = agreed + too_much * (predicted - agreed) + missed * (true - agreed)
    return (1 - (agreed + EPSILON) / (weighed + EPSILON)).mean()


def _dice(pixels: ComparedPixels) -> Tensor:
    """1 − 2 Σpt / (Σp + Σt): Milletari et al. 2016 without their squares."""
    return _overlap(pixels, too_much=0.5, missed=0.5)


def _dice_bce(pixels: ComparedPixels) -> Tensor:
    return _bce(pixels) + _dice(pixels)


def _weighted_dice(pixels: ComparedPixels) -> Tensor:
    """Generalised Dice of classes and background, weighted by 1 / (pixels of each)²: Sudre et al. 2017, sec. 2.1.

    A class that is missing counts as much as the smallest one that is there. Where classes may overlap, the mean of
    each one's with its own background.
    """
    agreed, total, true = [], [], []
    for log_probability, share in ((pixels.classes, pixels.mask), (pixels.background, pixels.other)):
        probability, counted = log_probability.exp() * pixels.fov, share * pixels.fov
        agreed.append((probability * counted).sum(PIXELS))
        total.append((probability + counted).sum(PIXELS))
        true.append(counted.sum(PIXELS))
    join = torch.stack if pixels.overlapping else torch.cat  # 2×K, each class and its background, or all K + 1
    sizes = join(true)
    smallest = torch.where(sizes > 0, sizes, torch.inf).amin(dim=0)
    weight = torch.where(sizes > 0, (smallest / sizes.clamp(min=EPSILON)).square(), 1.0)
    above, below = ((weight * join(sums)).sum(dim=0) for sums in (agreed, total))
    return (1 - (2 * above + EPSILON) / (below + EPSILON)).mean()


def _iou(pixels: ComparedPixels) -> Tensor:
    """1 − Σpt / (Σp + Σt − Σpt): Rahman and Wang 2016."""
    return _overlap(pixels, too_much=1, missed=1)


def _bce_iou(pixels: ComparedPixels) -> Tensor:
    """Paper 003, section IV-B, as the one below: terms named without weights, so a plain sum."""
    return _bce(pixels) + _iou(pixels)


def _dice_bce_iou(pixels: ComparedPixels) -> Tensor:
    return _dice_bce(pixels) + _iou(pixels)


def _focal(pixels: ComparedPixels) -> Tensor:
    """−α (1 − p)² log p for a class, −(1 − α) (1 − p)² log p for background, α = .25: Lin et al. 2017, eq. 5.

    p is the probability of what a pixel is. A share of a class counts as so much of it.
    """

    def focused(log_probability: Tensor) -> Tensor:
        return -(1 - log_probability.exp()).square() * log_probability

    classes, background = focused(pixels.classes), focused(pixels.background)
    return pixels.mean(0.25 * pixels.mask * classes, 0.75 * pixels.other * background)


def _tversky(pixels: ComparedPixels) -> Tensor:
    """1 − TP / (TP + .3 FP + .7 FN): Salehi et al. 2017, with the best row of their table 1."""
    return _overlap(pixels, too_much=0.3, missed=0.7)


def _cldice(pixels: ComparedPixels) -> Tensor:
    """½ (1 − Dice) + ½ (1 − soft clDice): Shit et al. 2021, algorithms 1 and 2, with the α of their code.

    Deviation: one count over the batch, as in the losses above.
    """
    probability, truth = pixels.probability, pixels.truth
    predicted_skeleton, true_skeleton = _soft_skeleton(probability), _soft_skeleton(truth)

    def share(skeleton: Tensor, region: Tensor) -> Tensor:
        return ((skeleton * region).sum(PIXELS) + EPSILON) / (skeleton.sum(PIXELS) + EPSILON)

    precision, sensitivity = share(predicted_skeleton, truth), share(true_skeleton, probability)
    centreline = 2 * precision * sensitivity / (precision + sensitivity)
    return 0.5 * _dice(pixels) + 0.5 * (1 - centreline).mean()


def _soft_skeleton(image: Tensor) -> Tensor:
    """What opening takes away at each step of erosion, B×K×H×W: algorithm 1, with the neighbourhoods of their code."""
    skeleton = F.relu(image - _opened(image))
    for _ in range(SKELETON_STEPS):
        image = _eroded(image)
        ridge = F.relu(image - _opened(image))
        skeleton = skeleton + F.relu(ridge - skeleton * ridge)
    return skeleton


def _opened(image: Tensor) -> Tensor:
    return F.max_pool2d(_eroded(image), 3, stride=1, padding=1)


def _eroded(image: Tensor) -> Tensor:
    """The least of each pixel and its four neighbours."""
    upright = -F.max_pool2d(-image, (3, 1), stride=1, padding=(1, 0))
    lying = -F.max_pool2d(-image, (1, 3), stride=1, padding=(0, 1))
    return torch.minimum(upright, lying)


LOSSES: Mapping[str, Callable[[ComparedPixels], Tensor]] = MappingProxyType(
    {
        "bce": _bce,
        "dice": _dice,
        "dice_bce": _dice_bce,
        "weighted_dice": _weighted_dice,
        "iou": _iou,
        "bce_iou": _bce_iou,
        "dice_bce_iou": _dice_bce_iou,
        "focal": _focal,
        "tversky": _tversky,
        "cldice": _cldice,
    }
)
"""By their name in a recipe."""
