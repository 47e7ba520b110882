"""Where crops lie, how they are turned, and what is added to their colours."""

from __future__ import annotations

from itertools import product
from math import atan, atan2, degrees, exp, hypot
from pathlib import Path

import numpy as np
import pytest
import torch

from foveate.arrays.prepare import Preparation
from foveate.datasets import open_set
from foveate.recipes.schema import AugmentationSection
from foveate.training.data.augmentation import Placement, draw_placement, recolour, resample
from foveate.training.data.reading import prepared
from foveate.training.data.sampling import TrainingSet, draw_batch

CPU = torch.device("cpu")
STILL = AugmentationSection(rotation=0, flip=False, scale=0, brightness=0, contrast=0, gamma=0, colour=0)


def with_keys(**keys: float | str) -> AugmentationSection:
    return AugmentationSection.model_validate(STILL.model_dump() | keys)


def placements(case: torch.Tensor, augmentation: AugmentationSection, count: int) -> list[Placement]:
    generator = torch.Generator().manual_seed(0)
    return [draw_placement(case, 32, augmentation, generator) for _ in range(count)]


def waves(height: int, width: int) -> torch.Tensor:
    """A case of five different smooth planes."""
    rows, columns = np.mgrid[:height, :width]
    planes = [127 + 120 * np.sin(rows / (8 + n) + columns / (14 - 2 * n)) for n in range(5)]
    return torch.from_numpy(np.stack(planes).astype(np.uint8))


def spread(values: list[float], bound: float) -> bool:
    """Within ± the bound and, of 300, some close to either end."""
    return -bound <= min(values) < -0.95 * bound and 0.95 * bound < max(values) <= bound


def test_turn_scale_and_shear_stay_within_the_recipes_bounds_and_reach_them() -> None:
    turns, zooms, leans = [], [], []
    for place in placements(waves(64, 64), with_keys(rotation=40, scale=0.3, shear=20), 300):
        (a, b), (c, d) = place.matrix
        zoom = hypot(a, c)
        turns.append(degrees(atan2(c, a)))
        zooms.append(zoom)
        leans.append(degrees(atan((a * b + c * d) / zoom**2)))
        assert a * d - b * c == pytest.approx(zoom**2)  # shear keeps the area; nothing is mirrored
    assert spread(turns, 40)
    assert spread(leans, 20)
    assert spread([float(np.log(zoom)) for zoom in zooms], 0.3)
    assert max(zooms) < exp(0.3)


def test_mirrored_left_right_and_upside_down_are_drawn_apart() -> None:
    found = [place.matrix for place in placements(waves(64, 64), with_keys(flip=True, flip_vertical=True), 400)]
    for columns in (-1, 1):
        for rows in (-1, 1):
            share = found.count(((columns, 0), (0, rows))) / len(found)
            assert share == pytest.approx(0.25, abs=0.065)  # three standard deviations of 400 draws


