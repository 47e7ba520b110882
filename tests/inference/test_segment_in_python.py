import hashlib
import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]

import foveate
from computed_models import computed
from foveate.arrays.fov import find_fov
from foveate.drawn import draw
from foveate.errors import ImageError, OutputError, UsageError
from foveate.inference import PostProcessing, Procedure, Segmentation, Segmenter
from foveate.models import open_model
from known_model import known_model

drawn = cache(draw)
LEAST_GREEN = 90
Source = Callable[[NDArray[np.uint8], Path], Any]


@cache
def vessels() -> Segmenter:
    return foveate.load("vessels")


def green() -> Segmenter:
    """A model whose answer is known: the probability of a pixel is its green value / 255; sizes are kept."""
    return computed(
        lambda batch: batch[:, 1:2] / np.float32(255),
        working_minimum=1.0,
        working_maximum=9999.0,
        thresholds=((LEAST_GREEN - 0.5) / 255,),
    )


def photograph(seed: int = 0, height: int = 150, width: int = 160) -> NDArray[np.uint8]:
    return drawn(seed, height=height, width=width).image


def png(pixels: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def saved(pixels: NDArray[Any], folder: Path) -> Path:
    (folder / "photo.png").write_bytes(png(pixels))
    return folder / "photo.png"


def check_well_formed(result: Segmentation, height: int, width: int) -> None:
    assert result.mask.dtype == result.fov.dtype == np.bool_
    assert result.probability.dtype == np.float32
    assert result.mask.shape == result.fov.shape == result.probability.shape == (height, width)
    assert result.probability.min() >= 0
    assert result.probability.max() <= 1
    assert not result.probability[~result.fov].any()
    np.testing.assert_array_equal(result.mask, (result.probability >= result.thresholds[0]) & result.fov)
    overlay = result.overlay()
    assert overlay.dtype == np.uint8
    assert overlay.shape == (height, width, 3)


COLOUR: dict[str, Source] = {
    "path": lambda pixels, folder: saved(pixels, folder),
    "text": lambda pixels, folder: str(saved(pixels, folder)),
    "bytes": lambda pixels, folder: png(pixels),
    "Pillow image": lambda pixels, folder: PillowImage.fromarray(pixels),
    "uint8": lambda pixels, folder: pixels,
    "uint16": lambda pixels, folder: pixels.astype(np.uint16) * 257,
    "not contiguous": lambda pixels, folder: np.asfortranarray(pixels),
}


@pytest.mark.parametrize("form", COLOUR)
def test_the_same_colours_in_any_form_give_the_same_result(form: str, tmp_path: Path) -> None:
    pixels = photograph()
    expected, result = green().segment(pixels), green().segment(COLOUR[form](pixels, tmp_path))
    for name in ("mask", "probability", "fov"):
        np.testing.assert_array_equal(getattr(result, name), getattr(expected, name))
    np.testing.assert_array_equal(result.overlay(), expected.overlay())
    assert 0 < result.mask.sum() < result.fov.sum()


@pytest.mark.parametrize("channels", [0, 1])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_array_is_a_photograph_with_equal_channels(channels: int, dtype: type) -> None:
    grey = photograph()[..., 0]
    expected = green().segment(np.stack([grey] * 3, axis=2))
    wide = grey.astype(dtype) * dtype(257 if dtype is np.uint16 else 1)
    result = green().segment(wide[..., None] if channels else wide)
    np.testing.assert_array_equal(result.probability, expected.probability)
    np.testing.assert_array_equal(result.mask, expected.mask)
    assert result.mask.any()


def test_the_shipped_model_gives_a_well_formed_result_and_the_same_one_each_time() -> None:
    result, again = vessels().segment(photograph()), vessels().segment(photograph())
    check_well_formed(result, 150, 160)
    np.testing.assert_array_equal(again.probability, result.probability)
    card = open_model("vessels").card
    assert (result.model, result.thresholds) == (card.name, card.thresholds)
    assert result.seconds > 0


@pytest.mark.parametrize("image", ["STARE/stare-images/im0001.ppm.gz", "CHASE_DB1/Image_01L.jpg"])
def test_real_photographs_of_other_cameras_give_well_formed_results(image: str, shared_data: Path) -> None:
    result = vessels().segment(shared_data / image)
    height, width = result.photograph.pixels.shape[:2]
    check_well_formed(result, height, width)
    assert result.notes == ()
    assert 0.3 < result.fov.mean() < 0.95
    assert result.mask.any()


def test_probabilities_and_mask_are_what_the_network_says_inside_the_field_of_view() -> None:
    pixels = photograph()
    result = green().segment(pixels)
    fov = find_fov(pixels).mask
    check_well_formed(result, 150, 160)
    np.testing.assert_array_equal(result.fov, fov)
    np.testing.assert_array_equal(result.probability, np.where(fov, pixels[..., 1] / np.float32(255), 0))
    np.testing.assert_array_equal(result.mask, (pixels[..., 1] >= LEAST_GREEN) & fov)


def test_a_given_field_of_view_takes_the_place_of_the_search() -> None:
    pixels = photograph()
    fov = np.zeros((150, 160), bool)
    fov[20:90, 30:140] = True
    result = green().segment(pixels, fov=fov)
    check_well_formed(result, 150, 160)
    np.testing.assert_array_equal(result.fov, fov)
    np.testing.assert_array_equal(result.probability, np.where(fov, pixels[..., 1] / np.float32(255), 0))


def test_an_empty_field_of_view_gives_an_empty_mask() -> None:
    result = vessels().segment(photograph(), fov=np.zeros((150, 160), bool))
    check_well_formed(result, 150, 160)
    assert not result.mask.any()
    assert not result.probability.any()


def test_a_field_of_view_of_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(ImageError, match=r"\(160, 150\).*\(150, 160\)"):
        green().segment(photograph(), fov=np.ones((160, 150), bool))


def test_a_black_photograph_gives_nothing_and_says_so() -> None:
    result = vessels().segment(np.zeros((40, 61, 3), np.uint8))
    check_well_formed(result, 40, 61)
    assert not result.mask.any()
    assert not result.fov.any()
    (note,) = result.notes
    assert "black" in note


def test_a_photograph_without_a_dark_border_is_taken_as_a_whole_and_says_so() -> None:
    result = green().segment(np.maximum(photograph(), LEAST_GREEN))
    assert result.mask.all()
    (note,) = result.notes
    assert "no dark border" in note


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 4000), (301, 17), (16, 40_000)])
def test_any_size_that_is_read_is_segmented(height: int, width: int) -> None:
    stripes = np.full((height, width, 3), 120, np.uint8)
    stripes[:, ::7] = 60
    check_well_formed(vessels().segment(stripes), height, width)


