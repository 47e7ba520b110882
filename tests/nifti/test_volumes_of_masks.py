"""What comes out of NIfTI files of every kind: volumes of masks, millilitres, and a record."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

import foveate
from foveate.errors import ImageError, OutputError, UsageError
from foveate.imaging import read_photograph
from foveate.inference.sink import Outcome
from foveate_command import green_model, images_in_record, names, run, save
from made_nifti import LEAST, SIZE, SPACING, affine, head, model, opened, samples, saved, volume


def segmented(path: Path | list[Path], out: Path, **options: Any) -> Outcome:
    (outcome,) = foveate.segment(path, out, model=options.pop("model", model()), **options)
    return outcome


def mask_of(image: Any, folder: Path, name: str = "head.nii", **options: Any) -> tuple[NDArray[Any], Outcome]:
    outcome = segmented(saved(image, folder / name), folder / "out", **options)
    assert outcome.error == ""
    return samples(outcome.outputs["mask"]), outcome


TRUTH = head() >= LEAST


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "f4", "f8"])
def test_types_byte_orders_and_versions_give_one_mask_and_keep_the_version(
    dtype: str, kind: Any, order: Literal["<", ">"], tmp_path: Path
) -> None:
    levels = head() if dtype != "i1" else (head() // 2).astype(np.int8)
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
    image = kind(levels.astype(np.dtype(dtype).newbyteorder(order)), affine(), header)
    path = saved(image, tmp_path / "head.nii")
    outcome = segmented(path, tmp_path / "out", window=(0, 127.5 if dtype == "i1" else 255))
    mask = opened(outcome.outputs["mask"])
    assert np.array_equal(np.asarray(mask.dataobj), TRUTH)
    assert isinstance(mask, nibabel.Nifti2Image) == (kind is nibabel.Nifti2Image)


def test_a_slope_is_applied_and_the_window_is_in_the_unit_of_the_file(tmp_path: Path) -> None:
    image = volume(head().astype(np.int16) - 100)
    path = saved(image, tmp_path / "head.nii.gz")
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[112:120] = np.array([0.25, -1000], "<f4").tobytes()
    path.write_bytes(gzip.compress(bytes(content)))
    assert samples(path).min() == -1025 + head().min() / 4
    outcome = segmented(path, tmp_path / "out", window=(-1025, -1025 + 255 / 4))
    assert np.array_equal(samples(outcome.outputs["mask"]), TRUTH)


def test_without_a_window_the_lowest_level_is_black_and_the_highest_white(tmp_path: Path) -> None:
    levels = head().astype(np.float32) * 7 - 300
    levels[0, 0, 0], levels[0, 0, 1] = np.nan, np.inf
    mask, outcome = mask_of(volume(levels), tmp_path)
    low, high = float(np.nanmin(levels)), float(levels[np.isfinite(levels)].max())
    shown = np.rint((levels - low) / (high - low) * 255)
    shown[0, 0, :2] = 0
    assert np.array_equal(mask, shown >= LEAST)
    assert f"no window in it: shown from {low:g} to {high:g}, its range" in outcome.notes
    assert "2 voxels are no number: shown black" in outcome.notes


def test_the_window_that_a_file_gives_is_taken_unless_another_is_given(tmp_path: Path) -> None:
    image = volume(head().astype(np.int16))
    image.header["cal_min"], image.header["cal_max"] = 0, 510
    own, outcome = mask_of(image, tmp_path)
    assert np.array_equal(own, np.rint(head() / 2) >= LEAST)
    assert "shown from 0 to 510, as the file says (cal_min, cal_max)" in outcome.notes
    given, _ = mask_of(image, tmp_path / "other", window=(0, 255))
    assert np.array_equal(given, TRUTH)


def test_millilitres_are_voxels_times_spacing_in_record_and_table(tmp_path: Path) -> None:
    _, outcome = mask_of(volume(head()), tmp_path, name="head.nii.gz")
    assert {kind: path.name for kind, path in outcome.outputs.items()} == {"mask": "head_mask.nii.gz"}
    expected = int(TRUTH.sum()) * SPACING[0] * SPACING[1] * SPACING[2] / 1000
    record = images_in_record(tmp_path / "out")["head"]
    assert record["volumes_ml"]["lesion"] == pytest.approx(expected, rel=1e-8)
    assert record["slices"] == SIZE[2]
    assert (record["height"], record["width"]) == (SIZE[1], SIZE[0])
    assert record["spacing_mm"] == pytest.approx([SPACING[2], SPACING[1], SPACING[0]])
    assert record["areas"]["lesion"] == pytest.approx(TRUTH.mean(), abs=1e-6)
    (row,) = csv.DictReader((tmp_path / "out/segment.csv").read_text(encoding="utf-8-sig").splitlines())
    assert float(row["volume_ml_lesion"]) == pytest.approx(expected, rel=1e-8)
    assert int(row["slices"]) == SIZE[2]


@pytest.mark.parametrize(("unit", "millimetres"), [("meter", 1000), ("mm", 1), ("micron", 0.001)])
def test_the_unit_of_space_counts(unit: str, millimetres: float, tmp_path: Path) -> None:
    image = volume(head(), affine() @ np.diag([1 / millimetres] * 3 + [1]))
    image.header.set_xyzt_units(unit)
    mask_of(image, tmp_path)
    expected = int(TRUTH.sum()) * float(np.prod(SPACING)) / 1000
    assert images_in_record(tmp_path / "out")["head"]["volumes_ml"]["lesion"] == pytest.approx(expected, rel=1e-5)
    assert opened(tmp_path / "out/head_mask.nii").header.get_xyzt_units()[0] == unit


def test_each_volume_of_a_file_with_four_axes_has_a_mask_of_three(tmp_path: Path) -> None:
    volumes = np.stack([head(seed=seed) for seed in range(3)], axis=-1)
    volumes[..., 1] //= 4
    path = saved(volume(volumes), tmp_path / "film.nii.gz")
    outcomes = foveate.segment(path, tmp_path / "out", model=model())
    assert [outcome.outputs["mask"].name for outcome in outcomes] == [f"film_v00{n}_mask.nii.gz" for n in (1, 2, 3)]
    for number, outcome in enumerate(outcomes):
        assert np.array_equal(samples(outcome.outputs["mask"]), volumes[..., number] >= LEAST)
        assert outcome.key == f"{path}, volume {number + 1}"


def test_a_pair_is_given_by_its_header_and_becomes_one_file(tmp_path: Path) -> None:
    pair = nibabel.Nifti1Pair(head(), affine())  # type: ignore[no-untyped-call]
    saved(pair, tmp_path / "in/head.img")
    for given in (tmp_path / "in/head.hdr", tmp_path / "in"):
        outcome = segmented(given, tmp_path / "out")
        assert np.array_equal(samples(outcome.outputs["mask"]), TRUTH)
        assert outcome.outputs["mask"].name == "head_mask.nii"
    (tmp_path / "in/head.img").unlink()
    assert "lacks the file of its samples" in segmented(tmp_path / "in/head.hdr", tmp_path / "other").error


def test_probabilities_are_a_volume_in_steps_of_sixteen_bits(tmp_path: Path) -> None:
    _, outcome = mask_of(volume(head()), tmp_path, probabilities=True)
    assert np.abs(samples(outcome.outputs["probability"]) - head() / 255).max() <= 0.5 / 65535 + 1e-7


def test_classes_that_exclude_each_other_are_numbers_in_one_volume_and_others_a_volume_each(tmp_path: Path) -> None:
    def two(batch: NDArray[Any]) -> NDArray[Any]:
        bright = (batch[:, 1:2] >= 225).astype(np.float32)
        lesion = (batch[:, 1:2] >= LEAST).astype(np.float32)
        return np.concatenate([lesion - bright, bright], axis=1)

    numbers = (head() >= LEAST).astype(int) + (head() >= 225)
    exclusive = model(two, classes=("oedema", "core"), thresholds=(0.5,))
    labels, outcome = mask_of(volume(head()), tmp_path / "a", model=exclusive)
    assert np.array_equal(labels, numbers)
    assert opened(outcome.outputs["mask"]).header["descrip"].item() == b"0 background, 1 oedema, 2 core"
    overlapping = model(two, classes=("oedema", "core"), thresholds=(0.5, 0.5), exclusive=False)
    outcome = segmented(saved(volume(head()), tmp_path / "b/head.nii"), tmp_path / "b/out", model=overlapping)
    for number, name in enumerate(("oedema", "core"), start=1):
        assert np.array_equal(samples(outcome.outputs[f"{name}_mask"]), numbers == number)
    in_record = images_in_record(tmp_path / "b/out")["head"]["volumes_ml"]
    assert in_record["core"] == pytest.approx(int((numbers == 2).sum()) * 0.0045)


def test_what_is_there_is_kept_and_other_options_are_no_reason_to_keep_it(tmp_path: Path) -> None:
    path = saved(volume(head()), tmp_path / "head.nii.gz")
    first = segmented(path, tmp_path / "out")
    before = first.outputs["mask"].read_bytes()
    assert segmented(path, tmp_path / "out").kept
    for options in ({"window": (0, 100)}, {"plane": "coronal"}):
        assert "made with other options (axial slices)" in segmented(path, tmp_path / "out", **options).error
    assert first.outputs["mask"].read_bytes() == before
    assert segmented(path, tmp_path / "out", overwrite=True).outputs["mask"].read_bytes() == before


def test_a_volume_that_ends_early_leaves_no_mask_and_no_rest(tmp_path: Path) -> None:
    whole = saved(
        volume(np.random.default_rng(0).integers(0, 256, (48, 48, 40), dtype=np.uint8)), tmp_path / "a.nii.gz"
    )
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(whole.read_bytes()[:-4000])
    outcomes = foveate.segment([cut, whole], tmp_path / "out", model=model())
    assert "can't be read to its end" in outcomes[0].error
    assert str(cut) in outcomes[0].error
    assert outcomes[1].error == ""
    assert names(tmp_path / "out") == {"a_mask.nii.gz", "segment.json", "segment.csv"}


def test_no_text_of_a_header_gets_into_what_is_written(tmp_path: Path) -> None:
    image = volume(head().astype(np.int16))
    for field, size in (("descrip", 79), ("aux_file", 23), ("intent_name", 15), ("db_name", 17)):
        image.header[field] = b"MARKER" + b"x" * (size - 7)
    extension = nibabel.nifti1.Nifti1Extension("comment", b"MARKER of a patient")
    image.header.extensions.append(extension)
    path = saved(image, tmp_path / "in/head.nii")
    ran = run("segment", path, "-o", tmp_path / "out", "--model", green_model(), "--probabilities")
    assert (ran.status, ran.errors) == (0, [])
    assert b"MARKER" in path.read_bytes()
    assert "MARKER" not in ran.out
    for written in (tmp_path / "out").iterdir():
        assert b"MARKER" not in written.read_bytes()


def test_the_command_takes_a_folder_with_volumes_and_photographs(tmp_path: Path) -> None:
    saved(volume(head()), tmp_path / "in/scan.nii.gz")
    save(tmp_path / "in/photo.png")
    ran = run("segment", tmp_path / "in", "-o", tmp_path / "out", "--model", green_model(), "--overlay")
    assert (ran.status, ran.errors) == (0, [])
    made = {"scan_mask.nii.gz", "photo_mask.png", "photo_overlay.png", "segment.json", "segment.csv"}
    assert names(tmp_path / "out") == made
    assert "no overlay of a volume" in ran.out
    for said in ("2 done, 0 kept", "0 done, 2 kept"):  # masks of volumes are no volumes to segment
        assert said in run("segment", tmp_path / "in", "-o", tmp_path / "in", "--model", green_model()).out


def test_the_command_says_what_is_wrong_with_options_for_volumes(tmp_path: Path) -> None:
    path = saved(volume(head()), tmp_path / "scan.nii")
    for options, said in (
        (("--window", "5"), "is no window"),
        (("--window", "9,5"), "the first is not below the second"),
        (("--channels", "_a,_b"), "give what one name ends in, or 3"),
        (("--channels", "_a"), "its name ends in none of _a"),
    ):
        ran = run("segment", path, "-o", tmp_path / "out", "--model", green_model(), *options)
        assert (ran.status, len(ran.errors)) == (2, 1)
        assert said in ran.errors[0]


def test_a_model_in_python_takes_a_volume_slice_by_slice_and_saves_it(tmp_path: Path) -> None:
    path = saved(volume(head()), tmp_path / "head.nii.gz")
    result = model().segment_volume(path)
    for number, each in result.segmentations():
        assert np.array_equal(each.mask, TRUTH[::-1, ::-1, number].T)
    paths = result.save(tmp_path / "out", probabilities=True)
    assert np.array_equal(samples(paths["mask"]), TRUTH)
    with pytest.raises(OutputError, match="is there already"):
        result.save(tmp_path / "out")
    with pytest.raises(ImageError, match=r"is a volume .* in Python segment_volume"):
        model().segment(path)
    with pytest.raises(UsageError, match="no such file"):
        model().segment_volume(tmp_path / "none.nii")
    assert json.loads(json.dumps(repr(result))).startswith("<VolumeSegmentation of")


def test_without_the_extra_a_volume_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    saved(volume(head()), tmp_path / "in/scan.nii.gz")
    save(tmp_path / "in/photo.png")
    find_spec = __import__("importlib.util").util.find_spec
    hidden = dict.fromkeys(("nibabel",))
    with (
        mock.patch.dict(sys.modules, hidden),
        mock.patch("importlib.util.find_spec", lambda name: None if name == "nibabel" else find_spec(name)),
    ):
        ran = run("segment", tmp_path / "in", "-o", tmp_path / "out", "--model", green_model())
        with pytest.raises(UsageError, match="nibabel"):
            read_photograph(tmp_path / "in/scan.nii.gz")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "reading NIfTI needs nibabel, which is not installed: pip install" in ran.errors[0]
    assert "photo_mask.png" in names(tmp_path / "out")
