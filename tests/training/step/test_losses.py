"""Every loss of a recipe against its formula in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]

from foveate.recipes.schema import TrainingSection
from foveate.training.step.losses import LOSSES, deep_loss, segmentation_loss

Array = NDArray[np.float64]

every_loss = pytest.mark.parametrize("name", LOSSES)


def arrays(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn((2, 1, 6, 8), generator=generator)
    mask = torch.rand((2, 1, 6, 8), generator=generator)
    fov = (torch.rand((2, 1, 6, 8), generator=generator) > 0.4).float()
    return logits, mask, fov


def wide_arrays(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Shares and logits of bands about a dozen pixels wide, which keep a skeleton busy for some steps."""
    random = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(random.normal(size=(2, 2, 1, 64, 56)), (0, 0, 0, 4, 4))
    mask, logits = (30 * noise + 0.2).clip(0, 1)[0], 40 * noise[0] + 60 * noise[1]
    fov = np.ones((2, 1, 64, 56))
    fov[0, :, :, 40:], fov[1, :, :9] = 0, 0
    return torch.from_numpy(logits).float(), torch.from_numpy(mask).float(), torch.from_numpy(fov).float()


def cross_entropy(p: Array, t: Array) -> float:
    return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).mean())


def dice(p: Array, t: Array) -> float:
    return float(1 - 2 * (p * t).sum() / (p.sum() + t.sum()))


def generalised_dice(p: Array, t: Array) -> float:
    """Sudre et al. 2017: a sum over the two classes above, and one below."""
    agreed = total = 0.0
    for predicted, true in ((p, t), (1 - p, 1 - t)):
        agreed += (predicted * true).sum() / true.sum() ** 2
        total += (predicted + true).sum() / true.sum() ** 2
    return float(1 - 2 * agreed / total)


def jaccard(p: Array, t: Array) -> float:
    return float(1 - (p * t).sum() / (p.sum() + t.sum() - (p * t).sum()))


def focal(p: Array, t: Array) -> float:
    """Each pixel as `t` of a vessel pixel and `1 − t` of one beside it."""
    vessel = -0.25 * (1 - p) ** 2 * np.log(p)
    background = -0.75 * p**2 * np.log(1 - p)
    return float((t * vessel + (1 - t) * background).mean())


def tversky(p: Array, t: Array) -> float:
    found, too_much, missed = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
    return float(1 - found / (found + 0.3 * too_much + 0.7 * missed))


FORMULAS: dict[str, Callable[[Array, Array], float]] = {
    "bce": cross_entropy,
    "dice": dice,
    "dice_bce": lambda p, t: cross_entropy(p, t) + dice(p, t),
    "weighted_dice": generalised_dice,
    "iou": jaccard,
    "bce_iou": lambda p, t: cross_entropy(p, t) + jaccard(p, t),
    "dice_bce_iou": lambda p, t: dice(p, t) + cross_entropy(p, t) + jaccard(p, t),
    "focal": focal,
    "tversky": tversky,
}


def inside(logits: torch.Tensor, mask: torch.Tensor, fov: torch.Tensor) -> tuple[Array, Array]:
    """Probability and share of the FOV's pixels."""
    where = fov.numpy().astype(bool)
    z, t = (x.numpy().astype(np.float64)[where] for x in (logits, mask))
    return 1 / (1 + np.exp(-z)), t


def skeleton(image: Array) -> Array:
    """Shit et al. 2021, algorithm 1, ten steps; a cross wears off and a square opens, as in their code."""
    cross = ndimage.generate_binary_structure(2, 1)

    def erode(x: Array) -> Array:
        return np.asarray(ndimage.grey_erosion(x, footprint=cross, mode="constant", cval=np.inf))

    def opened(x: Array) -> Array:
        return np.asarray(ndimage.grey_dilation(erode(x), size=(3, 3), mode="constant", cval=-np.inf))

    found = np.maximum(image - opened(image), 0)
    for _ in range(10):
        image = erode(image)
        found = found + (1 - found) * np.maximum(image - opened(image), 0)
    return found


def centreline_dice(logits: torch.Tensor, mask: torch.Tensor, fov: torch.Tensor) -> float:
    z, t, f = (x.numpy().astype(np.float64)[:, 0] for x in (logits, mask, fov))
    p, t = f / (1 + np.exp(-z)), f * t
    lines_p, lines_t = (np.stack([skeleton(each) for each in x]) for x in (p, t))
    precision, sensitivity = (lines_p * t).sum() / lines_p.sum(), (lines_t * p).sum() / lines_t.sum()
    return float(2 * precision * sensitivity / (precision + sensitivity))


