"""Test-time augmentation with networks whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from foveate.arrays.augmented import Views, predict_augmented
from foveate.arrays.fov import FieldOfView
from foveate.records import Image, Probabilities

HEIGHT, WIDTH = 40, 33


def image_and_fov() -> tuple[Image, FieldOfView]:
    """Neither has any symmetry."""
    image = np.random.default_rng(2).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[3:30, 5:31] = True
    mask[3, 5] = False
    return image, FieldOfView.of_mask(mask, diameter=29.5, note="a note")


def what_is_seen(image: Image, fov: FieldOfView) -> Probabilities:
    """Red and green inside the FOV: moves with the image."""
    return ((image[..., :2] * fov.mask[..., None]).transpose(2, 0, 1) / 255).astype(np.float32)


def from_the_left(image: Image, fov: FieldOfView) -> Probabilities:
    """As `what_is_seen`, but fading to the right and, half as much, downwards: doesn't move with the image."""
    height, width = image.shape[:2]
    fading = 1 - np.linspace(0, 0.6, width) - np.linspace(0, 0.3, height)[:, None]
    return (what_is_seen(image, fov) * fading).astype(np.float32)


SYMMETRIES = {
    2: [(0, False), (0, True)],
    4: [(0, False), (0, True), (2, False), (2, True)],
    8: [(turns, mirrored) for turns in range(4) for mirrored in (False, True)],
}
"""The same groups in another way: quarter turns, after mirroring left and right or not."""


def move(array: NDArray[Any], how: tuple[int, bool]) -> NDArray[Any]:
    """Mirror and turn H×W(×C)."""
    turns, mirrored = how
    return np.ascontiguousarray(np.rot90(np.fliplr(array) if mirrored else array, turns))


@pytest.mark.parametrize("views", [2, 4, 8])
def test_a_network_that_moves_with_the_image_says_exactly_the_same_with_no_deviation(views: Views) -> None:
    image, fov = image_and_fov()
    mean, deviation = predict_augmented(image, fov, what_is_seen, views)
    assert mean.dtype == deviation.dtype == np.float32
    np.testing.assert_array_equal(mean, what_is_seen(image, fov))
    assert deviation.shape == mean.shape == (2, HEIGHT, WIDTH)
    assert not deviation.any()


@pytest.mark.parametrize("views", [2, 4, 8])
def test_every_view_is_seen_once_with_its_own_field_of_view(views: Views) -> None:
    image, fov = image_and_fov()
    seen: list[tuple[bytes, bytes]] = []

    def looking(turned: Image, its_fov: FieldOfView) -> Probabilities:
        seen.append((turned.tobytes(), its_fov.mask.tobytes()))
        assert its_fov.mask.shape == turned.shape[:2]
        assert its_fov.diameter == fov.diameter
        assert its_fov.note == fov.note
        rows, columns = np.nonzero(its_fov.mask)
        assert its_fov.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        return what_is_seen(turned, its_fov)

    predict_augmented(image, fov, looking, views)
    expected = [(move(image, how).tobytes(), move(fov.mask, how).tobytes()) for how in SYMMETRIES[views]]
    assert seen[0] == expected[0]
    assert sorted(seen) == sorted(expected)
    assert len(set(seen)) == views


@pytest.mark.parametrize("views", [2, 4, 8])
def test_mean_and_deviation_are_those_of_the_predictions_brought_back(views: Views) -> None:
    image, fov = image_and_fov()
    brought_back = []
    for how in SYMMETRIES[views]:
        # Where each pixel went, so that every prediction can be put back without knowing the way.
        places = move(np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH), how)
        turned = FieldOfView.of_mask(move(fov.mask, how))
        found = from_the_left(move(image, how), turned)
        upright = np.empty((2, HEIGHT * WIDTH))
        upright[:, places.ravel()] = found.reshape(2, -1)
        brought_back.append(upright.reshape(2, HEIGHT, WIDTH))
    mean, deviation = predict_augmented(image, fov, from_the_left, views)
    # Both are float64 rounded to float32: half a step of 6e-8 at 1.
    np.testing.assert_allclose(mean, np.mean(brought_back, axis=0), atol=1e-7)
    np.testing.assert_allclose(deviation, np.std(brought_back, axis=0), atol=1e-7)
    assert deviation.max() > 0.1


@pytest.mark.parametrize("views", [2, 4, 8])
def test_of_a_mirrored_or_turned_image_the_mean_is_mirrored_or_turned(views: Views) -> None:
    image, fov = image_and_fov()
    mean, deviation = predict_augmented(image, fov, from_the_left, views)
    for how in SYMMETRIES[views]:
        turned = FieldOfView.of_mask(move(fov.mask, how))
        other = predict_augmented(move(image, how), turned, from_the_left, views)
        for found, expected in zip(other, (mean, deviation), strict=True):
            planes = np.stack([move(plane, how) for plane in expected])
            # The same numbers summed up in another order, then rounded to float32.
            np.testing.assert_allclose(found, planes, atol=1e-7)


def test_outside_the_field_of_view_mean_and_deviation_are_zero() -> None:
    image, fov = image_and_fov()
    for planes in predict_augmented(image, fov, from_the_left, 8):
        assert not planes[:, ~fov.mask].any()
