import numpy as np
import pytest
import torch

from foveate.training.losses import deep_loss, segmentation_loss


def arrays(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn((2, 1, 6, 8), generator=generator)
    mask = torch.rand((2, 1, 6, 8), generator=generator)
    fov = (torch.rand((2, 1, 6, 8), generator=generator) > 0.4).float()
    return logits, mask, fov


def by_hand(logits: torch.Tensor, mask: torch.Tensor, fov: torch.Tensor) -> tuple[float, float]:
    """Cross-entropy and 1 − Dice over the pixels of the FOV, in float64."""
    inside = fov.numpy().astype(bool)
    z, t = logits.numpy().astype(np.float64)[inside], mask.numpy().astype(np.float64)[inside]
    p = 1 / (1 + np.exp(-z))
    entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    return float(entropy), float(1 - 2 * (p * t).sum() / (p.sum() + t.sum()))


def test_losses_equal_their_formulas_inside_the_fov() -> None:
    logits, mask, fov = arrays(seed=0)
    entropy, dice = by_hand(logits, mask, fov)
    # Float32 sums of a hundred terms, and the epsilon of 1e-6 in Dice.
    assert segmentation_loss("bce", logits, mask, fov).item() == pytest.approx(entropy, rel=1e-5)
    assert segmentation_loss("dice", logits, mask, fov).item() == pytest.approx(dice, rel=1e-5)
    assert segmentation_loss("dice_bce", logits, mask, fov).item() == pytest.approx(entropy + dice, rel=1e-5)


@pytest.mark.parametrize("name", ["bce", "dice", "dice_bce"])
def test_what_lies_outside_the_fov_has_no_influence(name: str) -> None:
    logits, mask, fov = arrays(seed=1)
    other = torch.where(fov > 0, logits, -logits)
    assert segmentation_loss(name, logits, mask, fov) == segmentation_loss(name, other, mask, fov)
    logits.requires_grad_()
    segmentation_loss(name, logits, mask, fov).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.all(logits.grad[fov == 0] == 0)


@pytest.mark.parametrize("name", ["bce", "dice", "dice_bce"])
def test_a_perfect_prediction_costs_nothing(name: str) -> None:
    _, mask, fov = arrays(seed=2)
    truth = (mask > 0.5).float()
    perfect = segmentation_loss(name, 60 * (2 * truth - 1), truth, fov).item()
    assert perfect == pytest.approx(0, abs=1e-6)


def test_side_outputs_add_their_weighted_loss_at_their_own_size() -> None:
    logits, mask, fov = arrays(seed=3)
    side = logits[..., ::2, ::2]
    halves = [torch.from_numpy(x.numpy().reshape(2, 1, 3, 2, 4, 2).mean(axis=(3, 5))) for x in (mask, fov)]
    expected = segmentation_loss("dice_bce", logits, mask, fov) + 0.2 * segmentation_loss("dice_bce", side, *halves)
    assert deep_loss("dice_bce", [logits, side], mask, fov, 0.2).item() == pytest.approx(expected.item(), rel=1e-6)
    assert deep_loss("dice_bce", [logits, side], mask, fov, 0) == segmentation_loss("dice_bce", logits, mask, fov)