def test_a_recipe_may_name_every_loss_and_no_other() -> None:
    assert set(get_args(TrainingSection.model_fields["loss"].annotation)) == set(LOSSES) == {*FORMULAS, "cldice"}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_loss_equals_its_formula_inside_the_fov(name: str) -> None:
    for given in (arrays(seed=0), wide_arrays(seed=0)):
        expected = FORMULAS[name](*inside(*given))
        # Float32 sums of up to some thousand terms, and the epsilon of 1e-6.
        assert segmentation_loss(name, *given).item() == pytest.approx(expected, rel=1e-5)


def test_centreline_dice_equals_its_formula_inside_the_fov() -> None:
    given = wide_arrays(seed=0)
    expected = 0.5 * dice(*inside(*given)) + 0.5 * (1 - centreline_dice(*given))
    assert segmentation_loss("cldice", *given).item() == pytest.approx(expected, rel=1e-5)  # as above


def test_centreline_dice_punishes_a_gap_more_than_a_thinner_vessel() -> None:
    mask, fov = torch.zeros(1, 1, 32, 64), torch.ones(1, 1, 32, 64)
    mask[..., 13:18, 4:60] = 1
    gap, thin = mask.clone(), mask.clone()
    gap[..., 13:18, 26:37] = 0
    thin[..., 13, :] = 0
    losses = [segmentation_loss("cldice", 40 * (2 * x - 1), mask, fov).item() for x in (thin, gap)]
    dices = [segmentation_loss("dice", 40 * (2 * x - 1), mask, fov).item() for x in (thin, gap)]
    assert dices[0] == pytest.approx(dices[1], abs=0.01)  # 56 pixels of 280 are missing, or 55
    assert losses[1] > losses[0] + 0.02


@every_loss
def test_what_lies_outside_the_fov_has_no_influence(name: str) -> None:
    logits, mask, fov = arrays(seed=1)
    other = torch.where(fov > 0, logits, -logits)
    assert segmentation_loss(name, logits, mask, fov) == segmentation_loss(name, other, mask, fov)
    logits.requires_grad_()
    segmentation_loss(name, logits, mask, fov).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.all(logits.grad[fov == 0] == 0)
    assert torch.any(logits.grad != 0)


@every_loss
def test_a_perfect_prediction_costs_nothing(name: str) -> None:
    _, mask, fov = arrays(seed=2)
    truth = (mask > 0.5).float()
    perfect = segmentation_loss(name, 60 * (2 * truth - 1), truth, fov).item()
    assert perfect == pytest.approx(0, abs=1e-6)


@every_loss
@pytest.mark.parametrize("strength", [1, 60, -60])
@pytest.mark.parametrize("vessel", [0, 1])
@pytest.mark.parametrize("seen", [0, 1])
def test_loss_and_gradient_are_finite_where_mask_or_fov_is_empty_or_full(
    name: str, strength: float, vessel: int, seen: int
) -> None:
    logits, mask, fov = arrays(seed=4)
    logits = (strength * logits.abs()).requires_grad_()
    loss = segmentation_loss(name, logits, torch.full_like(mask, vessel), torch.full_like(fov, seen))
    loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert seen or loss.item() == 0


@pytest.mark.parametrize("vessel", [0, 1])
def test_weighted_dice_counts_both_classes_alike_where_one_is_missing(vessel: int) -> None:
    """Else an image without vessels would teach nothing."""
    logits, mask, fov = arrays(seed=5)
    mask = torch.full_like(mask, vessel)
    p, t = inside(logits, mask, fov)
    agreed = (p * t + (1 - p) * (1 - t)).sum()
    assert segmentation_loss("weighted_dice", logits, mask, fov).item() == pytest.approx(1 - agreed / p.size, rel=1e-5)


def test_side_outputs_add_their_weighted_loss_at_their_own_size() -> None:
    logits, mask, fov = arrays(seed=3)
    side = logits[..., ::2, ::2]
    halves = [torch.from_numpy(x.numpy().reshape(2, 1, 3, 2, 4, 2).mean(axis=(3, 5))) for x in (mask, fov)]
    expected = segmentation_loss("dice_bce", logits, mask, fov) + 0.2 * segmentation_loss("dice_bce", side, *halves)
    assert deep_loss("dice_bce", [logits, side], mask, fov, 0.2).item() == pytest.approx(expected.item(), rel=1e-6)
    assert deep_loss("dice_bce", [logits, side], mask, fov, 0) == segmentation_loss("dice_bce", logits, mask, fov)