def test_crops_on_whole_pixels_are_cut_out_turned_and_mirrored_and_nothing_else() -> None:
    case = torch.randint(256, (5, 70, 90), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    everything = with_keys(rotation=180, flip=True, flip_vertical=True, scale=0.3, shear=20, shift=0.1, whole_pixels=1)
    found = placements(case, everything, 300)
    for place, crop in zip(found, resample([case] * 300, found, 32, CPU).numpy(), strict=True):
        right = np.arange(32) + 0.5 - 16
        down = right[:, None]
        (a, b), (c, d) = place.matrix
        column, row = a * right + b * down + place.centre[0] - 0.5, c * right + d * down + place.centre[1] - 0.5
        rows, columns = np.rint(row), np.rint(column)
        np.testing.assert_allclose((row, column), (rows, columns), atol=1e-9)
        inside = (rows >= 0) & (rows < 70) & (columns >= 0) & (columns < 90)
        expected = case.numpy()[:, rows.clip(0, 69).astype(int), columns.clip(0, 89).astype(int)] * inside
        np.testing.assert_allclose(crop, expected, atol=0.01)
    assert {tuple(map(tuple, np.rint(place.matrix))) for place in found} == {
        ((a, b), (c, d))
        for a, b, c, d in product((-1, 0, 1), repeat=4)
        if abs(a * d - b * c) == 1 and a * b + c * d == 0 == a * c
    }


@pytest.mark.parametrize("share", [0.25, 0.75])
def test_a_share_of_the_crops_lies_on_whole_pixels(share: float) -> None:
    found = placements(waves(64, 64), with_keys(scale=0.3, whole_pixels=share), 1000)
    whole = [place for place in found if place.matrix == ((1, 0), (0, 1))]
    assert len(whole) / 1000 == pytest.approx(share, abs=0.05)


def test_a_shift_moves_the_place_by_up_to_its_share_of_the_crop() -> None:
    case = waves(64, 64)
    plain, moved = (
        [draw_placement(case, 32, augmentation, torch.Generator().manual_seed(seed)).centre for seed in range(300)]
        for augmentation in (STILL, with_keys(shift=0.25))
    )
    columns, rows = ([b[axis] - a[axis] for a, b in zip(plain, moved, strict=True)] for axis in (0, 1))
    assert spread(columns, 0.25 * 32)
    assert spread(rows, 0.25 * 32)
    assert abs(np.corrcoef(columns, rows)[0, 1]) < 0.18  # three standard errors of 300 draws


def centres(height: int, width: int, **keys: float | bool) -> tuple[list[float], list[float]]:
    """Columns and rows, from the image's middle, of 300 crops of 32 pixels."""
    found = [place.centre for place in placements(waves(height, width), with_keys(**keys), 300)]
    return [x - width / 2 for x, _ in found], [y - height / 2 for _, y in found]


def test_a_crop_reaches_over_the_edge_by_its_jitter_and_no_farther() -> None:
    for jitter in (0.0, 0.125, 0.5):
        columns, rows = centres(64, 100, jitter=jitter)
        assert spread(columns, (100 - 32) / 2 + jitter * 32)
        assert spread(rows, (64 - 32) / 2 + jitter * 32)


def test_a_crop_nearly_as_large_as_the_image_reaches_over_it_by_no_more_than_the_image_over_the_crop() -> None:
    columns, rows = centres(32, 34, jitter=0.125)
    assert spread(columns, (34 - 32) / 2 + 2)
    assert rows == [0.0] * 300


def test_whole_images_are_shifted_by_their_shift_alone() -> None:
    for axis in centres(32, 32, shift=0.2):
        assert spread(axis, 0.2 * 32)
    columns, rows = centres(20, 32, shift=0.2)  # lower than the crop
    assert spread(columns, 0.2 * 32)
    assert spread(rows, 0.2 * 32)


def test_a_vessel_does_not_move_a_crop_that_is_the_whole_image() -> None:
    case = torch.zeros(5, 32, 60, dtype=torch.uint8)
    case[4], case[3, 3, 50] = 255, 255
    (centre,) = {place.centre for place in placements(case, with_keys(place="vessel"), 20)}
    assert centre == (50.5, 16)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (34, 20), (90, 64)])
def test_one_key_places_crops_as_they_were_placed_before_version_0_2_0(height: int, width: int) -> None:
    case, generator = waves(height, width), torch.Generator().manual_seed(0)
    for found in placements(case, with_keys(jitter_whole=True), 50):
        across, down = (2 * torch.rand(5, generator=generator) - 1).tolist()[2:4]
        x = width / 2 + across * (max(width - 32, 0) / 2 + 32 / 8)
        y = height / 2 + down * (max(height - 32, 0) / 2 + 32 / 8)
        assert found.centre == (x, y)


def test_keys_that_are_off_take_no_chance() -> None:
    """So recipes from before a key draw the crops that they drew before it."""
    case = waves(64, 48)
    drawn, expected = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    draw_placement(case, 32, AugmentationSection(), drawn)
    torch.rand(5, generator=expected)  # angle, scale, column, row, mirror
    assert torch.equal(drawn.get_state(), expected.get_state())
    recolour(torch.rand(2, 3, 8, 8), AugmentationSection(), drawn)
    torch.rand(2 + 2 + 2 * 3 + 2, generator=expected)  # gamma, contrast, colour, brightness
    assert torch.equal(drawn.get_state(), expected.get_state())