@pytest.mark.parametrize("style", ["outline", "fill"])
def test_the_overlay_differs_from_the_photograph_on_or_around_the_mask_and_on_the_rim_only(
    style: Literal["outline", "fill"],
) -> None:
    result = green().segment(photograph())
    changed = (result.overlay(style=style) != photograph()).any(axis=2)
    padded = np.pad(result.fov, 1)
    inner = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2] & result.fov
    drawn = result.mask if style == "fill" else ndimage.binary_dilation(result.mask) & ~result.mask
    np.testing.assert_array_equal(changed, drawn | (result.fov & ~inner))
    np.testing.assert_array_equal(result.overlay(), result.overlay(style="outline", opacity=0.8))


def test_the_result_knows_its_image_and_leaves_it_as_it_was() -> None:
    pixels = photograph().copy()
    result = green().segment(pixels)
    np.testing.assert_array_equal(pixels, photograph())
    np.testing.assert_array_equal(result.photograph.pixels, pixels)
    encoded = png(pixels)
    assert green().segment(encoded).photograph.sha256 == hashlib.sha256(encoded).hexdigest()


def test_the_decisions_of_reading_come_with_the_result() -> None:
    result = green().segment(photograph().astype(np.uint16) * 16)
    assert result.notes == ("16-bit image with 12-bit values: scaled by 255/4095",)


def test_saving_writes_what_the_result_holds_and_returns_where(tmp_path: Path) -> None:
    result = green().segment(saved(photograph(), tmp_path))
    paths = result.save(tmp_path / "out", probabilities=True, overlay=True)
    assert paths == {kind: tmp_path / "out" / f"photo_{kind}.png" for kind in ("mask", "probability", "overlay")}
    stored = {}
    for kind, path in paths.items():
        with PillowImage.open(path) as image:
            stored[kind] = np.array(image)
    np.testing.assert_array_equal(stored["mask"], np.where(result.mask, 255, 0))
    # 16 bits round to half a step.
    assert np.abs(stored["probability"] / 65535 - result.probability).max() <= 1 / 65535
    np.testing.assert_array_equal(stored["overlay"], result.overlay())


