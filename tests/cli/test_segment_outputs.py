import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

import foveate
from foveate.models import open_model
from foveate_command import (
    RECORD,
    files_in_record,
    green_model,
    images_in_record,
    names,
    opened,
    pixels,
    run,
    run_apart,
    save,
    segment,
)
from green_model import LEAST_GREEN


def test_a_real_photograph_gives_files_that_say_what_python_says(tmp_path: Path, shared_data: Path) -> None:
    photograph = shared_data / "DRIVE" / "test" / "images" / "01_test.tif"
    out = tmp_path / "out"
    ran = run("segment", photograph, "-o", out, "--probabilities", "--overlay")
    assert (ran.status, ran.err) == (0, "")
    kinds = ("mask", "probability", "overlay")
    assert names(out) == {*RECORD, *(f"01_test_{kind}.png" for kind in kinds)}
    mask, probability, overlay = (opened(out / f"01_test_{kind}.png") for kind in kinds)
    result = foveate.load("vessels").segment(photograph)
    assert mask.dtype == np.uint8
    assert mask.shape == probability.shape == opened(photograph).shape[:2]
    np.testing.assert_array_equal(mask, np.where(result.mask, 255, 0))
    assert result.mask.any()
    # 16 bits round to half a step.
    assert np.abs(probability / 65535 - result.probability).max() <= 1 / 65535
    np.testing.assert_array_equal(result.mask, (result.probability >= result.thresholds[0]) & result.fov)
    np.testing.assert_array_equal(overlay, result.overlay())


def test_the_files_hold_what_the_model_says_of_each_pixel(tmp_path: Path) -> None:
    out = tmp_path / "out"
    photograph = save(tmp_path / "photo.png")
    assert segment(photograph, "-o", out, "--probabilities").status == 0
    fov = foveate.load(green_model()).segment(photograph).fov
    assert not fov.all()
    green = np.where(fov, pixels()[..., 1], 0)
    expected = np.where(green >= LEAST_GREEN, 255, 0)
    np.testing.assert_array_equal(opened(out / "photo_mask.png"), expected)
    assert set(np.unique(expected[fov])) == {0, 255}
    # The model computes with 32-bit floats, the file rounds to half a step.
    assert np.abs(opened(out / "photo_probability.png") / 65535 - green / 255).max() <= 1 / 65535