def test_vessel_centred_crops_have_a_vessel_in_their_middle() -> None:
    case = torch.zeros(5, 60, 80, dtype=torch.uint8)
    case[4, :, :60] = 255
    spots = {(5, 7), (30, 59), (55, 20)}
    for row, column in spots:
        case[3, row, column] = 255
    case[3, 40, 70] = 255  # outside the FOV
    generator = torch.Generator().manual_seed(0)
    data, augmentation = TrainingSet("x", 1.0, (case,)), with_keys(place="vessel", rotation=180)
    batch = draw_batch([data], size=64, side=16, augmentation=augmentation, generator=generator, device=CPU)
    middle = batch.mask[:, 0, 7:9, 7:9].sum(dim=(1, 2))
    # A crop of even side has four pixels about its middle, each at most a bilinear quarter of the spot when turned.
    assert middle.min() > 0.3
    found = {(int(y), int(x)) for x, y in (place.centre for place in placements(case, augmentation, 64))}
    assert found == spots


def test_vessel_centred_crops_of_a_photograph_hold_more_vessel_than_others(shared_data: Path) -> None:
    entries = open_set(f"drive:{shared_data / 'DRIVE'}").split("train")[:1]
    cases = tuple(prepared(entry, Preparation(working_minimum=512, working_maximum=512)) for entry in entries)
    shares = []
    for place in ("uniform", "vessel"):
        batch = draw_batch(
            [TrainingSet("drive", 1.0, cases)],
            size=100,
            side=32,
            augmentation=with_keys(place=place),
            generator=torch.Generator().manual_seed(0),
            device=CPU,
        )
        shares.append(float(batch.mask[:, 0, 15:17, 15:17].mean()))
    assert shares[0] < 0.25  # vessels cover an eighth of a fundus
    assert shares[1] > 0.6


def test_without_a_vessel_crops_lie_anywhere() -> None:
    case = waves(64, 96)
    case[3] = 0
    plain, vessel = (placements(case, augmentation, 20) for augmentation in (STILL, with_keys(place="vessel")))
    assert plain == vessel


def test_noise_is_normal_and_of_any_strength_up_to_the_recipes() -> None:
    grey = torch.full((200, 3, 32, 32), 0.5)
    image = recolour(grey, with_keys(noise=0.1), torch.Generator().manual_seed(0)) - 0.5
    strengths = image.std(dim=(1, 2, 3))
    # 3072 draws estimate a standard deviation to 1.3 %.
    assert 0.098 < float(strengths.max()) < 0.104
    assert float(strengths.min()) < 0.002
    assert float(strengths.mean()) == pytest.approx(0.05, abs=0.007)  # uniform; three standard errors of 200
    strong = image[strengths > 0.05] / strengths[strengths > 0.05, None, None, None]
    assert float((strong.abs() < 1).float().mean()) == pytest.approx(0.683, abs=0.01)  # as of any normal number
    neighbours = float((strong[..., 1:] * strong[..., :-1]).mean())
    channels = float((strong[:, 0] * strong[:, 1]).mean())
    assert [neighbours, channels] == pytest.approx([0, 0], abs=0.01)


def test_noise_repeats_with_the_generator_and_leaves_mask_and_outside_alone() -> None:
    case = waves(48, 48)
    case[4] = 255
    case[:, :, :12] = 0
    first, again, plain = (
        draw_batch(
            [TrainingSet("x", 1.0, (case,))],
            size=4,
            side=32,
            augmentation=augmentation,
            generator=torch.Generator().manual_seed(0),
            device=CPU,
        )
        for augmentation in (with_keys(noise=0.2), with_keys(noise=0.2), STILL)
    )
    assert torch.equal(first.image, again.image)
    assert not torch.equal(first.image, plain.image)
    assert torch.equal(first.mask, plain.mask)
    dark = (plain.image == 0).all(dim=1) & (plain.fov[:, 0] == 0)
    assert dark.any()
    assert torch.all(first.image.permute(0, 2, 3, 1)[dark] == 0)
