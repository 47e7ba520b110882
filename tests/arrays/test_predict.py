"""From the photograph through a network and back: with a network that draws the green channel, green comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.arrays.fov import FieldOfView, find_fov
from foveate.arrays.prepare import STRIDE, Preparation, predict

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from foveate.records import Image


def at_size(minimum: float, maximum: float) -> Preparation:
    """With these bounds of the field of view's diameter."""
    return Preparation(working_minimum=minimum, working_maximum=maximum)


OWN_SIZE = at_size(1, 100_000)


@dataclass(frozen=True)
class GreenNetwork:
    """Its first class is the green channel from 0 to 1, its second the opposite; it keeps what it saw."""

    seen: list[NDArray[np.float32]] = field(default_factory=list)

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.seen.append(batch)
        green = batch[:, 1:2] / 255
        return np.concatenate((green, 1 - green), axis=1)


def noise(height: int, width: int) -> Image:
    return np.random.default_rng(height * width).integers(1, 256, (height, width, 3)).astype(np.uint8)


def disc(height: int, width: int, diameter: float) -> FieldOfView:
    rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width) + 0.5
    mask = np.hypot(rows - height / 2, columns - width / 2) <= diameter / 2
    return FieldOfView.of_mask(mask, diameter=diameter)


@pytest.mark.parametrize("shape", [(64, 64), (65, 71), (101, 60), (17, 16)])
def test_at_its_own_scale_every_pixel_comes_back_exactly_and_nothing_outside(shape: tuple[int, int]) -> None:
    image, fov = noise(*shape), disc(*shape, min(shape) - 1)
    found, *_ = predict(image, fov, GreenNetwork(), OWN_SIZE)
    assert found.shape == shape
    assert found.dtype == np.float32
    expected = np.where(fov.mask, image[..., 1].astype(np.float32) / 255, 0)
    np.testing.assert_array_equal(found, expected)  # nothing is resampled, nothing is rounded


@pytest.mark.parametrize("shape", [(64, 64), (65, 71), (101, 60), (17, 16), (9, 200)])
@pytest.mark.parametrize("size", [37, 80, 133])
def test_a_network_sees_one_rgb_image_padded_with_black_to_multiples_of_the_stride(
    shape: tuple[int, int], size: int
) -> None:
    fov, network = FieldOfView.of_mask(np.ones(shape, bool)), GreenNetwork()
    predict(np.full((*shape, 3), 201, np.uint8), fov, network, at_size(size, size))
    (batch,) = network.seen
    height, width = at_size(size, size).frame(fov).working
    padded_to = (-(-height // STRIDE) * STRIDE, -(-width // STRIDE) * STRIDE)
    assert batch.shape == (1, 3, *padded_to)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    # Levels from 0 to 255; the padding lies below and to the right.
    expected = np.pad(np.full((height, width), 201), ((0, padded_to[0] - height), (0, padded_to[1] - width)))
    for channel in batch[0]:
        np.testing.assert_array_equal(channel, expected)


def test_colours_stay_in_the_order_red_green_blue() -> None:
    image = np.broadcast_to(np.array([10, 20, 30], np.uint8), (24, 24, 3))
    network = GreenNetwork()
    predict(image, FieldOfView.of_mask(np.ones((24, 24), bool)), network, OWN_SIZE)
    for channel, level in enumerate((10, 20, 30)):
        np.testing.assert_array_equal(network.seen[0][0, channel], level)


def test_an_empty_field_of_view_gives_zeros_and_asks_no_network() -> None:
    network = GreenNetwork()
    empty = FieldOfView.of_mask(np.zeros((30, 41), bool))
    found, *_ = predict(noise(30, 41), empty, network, at_size(512, 1024))
    np.testing.assert_array_equal(found, np.zeros((30, 41), np.float32))
    assert found.dtype == np.float32
    assert network.seen == []


@pytest.mark.parametrize("size", [300, 512, 777, 1024])
def test_a_smooth_picture_comes_back_on_its_own_pixels_whatever_the_working_size(size: int) -> None:
    rows, columns = np.arange(700)[:, None] + 0.5, np.arange(640) + 0.5
    wave = np.sin(2 * np.pi * (rows / 90 + columns / 210)) + np.cos(2 * np.pi * (rows / 230 - columns / 75))
    image = np.repeat(np.round(255 * (0.5 + 0.2 * wave)).astype(np.uint8)[..., None], 3, axis=2)
    fov = disc(700, 640, 600)
    found, *_ = predict(image, fov, GreenNetwork(), at_size(size, size))
    inner = fov.mask & disc(700, 640, 570).mask  # the black outside bleeds in at the rim
    # Rounding to 8 bits, twice, is 1/255; blur by both filters takes at most as much again.
    assert np.abs(found - (0.5 + 0.2 * wave))[inner].max() < 2 / 255
    assert not found[~fov.mask].any()


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("DRIVE/test/images/02_test.tif", 512),
        ("DRIVE/test/images/02_test.tif", 1024),
        ("CHASE_DB1/Image_05L.jpg", 512),
        ("HRF_half/images/06_h.jpg", 1024),
    ],
)
def test_the_vessels_of_a_photograph_come_back_where_they_were(name: str, size: int, shared_data: Path) -> None:
    with PillowImage.open(shared_data / name) as file:
        image = np.asarray(file.convert("RGB"))
    fov = find_fov(image)
    found = predict(image, fov, GreenNetwork(), at_size(size, size))[0].astype(np.float64)
    own = image[..., 1] / 255.0
    top, left, bottom, right = fov.box
    quarter = (bottom - top) // 4
    middle = np.s_[top + quarter : bottom - quarter, left + quarter : right - quarter]
    slopes = np.stack([np.gradient(found, axis=axis)[middle].ravel() for axis in (0, 1)], axis=1)
    moved = np.linalg.lstsq(slopes, (found - own)[middle].ravel(), rcond=None)[0]
    # The camera's noise is not smooth, so its own slope counts as a little shift; half a pixel would be .5.
    assert np.abs(moved).max() < 0.05


@pytest.mark.parametrize("diameter", [40, 120, 200])
def test_threads_change_nothing(diameter: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foveate.arrays.prepare.THREADS_PAY", 0)
    image, fov = noise(700, 130), disc(700, 130, 120)
    by_one, by_three = GreenNetwork(), GreenNetwork()
    alone = predict(image, fov, by_one, at_size(diameter, diameter), planes=2)
    np.testing.assert_array_equal(predict(image, fov, by_three, at_size(diameter, diameter), 2, threads=3), alone)
    np.testing.assert_array_equal(by_three.seen, by_one.seen)


def test_what_fails_in_a_thread_fails_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foveate.arrays.prepare.THREADS_PAY", 0)
    image, fov = noise(64, 64), disc(64, 64, 60)
    with pytest.raises(ValueError, match="broadcast"):
        predict(image[:32], fov, GreenNetwork(), OWN_SIZE, threads=3)