def test_files_and_folders_are_segmented_in_one_call_as_the_record_tells(tmp_path: Path) -> None:
    inputs = [
        save(tmp_path / "photo.jpg", 0),
        save(tmp_path / "other.tif", 1),
        save(tmp_path / "folder" / "inside.png", 2),
    ]
    (tmp_path / "folder" / "notes.txt").write_text("not an image")
    out = tmp_path / "deep" / "out"
    ran = run_apart("segment", *inputs[:2], inputs[2].parent, "-o", out, "--overlay")
    assert (ran.status, ran.err) == (0, "")
    record = json.loads((out / "segment.json").read_text(encoding="utf-8"))
    packages = ("foveate", "numpy", "onnxruntime", "pillow")
    assert record["versions"] == {
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }
    card = open_model("vessels").card
    model = {key: getattr(card, key) for key in ("name", "sha256", "threshold_from")} | {
        "thresholds": list(card.thresholds),
        "passes": "one forward pass",
        "post_processing": "none",
    }
    assert list(record["images"]) == ["photo", "other", "inside"]
    for path, (name, image) in zip(inputs, record["images"].items(), strict=True):
        assert image["input"] == str(path)
        assert image["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert (image["status"], image["error"]) == ("done", "")
        assert (image["height"], image["width"]) == pixels().shape[:2]
        assert files_in_record(out, name) == {"mask": f"{name}_mask.png", "overlay": f"{name}_overlay.png"}
        for output in image["outputs"].values():
            assert output["sha256"] == hashlib.sha256((out / output["file"]).read_bytes()).hexdigest()
        assert image["model"] == model
        assert image["seconds"] > 0
        assert opened(out / f"{name}_mask.png").shape == pixels().shape[:2]
        assert str(path) in ran.out
    written = {file for name in record["images"] for file in files_in_record(out, name).values()}
    assert names(out) == {*RECORD, *written}


def test_the_command_says_which_model_it_used_and_that_it_is_for_research(tmp_path: Path) -> None:
    ran = run("segment", save(tmp_path / "photo.png"), "-o", tmp_path / "out")
    card = open_model("vessels").card
    assert all(part in ran.out for part in (card.name, f"{card.thresholds[0]:.3f}", card.threshold_from))
    assert "not a medical device" in ran.out


def test_results_beside_their_photographs_are_not_taken_for_photographs(tmp_path: Path) -> None:
    save(tmp_path / "photo.png")
    for _ in range(2):
        ran = segment(tmp_path, "-o", tmp_path, "--probabilities", "--overlay")
        assert (ran.status, ran.err) == (0, "")
    kinds = ("mask", "probability", "overlay")
    assert names(tmp_path) == {"photo.png", *RECORD, *(f"photo_{kind}.png" for kind in kinds)}


AS_STORED = {
    3: PillowImage.Transpose.ROTATE_180,
    6: PillowImage.Transpose.ROTATE_90,
    8: PillowImage.Transpose.ROTATE_270,
}
"""By EXIF orientation, how an upright picture lies in the file."""


def save_turned(path: Path, orientation: int, **options: Any) -> Path:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    PillowImage.fromarray(pixels()).transpose(AS_STORED[orientation]).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize(("ending", "orientation"), [("png", 6), ("png", 3), ("tif", 8)])
def test_a_photograph_stored_turned_gives_the_results_of_the_upright_one(
    ending: str, orientation: int, tmp_path: Path
) -> None:
    turned = save_turned(tmp_path / f"turned.{ending}", orientation)
    out = tmp_path / "out"
    ran = segment(save(tmp_path / "upright.png"), turned, "-o", out, "--probabilities", "--overlay")
    assert (ran.status, ran.err) == (0, "")
    for kind in ("mask", "probability", "overlay"):
        np.testing.assert_array_equal(opened(out / f"turned_{kind}.png"), opened(out / f"upright_{kind}.png"))
    recorded = images_in_record(out)["turned"]
    assert (recorded["height"], recorded["width"]) == pixels().shape[:2]


def test_a_turned_jpeg_gives_nearly_the_probabilities_of_the_upright_photograph(tmp_path: Path) -> None:
    turned = save_turned(tmp_path / "turned.jpg", 6, quality=98, subsampling=0)
    out = tmp_path / "out"
    assert segment(save(tmp_path / "upright.png"), turned, "-o", out, "--probabilities").status == 0
    upright, jpeg = (opened(out / f"{name}_probability.png") / 65535 for name in ("upright", "turned"))
    # JPEG of this quality moves a green value by a level or two; at the rim the FOV itself may move.
    assert np.median(np.abs(upright - jpeg)[upright > 0]) <= 2 / 255
    assert np.median(np.abs(upright - jpeg[::-1])[upright > 0]) > 2 / 255


def test_every_kind_of_image_is_done_and_decisions_about_it_are_told(tmp_path: Path) -> None:
    colour, another = PillowImage.fromarray(pixels()), PillowImage.fromarray(pixels(1))
    alpha = PillowImage.new("L", colour.size, 255)
    alpha.paste(0, (0, 0, 160, 4))
    kinds: dict[str, tuple[PillowImage.Image, dict[str, Any]]] = {
        "grey.png": (colour.convert("L"), {}),
        "deep.png": (PillowImage.fromarray(pixels()[..., 1].astype(np.uint16) * 16), {}),
        "alpha.png": (PillowImage.merge("RGBA", (*colour.split(), alpha)), {}),
        "ink.tif": (colour.convert("CMYK"), {}),
        "palette.png": (colour.convert("P", palette=PillowImage.Palette.ADAPTIVE), {}),
        "moving.gif": (colour, {"save_all": True, "append_images": [another]}),
        "pages.tif": (colour, {"save_all": True, "append_images": [another, another]}),
    }
    for name, (image, options) in kinds.items():
        image.save(tmp_path / name, **options)
    out = tmp_path / "out"
    ran = segment(tmp_path, "-o", out)
    assert (ran.status, ran.err) == (0, "")
    notes = {name: tuple(image["notes"]) for name, image in images_in_record(out).items()}
    assert notes == {
        "grey": (),
        "deep": ("16-bit image with 12-bit values: scaled by 255/4095",),
        "alpha": ("transparent pixels: composited over black",),
        "ink": (),
        "palette": (),
        "moving": ("first of 2 frames",),
        "pages": ("first of 3 pages",),
    }
    for name in notes:
        (line,) = (line for line in ran.out.splitlines() if f"{name}_mask.png" in line)
        assert all(note in line for note in notes[name])
        mask = opened(out / f"{name}_mask.png")
        assert mask.shape == pixels().shape[:2]
        assert set(np.unique(mask)) == {0, 255}


def test_a_photograph_without_a_dark_border_is_segmented_as_a_whole_with_a_note(tmp_path: Path) -> None:
    bright = np.maximum(pixels(), LEAST_GREEN)
    PillowImage.fromarray(bright).save(tmp_path / "bright.png")
    out = tmp_path / "out"
    ran = segment(tmp_path / "bright.png", "-o", out, "--overlay")
    assert (ran.status, ran.err) == (0, "")
    (note,) = images_in_record(out)["bright"]["notes"]
    assert "no dark border" in note
    assert note in ran.out
    assert opened(out / "bright_mask.png").min() == 255


def test_a_black_photograph_gives_an_empty_mask_with_a_note(tmp_path: Path) -> None:
    PillowImage.new("RGB", (61, 47)).save(tmp_path / "black.png")
    out = tmp_path / "out"
    ran = segment(tmp_path / "black.png", "-o", out, "--probabilities", "--overlay")
    assert (ran.status, ran.err) == (0, "")
    (note,) = images_in_record(out)["black"]["notes"]
    assert "black" in note
    assert note in ran.out
    for kind in ("mask", "probability"):
        np.testing.assert_array_equal(opened(out / f"black_{kind}.png"), np.zeros((47, 61)))


def test_a_long_thin_strip_is_segmented_or_refused_in_one_line(tmp_path: Path) -> None:
    PillowImage.new("RGB", (40_000, 16), (120, 60, 30)).save(tmp_path / "strip.png")
    ran = segment(tmp_path / "strip.png", save(tmp_path / "photo.png"), "-o", tmp_path / "out")
    assert ran.status in (0, 1)
    assert len(ran.errors) == ran.status
    assert "photo_mask.png" in names(tmp_path / "out")