def test_saving_never_replaces_a_file_unless_asked_to(tmp_path: Path) -> None:
    result = green().segment(photograph())
    (tmp_path / "eye_overlay.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"eye_overlay\.png"):
        result.save(tmp_path, name="eye", overlay=True)
    assert [path.name for path in tmp_path.iterdir()] == ["eye_overlay.png"]
    assert (tmp_path / "eye_overlay.png").read_bytes() == b"mine"
    result.save(str(tmp_path), name="eye", overlay=True, overwrite=True)
    assert (tmp_path / "eye_overlay.png").read_bytes() != b"mine"


def test_results_of_images_from_memory_are_saved_under_a_name(tmp_path: Path) -> None:
    paths = green().segment(photograph()).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [paths["mask"].name]
    assert paths["mask"].name.endswith("_mask.png")


def test_a_path_without_a_file_and_a_file_without_an_image_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.png.*no such file"):
        green().segment(tmp_path / "missing.png")
    (tmp_path / "words.png").write_text("words")
    with pytest.raises(ImageError, match=r"words\.png"):
        green().segment(tmp_path / "words.png")


@pytest.mark.parametrize(
    ("names", "exclusive", "kinds"),
    [
        (("vessel",), True, ("mask", "probability", "overlay")),
        (("artery", "vein_of_two"), True, ("mask", "artery_probability", "vein_of_two_probability", "overlay")),
        (("artery", "vein_of_two"), False, ("artery_mask", "vein_of_two_mask", "artery_probability", "overlay")),
    ],
)
def test_every_output_is_there_as_bytes_and_is_what_a_file_would_hold(
    names: tuple[str, ...], exclusive: bool, kinds: tuple[str, ...], tmp_path: Path
) -> None:
    segmenter = computed(
        lambda batch: batch[:, 1 : 1 + len(names)] / np.float32(520),
        classes=names,
        exclusive=exclusive,
        thresholds=(0.3,) * (1 if exclusive else len(names)),
        working_minimum=1.0,
        working_maximum=9999.0,
    )
    result = segmenter.segment(photograph())
    paths = result.save(tmp_path, name="photo", probabilities=True, overlay=True)
    assert set(kinds) <= set(paths)
    for kind, path in paths.items():
        assert result.png(kind) == path.read_bytes()
    with pytest.raises(UsageError, match=r"unknown output 'masks'\. Did you mean '(artery_)?mask'"):
        result.png("masks")


@pytest.mark.parametrize("working", [40.0, 75.0, 150.0])
def test_parts_with_less_area_at_the_working_size_than_the_card_says_are_removed_unless_asked_otherwise(
    working: float,
) -> None:
    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return batch[:, 1:2] / np.float32(255)

    own = computed(network, working_minimum=working, working_maximum=working, thresholds=(0.4,), min_size=9, trust=None)
    result = own.segment(photograph())
    labels, count = ndimage.label((result.probability >= np.float32(0.4)) & result.fov, np.ones((3, 3)))
    areas = ndimage.sum_labels(np.ones(labels.shape), labels, np.arange(1, count + 1))
    scale = working / result.fov_diameter
    large = areas * scale**2 >= 9 if abs(scale - 1) >= 0.02 else areas >= 9
    assert 0 < large.sum() < count
    np.testing.assert_array_equal(result.mask, np.isin(labels, 1 + np.flatnonzero(large)))
    for asked, least in ((0, 0), (30, 30)):
        procedure = Procedure(post_processing=PostProcessing(min_size=asked))
        other = Segmenter(own.card, own.session, procedure).segment(photograph())
        np.testing.assert_array_equal(other.mask, np.isin(labels, 1 + np.flatnonzero(areas >= least)))


def test_what_the_card_adds_stands_in_the_record_and_an_option_of_ones_own_in_its_place(tmp_path: Path) -> None:
    model = known_model(tmp_path / "model", min_size=9)
    for name, options, words in (
        ("own", {}, "min_size 9 at the working size (the model's)"),
        ("more", {"fill_holes": 3}, "fill_holes 3, min_size 9 at the working size (the model's)"),
        ("none", {"min_size": 0}, "min_size 0"),
    ):
        foveate.segment(saved(photograph(), tmp_path), tmp_path / name, model=model, **options)  # type: ignore[arg-type]
        record = json.loads((tmp_path / name / "segment.json").read_text(encoding="utf-8"))
        assert words in json.dumps(record, ensure_ascii=False)
