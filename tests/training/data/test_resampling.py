"""The crops of a batch are the affine transforms of their cases that their placements say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform  # type: ignore[import-untyped]
from torch.nn import functional as F

from foveate.recipes.schema import AugmentationSection
from foveate.training.data import augmentation
from foveate.training.data.augmentation import Placement, draw_placement, resample

CPU = torch.device("cpu")
EVERYTHING = AugmentationSection(rotation=180, flip_vertical=True, scale=0.4, shift=0.2, shear=30)


def waves(height: int, width: int) -> torch.Tensor:
    """A case of five different smooth planes."""
    rows, columns = np.mgrid[:height, :width]
    planes = [127 + 120 * np.sin(rows / (8 + n) + columns / (14 - 2 * n)) for n in range(5)]
    return torch.from_numpy(np.stack(planes).astype(np.uint8))


def noise(height: int, width: int, seed: int) -> torch.Tensor:
    return torch.randint(256, (5, height, width), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def of_whole_case(case: torch.Tensor, placement: Placement, side: int) -> torch.Tensor:
    """The crop as PyTorch's own functions make it of all of the case, in float64."""
    height, width = case.shape[1:]
    (a, b), (c, d) = placement.matrix
    x, y = placement.centre
    matrix = [[a * side / width, b * side / width, 2 * x / width - 1]]
    matrix += [[c * side / height, d * side / height, 2 * y / height - 1]]
    grid = F.affine_grid(torch.tensor([matrix], dtype=torch.float64), [1, 1, side, side], align_corners=False)
    return F.grid_sample(case[None].double(), grid, padding_mode="zeros", align_corners=False)[0]


@pytest.mark.parametrize("side", [16, 96])
def test_the_crops_of_a_batch_are_those_that_whole_cases_give(side: int) -> None:
    cases = [noise(70, 90, 0), noise(200, 40, 1), noise(64, 64, 2)] * 8
    generator = torch.Generator().manual_seed(0)
    placements = [draw_placement(case, side, EVERYTHING, generator) for case in cases]
    placements[0] = Placement((-500.0, 30.0), ((1, 0), (0, 1)))  # outside
    found = resample(cases, placements, side, CPU).double()
    expected = torch.stack([of_whole_case(case, each, side) for case, each in zip(cases, placements, strict=True)])
    # Positions in float32 from -1 to 1 in a window of 200 pixels are 2e-5 pixels off; noise is as steep as 255 a pixel.
    assert float((found - expected).abs().max()) < 1e-3 * 255
    assert float((found - expected).abs().mean()) < 1e-5 * 255
    assert float(expected[0].abs().max()) == 0
    assert (expected == 0).any()
    assert float(expected[1:].std()) > 30


def test_how_many_crops_are_made_at_once_changes_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [noise(70, 90, seed) for seed in range(7)]
    generator = torch.Generator().manual_seed(0)
    placements = [draw_placement(case, 32, EVERYTHING, generator) for case in cases]
    together = resample(cases, placements, 32, CPU)
    monkeypatch.setattr(augmentation, "AT_ONCE", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert torch.equal(resample(cases, placements, 32, CPU), together)


def test_a_window_holds_what_a_crop_depends_on_and_hardly_more() -> None:
    case = noise(300, 400, 0)
    generator = torch.Generator().manual_seed(1)
    for _ in range(20):
        drawn = draw_placement(case, 64, EVERYTHING, generator)
        place = Placement((200 + drawn.centre[0] % 1, 150 + drawn.centre[1] % 1), drawn.matrix)  # nothing is cut off
        rows, columns = place.footprint(64, 300, 400)
        blanked = torch.zeros_like(case)
        blanked[:, rows, columns] = case[:, rows, columns]
        assert torch.equal(of_whole_case(blanked, place, 64), of_whole_case(case, place, 64))
        for lost in (slice(rows.start, rows.start + 2), slice(rows.stop - 2, rows.stop)):
            smaller = blanked.clone()
            smaller[:, lost] = 0
            assert not torch.equal(of_whole_case(smaller, place, 64), of_whole_case(case, place, 64))
        for lost in (slice(columns.start, columns.start + 2), slice(columns.stop - 2, columns.stop)):
            smaller = blanked.clone()
            smaller[:, :, lost] = 0
            assert not torch.equal(of_whole_case(smaller, place, 64), of_whole_case(case, place, 64))


def test_a_crop_is_the_one_affine_transform_that_its_placement_says() -> None:
    case = waves(70, 90)
    generator = torch.Generator().manual_seed(0)
    placements = [draw_placement(case, 32, EVERYTHING, generator) for _ in range(12)]
    for place, found in zip(placements, resample([case] * 12, placements, 32, CPU).numpy(), strict=True):
        # Scipy counts rows first and from the middle of the first pixel.
        matrix = np.array(place.matrix)[::-1, ::-1]
        offset = np.array(place.centre)[::-1] - 0.5 - matrix @ np.full(2, 15.5)
        for plane, crop in zip(case.numpy().astype(float), found, strict=True):
            expected = affine_transform(plane, matrix, offset, output_shape=(32, 32), order=1, mode="grid-constant")
            # Positions in float32 from −1 to 1 are 1e-5 pixels off; edges are as steep as 250 per pixel.
            assert crop == pytest.approx(expected, abs=0.01)


def test_a_crop_upside_down_is_read_from_the_bottom() -> None:
    case = waves(40, 40)
    upside_down = resample([case], [Placement((20, 20), ((1, 0), (0, -1)))], 32, CPU)
    assert upside_down[0].numpy() == pytest.approx(case[:, 4:36, 4:36].flip(1).numpy(), abs=0.01)  # float32 positions
