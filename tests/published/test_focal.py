"""The focal loss of knowing nothing, against the loss that networks are trained by and against a sum over pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from foveate.published.focal import ALPHA, GAMMA, knowing_nothing
from foveate.training.step.losses import segmentation_loss


@pytest.mark.parametrize(("foreground", "end"), [(1, 0), (0, 1)])
def test_the_ends_are_the_training_loss_of_logits_of_zero_where_all_is_foreground_or_nothing(
    foreground: int, end: int
) -> None:
    nothing = torch.zeros(1, 1, 8, 8)
    loss = segmentation_loss("focal", nothing, torch.full_like(nothing, foreground), torch.ones_like(nothing))
    assert loss.item() == pytest.approx(knowing_nothing()[end], rel=1e-6)  # float32


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5, 1.0])
def test_the_mean_over_pixels_lies_between_the_ends_whatever_is_foreground(share: float) -> None:
    true = np.arange(1000) < 1000 * share
    p = np.full(1000, 0.5)
    p_true = np.where(true, p, 1 - p)
    low, high = knowing_nothing()
    balanced = (-np.where(true, ALPHA, 1 - ALPHA) * (1 - p_true) ** GAMMA * np.log(p_true)).mean()
    assert low - 1e-12 <= balanced <= high + 1e-12
    plain = (-((1 - p_true) ** GAMMA) * np.log(p_true)).mean()
    assert knowing_nothing(balanced=False) == pytest.approx((plain, plain), rel=1e-12)
