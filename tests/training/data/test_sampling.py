import numpy as np
import pytest
import torch

from foveate.recipes.schema import AugmentationSection
from foveate.training.data.normalisation import channel_statistics
from foveate.training.data.sampling import TrainingSet, draw_batch

CPU = torch.device("cpu")
STILL = AugmentationSection(rotation=0, flip=False, scale=0, brightness=0, contrast=0, gamma=0, colour=0)


def case(height: int, width: int, seed: int) -> torch.Tensor:
    """A smooth image whose mask plane is its red channel and whose FOV is everything."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [127 + 100 * np.sin(rows / random.uniform(9, 15) + columns / random.uniform(9, 15)) for _ in range(3)]
    planes = np.stack([*waves, waves[0], np.full((height, width), 255)])
    return torch.from_numpy(planes.astype(np.uint8))


def draw(data: TrainingSet, augmentation: AugmentationSection, seed: int, size: int = 8) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    batch = draw_batch([data], size=size, side=48, augmentation=augmentation, generator=generator, device=CPU)
    return batch.image, batch.mask, batch.fov


def test_image_and_mask_are_turned_scaled_and_mirrored_together() -> None:
    data = TrainingSet("x", 1.0, (case(90, 70, seed=0),))
    colourless = AugmentationSection(brightness=0, contrast=0, gamma=0, colour=0)
    image, mask, fov = draw(data, colourless, seed=3)
    assert float((fov == 0).float().mean()) > 0.01  # some crops reach over the edge
    # The mask plane is the red channel, so the two agree wherever the FOV is full.
    difference = (image[:, :1] - mask).abs()[fov > 0]
    assert float(difference.max()) < 1e-6


def test_without_augmentation_a_crop_is_a_window_of_the_image() -> None:
    source = case(60, 60, seed=1)
    image, _, _ = draw(TrainingSet("x", 1.0, (source,)), STILL, seed=0, size=1)
    # The centre is drawn to a fraction of a pixel: find it by brute force.
    best = min(
        float((image[0, 1, 12:36, 12:36] - window).abs().mean())
        for window in (
            source[1, 18 + down : 42 + down, 18 + right : 42 + right].float() / 255
            for down in range(-12, 13)
            for right in range(-12, 13)
        )
    )
    # Half a pixel of a wave of 9 px and amplitude .4 in both directions is at most .04.
    assert best < 0.04


@pytest.mark.parametrize("jitter", [0.0, 0.125])
def test_a_crop_as_large_as_the_image_is_the_image(jitter: float) -> None:
    source = case(48, 48, seed=1)
    keys = STILL.model_copy(update={"jitter": jitter})
    image, mask, fov = draw(TrainingSet("x", 1.0, (source,)), keys, seed=0)
    expected = source.numpy() / 255
    for each, of_mask, inside in zip(image, mask, fov, strict=True):
        assert each.numpy() == pytest.approx(expected[:3], abs=1e-5)  # float32 weights of the resampling
        assert of_mask.numpy() == pytest.approx(expected[3:4], abs=1e-5)
        assert bool((inside == 1).all())


def test_a_crop_longer_than_the_image_has_it_in_its_middle_and_is_black_beside_it() -> None:
    source = case(90, 40, seed=1)  # the crops are of 48 pixels
    image, _, fov = draw(TrainingSet("x", 1.0, (source,)), STILL, seed=0, size=16)
    assert bool((fov[:, 0, 12:36, 4:44] == 1).all())
    assert float(image[..., :4].max()) < 1e-5  # float32 weights of the resampling
    assert float(image[..., 44:].max()) < 1e-5
    tops = {round(float(each[0, 24, 24]), 3) for each in image}
    assert len(tops) > 8  # along the other axis crops still lie anywhere


def test_a_quarter_turn_moves_what_was_on_top_to_a_side() -> None:
    planes = torch.zeros(5, 48, 48, dtype=torch.uint8)
    planes[4] = 255
    planes[:4, :24] = 200
    seen = set()
    turned = AugmentationSection(rotation=180, flip=False, scale=0, brightness=0, contrast=0, gamma=0, colour=0)
    _, mask, _ = draw(TrainingSet("x", 1.0, (planes,)), turned, seed=0, size=64)
    for crop in mask[:, 0]:
        halves = {
            "top": crop[:16].mean() - crop[-16:].mean(),
            "bottom": crop[-16:].mean() - crop[:16].mean(),
            "left": crop[:, :16].mean() - crop[:, -16:].mean(),
            "right": crop[:, -16:].mean() - crop[:, :16].mean(),
        }
        seen.add(max(halves, key=lambda side: float(halves[side])))
    assert seen == {"top", "bottom", "left", "right"}


def test_sets_are_drawn_by_their_weights() -> None:
    planes = [torch.full((5, 48, 48), value, dtype=torch.uint8) for value in (100, 200)]
    sets = [
        TrainingSet(str(n), weight, (plane,)) for n, (weight, plane) in enumerate(zip((3.0, 1.0), planes, strict=True))
    ]
    generator = torch.Generator().manual_seed(0)
    batch = draw_batch(sets, size=400, side=16, augmentation=STILL, generator=generator, device=CPU)
    share = float((batch.image[:, 0, 8, 8] < 0.5).float().mean())
    assert share == pytest.approx(0.75, abs=0.07)  # three standard deviations of 400 draws


def test_colour_changes_stay_in_range_and_leave_the_mask_and_the_dark_outside_alone() -> None:
    source = case(64, 64, seed=2)
    source[:, :, :20] = 0
    strong = AugmentationSection(rotation=0, flip=False, scale=0, brightness=0.5, contrast=0.5, gamma=0.5, colour=0.5)
    image, mask, fov = draw(TrainingSet("x", 1.0, (source,)), strong, seed=0)
    _, plain_mask, _ = draw(TrainingSet("x", 1.0, (source,)), STILL, seed=0)
    assert torch.equal(mask, plain_mask)
    assert float(image.min()) >= 0
    assert float(image.max()) <= 1
    outside = (fov == 0).expand_as(image)
    assert outside.float().mean() > 0.01
    # The edge of the FOV is resampled, so up to half a pixel beside it still has a share of the image.
    far = torch.nn.functional.max_pool2d(fov, 3, stride=1, padding=1).expand_as(image) == 0
    assert far.any()
    assert torch.all(image[far] == 0)


def test_channel_statistics_count_the_fov_and_every_set_alike() -> None:
    first, second = case(40, 30, seed=4), case(20, 50, seed=5)
    first[4, :10] = 0
    mean, deviation = channel_statistics([TrainingSet("a", 1, (first,)), TrainingSet("b", 9, (second,))])
    inside = first.numpy()[:3, 10:].reshape(3, -1).astype(float)
    whole = second.numpy()[:3].reshape(3, -1).astype(float)
    expected = (inside.mean(axis=1) + whole.mean(axis=1)) / 2
    square = ((inside**2).mean(axis=1) + (whole**2).mean(axis=1)) / 2
    assert mean == pytest.approx(expected)
    assert deviation == pytest.approx(np.sqrt(square - expected**2))
