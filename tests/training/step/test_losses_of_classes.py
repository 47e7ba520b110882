"""Every loss for several classes, against formulas in float64, class by class."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from test_losses import FORMULAS

from foveate.training.step.losses import LOSSES, deep_loss, segmentation_loss

Array = NDArray[np.float64]


def drawn(seed: int, channels: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits of 3 or 4 channels for 3 classes of which a pixel has shares, on 2 images of 6×8 pixels, and a FOV."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn((2, channels, 6, 8), generator=generator)
    mask = torch.rand((2, 4, 6, 8), generator=generator)
    fov = (torch.rand((2, 1, 6, 8), generator=generator) > 0.4).float()
    return logits, (mask / mask.sum(dim=1, keepdim=True))[:, 1:], fov


def pixels_of(tensor: torch.Tensor, fov: torch.Tensor) -> Array:
    """Channels × pixels inside the FOV."""
    inside = fov[:, 0].numpy() > 0
    return tensor.double().numpy().transpose(1, 0, 2, 3)[:, inside]


every_loss = pytest.mark.parametrize("name", LOSSES)
without_skeleton = pytest.mark.parametrize("name", [name for name in LOSSES if name != "cldice"])


@without_skeleton
def test_classes_that_may_overlap_have_the_mean_of_their_own_losses(name: str) -> None:
    logits, mask, fov = drawn(0, 3)
    found = segmentation_loss(name, logits, mask, fov).item()
    p, t = pixels_of(torch.sigmoid(logits.double()), fov), pixels_of(mask, fov)
    # float32, and smoothing terms of 1e-6
    assert found == pytest.approx(np.mean([FORMULAS[name](*each) for each in zip(p, t, strict=True)]), rel=1e-5)


def softmax_entropy(p: Array, t: Array) -> float:
    return float(-(t * np.log(p)).sum(axis=0).mean())


def softmax_focal(p: Array, t: Array) -> float:
    """The background is the first row and has a weight of 1 − α."""
    weight = np.array([0.75, 0.25, 0.25, 0.25])[:, None]
    return float(-(weight * t * (1 - p) ** 2 * np.log(p)).sum(axis=0).mean())


def softmax_generalised_dice(p: Array, t: Array) -> float:
    """Sudre et al. 2017, section 2.1, with all four classes."""
    weight = 1 / t.sum(axis=1) ** 2
    return float(1 - 2 * (weight * (p * t).sum(axis=1)).sum() / (weight * (p + t).sum(axis=1)).sum())


def by_class(name: str) -> Callable[[Array, Array], float]:
    return lambda p, t: float(np.mean([FORMULAS[name](*each) for each in zip(p[1:], t[1:], strict=True)]))


TOGETHER: dict[str, Callable[[Array, Array], float]] = {
    "bce": softmax_entropy,
    "dice": by_class("dice"),
    "dice_bce": lambda p, t: softmax_entropy(p, t) + by_class("dice")(p, t),
    "weighted_dice": softmax_generalised_dice,
    "iou": by_class("iou"),
    "bce_iou": lambda p, t: softmax_entropy(p, t) + by_class("iou")(p, t),
    "dice_bce_iou": lambda p, t: by_class("dice")(p, t) + softmax_entropy(p, t) + by_class("iou")(p, t),
    "focal": softmax_focal,
    "tversky": by_class("tversky"),
}


@without_skeleton
def test_classes_that_exclude_each_other_share_a_softmax_with_the_background(name: str) -> None:
    logits, mask, fov = drawn(1, 4)
    found = segmentation_loss(name, logits, mask, fov).item()
    background = 1 - mask.sum(dim=1, keepdim=True)
    p = pixels_of(torch.softmax(logits.double(), dim=1), fov)
    t = pixels_of(torch.cat((background, mask), dim=1), fov)
    assert found == pytest.approx(TOGETHER[name](p, t), rel=1e-5)  # float32, and smoothing terms of 1e-6


@pytest.mark.parametrize("channels", [3, 4])
def test_the_centreline_loss_is_the_mean_of_the_classes(channels: int) -> None:
    logits, mask, fov = drawn(2, channels)
    log_odds = logits if channels == 3 else torch.logit(torch.softmax(logits, dim=1)[:, 1:], eps=1e-6)
    alone = [segmentation_loss("cldice", log_odds[:, k : k + 1], mask[:, k : k + 1], fov).item() for k in range(3)]
    assert segmentation_loss("cldice", logits, mask, fov).item() == pytest.approx(np.mean(alone), rel=1e-4)


@every_loss
@pytest.mark.parametrize("channels", [3, 4])
def test_a_class_that_is_nowhere_and_an_empty_fov_leave_loss_and_gradient_finite(name: str, channels: int) -> None:
    logits, mask, fov = drawn(3, channels)
    mask[:, 1] = 0
    logits.requires_grad_()
    for field in (fov, torch.zeros_like(fov)):
        loss = segmentation_loss(name, logits, mask, field)
        loss.backward()  # type: ignore[no-untyped-call]
        assert torch.isfinite(loss)
        assert logits.grad is not None
        assert torch.isfinite(logits.grad).all()


@every_loss
@pytest.mark.parametrize("channels", [3, 4])
def test_descending_a_loss_finds_the_classes(name: str, channels: int) -> None:
    generator = torch.Generator().manual_seed(4)
    labels = torch.randint(4, (1, 16, 16), generator=generator)
    mask = torch.stack([labels == number for number in (1, 2, 3)], dim=1).float()
    logits = torch.zeros((1, channels, 16, 16), requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.2)
    for _ in range(60):
        optimiser.zero_grad()
        segmentation_loss(name, logits, mask, torch.ones_like(mask[:, :1])).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    found = logits.argmax(dim=1) if channels == 4 else (logits.argmax(dim=1) + 1) * (logits.amax(dim=1) > 0)
    assert (found == labels).float().mean() > 0.95


def test_a_side_output_of_one_channel_learns_where_anything_is() -> None:
    logits, mask, fov = drawn(5, 4)
    side = torch.randn((2, 1, 6, 8), generator=torch.Generator().manual_seed(6))
    alone = segmentation_loss("bce", side, mask.sum(dim=1, keepdim=True), fov)
    expected = segmentation_loss("bce", logits, mask, fov) + 0.3 * alone
    assert deep_loss("bce", (logits, side), mask, fov, 0.3).item() == pytest.approx(expected.item(), rel=1e-6)
