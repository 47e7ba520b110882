"""Every network can learn one image by heart: whatever it computes, it can be trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from conftest import SHARED_DATA
from every_network import LEARNING, Case, outputs
from foveate.datasets import open_set

STEPS = 200
"""Of Adam, whose rate rises to 1e-2 and falls to zero, on one piece of 48×48 pixels and its mirror image."""

CHECK_EVERY = 10

FROZEN = Case("dual_attention_unet", {"freeze": "layer3"})

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photograph() -> tuple[Tensor, Tensor]:
    """A piece of a photograph of DRIVE and its vessels, drawn ones where DRIVE isn't: 1×3×48×48 and 1×1×48×48."""
    drive = SHARED_DATA / "DRIVE"
    case = next(iter(open_set(f"drive:{drive}" if drive.is_dir() else "synthetic:1").split("train"))).load()
    row, column = 200, 80
    window = np.s_[row : row + 48, column : column + 48]
    piece, mask = case.image[window].astype(np.float32), case.mask[window]
    assert 0.1 < mask.mean() < 0.4
    image = torch.from_numpy(((piece - piece.mean()) / piece.std()).transpose(2, 0, 1)[None])
    return image, torch.from_numpy(mask.astype(np.float32))[None, None]


@pytest.mark.parametrize("case", [*LEARNING, FROZEN], ids=str)
def test_it_learns_a_piece_of_a_photograph_by_heart(case: Case, photograph: tuple[Tensor, Tensor]) -> None:
    # Two images, as batch norm at 1/32 of the size has but four positions in each.
    image, mask = (torch.cat((part, part.flip(3))) for part in photograph)
    image = image[:, [1, 0, 2, 1][: case.in_channels]]  # green first, in which vessels show best
    mask = mask.expand(-1, case.classes, -1, -1)
    network = case.fresh()
    optimiser = torch.optim.Adam((p for p in network.parameters() if p.requires_grad), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=STEPS + 1, pct_start=0.1)
    dice = 0.0
    for step in range(1, STEPS + 1):
        network.train()
        losses = []
        for logits in outputs(network, image):
            target = F.interpolate(mask, logits.shape[-2:], mode="area")[:, : logits.shape[1]]
            losses.append(F.binary_cross_entropy_with_logits(logits, target))
        optimiser.zero_grad()
        torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % CHECK_EVERY == 0 and (dice := dice_of(network, image, mask)) > 0.95:
            return
    assert dice > 0.95


def dice_of(network: torch.nn.Module, image: Tensor, mask: Tensor) -> float:
    with torch.inference_mode():
        found = (network.eval()(image) > 0).float()
    return float(2 * (found * mask).sum() / (found.sum() + mask.sum()))
