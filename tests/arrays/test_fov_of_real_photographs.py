"""The field of view that is found in real photographs, against the masks that the sets (or others) drew."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw

from foveate.arrays.fov import find_fov

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from foveate.records import Image, Mask

PHOTOGRAPHS = {
    "drive": "DRIVE/test/images/02_test.tif",
    "chase_db1": "CHASE_DB1/Image_05L.jpg",
    "hrf_half": "HRF_half/images/06_h.jpg",
}
"""Discs of 538, 921 and 1632 pixels; HRF's is cut flat by the image's own top and bottom."""

HALF_A_PIXEL = 0.995
"""The IoU of a disc of 538 pixels with one whose radius is half a pixel larger is .996."""


def read_colours(path: Path) -> Image:
    data = path.read_bytes()
    with PillowImage.open(io.BytesIO(gzip.decompress(data) if path.suffix == ".gz" else data)) as file:
        return np.asarray(file.convert("RGB"))


def read_lit(path: Path) -> Mask:
    with PillowImage.open(path) as file:
        return np.asarray(file.convert("L")) >= 128


def iou(one: Mask, other: Mask) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


def drive(data: Path) -> Iterator[tuple[Path, Path]]:
    for image in sorted((data / "DRIVE").glob("*/images/*.tif")):
        yield image, image.parents[1] / "mask" / f"{image.stem}_mask.gif"


def stare(data: Path) -> Iterator[tuple[Path, Path]]:
    for image in sorted((data / "STARE" / "stare-images").iterdir()):
        yield image, data / "STARE_FOV" / image.name.replace(".ppm.gz", ".gif")


def chase_db1(data: Path) -> Iterator[tuple[Path, Path]]:
    for image in sorted((data / "CHASE_DB1").glob("*.jpg")):
        yield image, data / "CHASE_DB1_FOV" / f"{image.stem}.png"


def hrf_half(data: Path) -> Iterator[tuple[Path, Path]]:
    for image in sorted((data / "HRF_half" / "images").iterdir()):
        yield image, data / "HRF_half" / "mask" / f"{image.stem}_mask.tif"


@pytest.fixture(scope="module", params=PHOTOGRAPHS)
def photograph(request: pytest.FixtureRequest, shared_data: Path) -> Image:
    return read_colours(shared_data / PHOTOGRAPHS[request.param])


@pytest.mark.parametrize(("files", "count"), [(drive, 40), (stare, 20), (chase_db1, 28), (hrf_half, 45)])
def test_the_disc_found_is_the_one_drawn_for_every_photograph(
    files: Callable[[Path], Iterator[tuple[Path, Path]]], count: int, shared_data: Path
) -> None:
    found = {image.name: (find_fov(read_colours(image)), read_lit(fov)) for image, fov in files(shared_data)}
    overlaps = {name: iou(fov.mask, drawn) for name, (fov, drawn) in found.items()}
    assert len(overlaps) == count
    assert np.mean(list(overlaps.values())) > 0.99
    # The drawn masks differ from the light by a pixel or two themselves: 3 pixels of 538 are .978.
    assert min(overlaps.values()) > 0.98, min(overlaps, key=lambda name: overlaps[name])
    assert {fov.note for fov, _ in found.values()} == {""}


def test_the_box_is_the_bounding_box_of_the_mask(photograph: Image) -> None:
    fov = find_fov(photograph)
    top, left, bottom, right = fov.box
    assert fov.mask.shape == photograph.shape[:2]
    assert np.count_nonzero(fov.mask[top:bottom, left:right]) == np.count_nonzero(fov.mask)
    edges = fov.mask[top], fov.mask[bottom - 1], fov.mask[:, left], fov.mask[:, right - 1]
    assert all(edge.any() for edge in edges)


def test_a_photograph_at_full_and_at_half_size_has_the_same_disc(shared_data: Path) -> None:
    full_size = sorted((shared_data / "HRF" / "images").iterdir())
    assert full_size
    for path in full_size:
        full = find_fov(read_colours(path))
        half = find_fov(read_colours(shared_data / "HRF_half" / "images" / path.name))
        assert full.diameter == pytest.approx(2 * half.diameter, rel=0.001)  # a pixel and a half of 1633
        assert iou(full.mask[::2, ::2], half.mask) > HALF_A_PIXEL


@pytest.mark.parametrize("factor", [0.25, 0.37, 1.7])
def test_a_scaled_copy_gives_the_scaled_disc(photograph: Image, factor: float) -> None:
    height, width = photograph.shape[:2]
    size = round(width * factor), round(height * factor)
    copy = PillowImage.fromarray(photograph).resize(size, PillowImage.Resampling.BICUBIC)
    original, scaled = find_fov(photograph), find_fov(np.asarray(copy))
    # A third of a pixel of the smallest disc, which has 134.
    assert scaled.diameter == pytest.approx(factor * original.diameter, rel=0.0025)
    here, there = (np.argwhere(fov.mask).mean(axis=0) + 0.5 for fov in (original, scaled))
    step = np.array([size[1] / height, size[0] / width])
    np.testing.assert_allclose(there, here * step, rtol=0, atol=0.3 * max(1.0, factor))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photograph_gives_the_turned_disc(photograph: Image, turns: int) -> None:
    original = find_fov(photograph)
    turned = find_fov(np.ascontiguousarray(np.rot90(photograph, turns)))
    assert turned.diameter == pytest.approx(original.diameter, rel=0.0002)
    assert iou(turned.mask, np.rot90(original.mask, turns)) > 0.999


def with_bright_label(photograph: Image) -> Image:
    labelled = photograph.copy()
    labelled[: photograph.shape[0] // 12, : photograph.shape[1] // 8] = 255
    return labelled


def with_spot(photograph: Image) -> Image:
    spotted = photograph.copy()
    spotted[5:12, 5:12] = 255
    return spotted


def with_print(photograph: Image) -> Image:
    picture = PillowImage.fromarray(photograph)
    place = picture.width - 120, picture.height - 30
    ImageDraw.Draw(picture).text(place, "12.03.1998 OD", fill=(255, 255, 255))
    return np.asarray(picture)


@pytest.mark.parametrize("mark", [with_bright_label, with_spot, with_print])
def test_what_is_printed_or_stuck_onto_the_border_does_not_move_the_disc(
    photograph: Image, mark: Callable[[Image], Image]
) -> None:
    marked = mark(photograph)
    assert not np.array_equal(marked, photograph)
    found = find_fov(marked)
    assert iou(found.mask, find_fov(photograph).mask) > HALF_A_PIXEL
    assert found.note == ""


def test_a_noisy_border_costs_at_most_a_pixel(photograph: Image) -> None:
    noise = np.random.default_rng(0).integers(0, 40, photograph.shape).astype(np.uint8)
    found = find_fov(np.maximum(photograph, noise))
    # A radius one pixel smaller is an IoU of .993 at 538 pixels.
    assert iou(found.mask, find_fov(photograph).mask) > 0.993
    assert found.note == ""


def test_an_underexposed_photograph_has_the_same_disc(photograph: Image) -> None:
    dim = (0.3 * photograph).astype(np.uint8)
    assert iou(find_fov(dim).mask, find_fov(photograph).mask) > HALF_A_PIXEL


def test_a_photograph_cropped_to_the_retina_is_taken_whole_and_says_so(photograph: Image) -> None:
    height, width = photograph.shape[:2]
    middle = photograph[height // 4 : -height // 4, width // 4 : -width // 4]
    found = find_fov(middle)
    assert found.mask.all()
    assert found.box == (0, 0, *middle.shape[:2])
    assert found.diameter == max(middle.shape[:2])
    assert "no dark border" in found.note
