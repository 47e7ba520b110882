"""What the channels of a slice are: several files, or neighbouring slices, as the model's card says."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import foveate
from computed_models import changed
from foveate.datasets import channels_of, open_set
from foveate.datasets.files import files_of
from foveate.datasets.sets.lgg import CHANNELS
from foveate.inference.sink import Outcome
from foveate.models import open_model
from foveate.models.card import NEIGHBOURS, ModelCard
from foveate.recipes.read import read_recipe
from foveate_command import opened as opened_png
from foveate_command import run
from made_nifti import SIZE, affine, head, model, opened, saved, turned, volume
from native_model import write_native_model

ENDINGS = ("_pre", "_flair", "_post")


def watched(seen: list[NDArray[Any]], **fields: Any) -> Any:
    def watching(batch: NDArray[Any]) -> NDArray[Any]:
        seen.append(batch[0].astype(np.uint8))
        found: NDArray[Any] = batch[:, 1:2] / np.float32(255)
        return found

    return model(watching, **fields)


def three(folder: Path) -> list[NDArray[np.uint8]]:
    """Files of one volume, and of one without its last channel; another file lies between."""
    levels = [head(seed=seed) for seed in range(3)]
    for ending, each in zip(ENDINGS, levels, strict=True):
        saved(volume(each), folder / f"p1{ending}.nii.gz")
    for ending, each in zip(ENDINGS[:2], levels, strict=False):
        saved(volume(each), folder / f"p2{ending}.nii.gz")
    saved(volume(head()), folder / "p1_seg.nii.gz")
    return levels


def test_files_whose_names_end_as_said_are_the_channels_of_one_volume(tmp_path: Path) -> None:
    seen: list[NDArray[Any]] = []
    levels = three(tmp_path / "in")
    outcomes = foveate.segment(tmp_path / "in", tmp_path / "out", model=watched(seen), channels=ENDINGS)
    assert [outcome.outputs.get("mask", Path()).name for outcome in outcomes] == ["p1_mask.nii.gz", ""]
    assert "lacks _post beside it" in outcomes[1].error
    assert "channels: red p1_pre.nii.gz, green p1_flair.nii.gz, blue p1_post.nii.gz" in outcomes[0].notes
    for number, each in enumerate(seen):
        assert np.array_equal(each, [level[::-1, ::-1, number].T for level in levels])


def test_one_ending_takes_these_files_and_a_repeated_one_stands_for_what_is_lacking(tmp_path: Path) -> None:
    levels = three(tmp_path / "in")
    seen: list[NDArray[Any]] = []
    outcomes = foveate.segment(tmp_path / "in", tmp_path / "a", model=watched(seen), channels=["_flair"])
    assert [outcome.outputs["mask"].name for outcome in outcomes] == ["p1_mask.nii.gz", "p2_mask.nii.gz"]
    assert np.array_equal(seen[0], [levels[1][::-1, ::-1, 0].T] * 3)
    seen.clear()
    again = ("_flair", "_flair", "_pre")
    foveate.segment(tmp_path / "in", tmp_path / "b", model=watched(seen), channels=again)
    assert np.array_equal(seen[0], [levels[number][::-1, ::-1, 0].T for number in (1, 1, 0)])


def test_channels_belong_together_by_folder_and_each_volume_of_a_single_one_is_taken(tmp_path: Path) -> None:
    for folder, endings in (("a", ENDINGS), ("b", ("_pre", "_post"))):
        for ending in endings:
            saved(volume(head()), tmp_path / folder / f"p1{ending}.nii.gz")
    folders = [tmp_path / "a", tmp_path / "b"]
    whole, lacking = foveate.segment(folders, tmp_path / "out", model=model(), channels=ENDINGS)
    assert (whole.error, whole.outputs["mask"].name) == ("", "a_p1_mask.nii.gz")
    assert "lacks _flair beside it" in lacking.error
    film = saved(volume(np.stack([head(seed=1), head(seed=2)], axis=-1)), tmp_path / "film_flair.nii")
    outcomes = foveate.segment(film, tmp_path / "out", model=model(), channels=["_flair"])
    assert [each.outputs["mask"].name for each in outcomes] == ["film_v001_mask.nii", "film_v002_mask.nii"]
    (outcome,) = foveate.segment(film, tmp_path / "three", model=model(), channels=["_flair"] * 3)
    assert "holds several volumes" in outcome.error


@pytest.mark.parametrize(("axes", "order"), [("RAS", 1), ("LPI", -1), ("IPR", -1)])
def test_a_card_that_names_neighbours_gets_the_slice_below_and_above_in_the_body(
    axes: str, order: int, tmp_path: Path
) -> None:
    seen: list[NDArray[Any]] = []
    path = saved(turned(volume(head()), axes), tmp_path / "head.nii")
    (outcome,) = foveate.segment(path, tmp_path / "out", model=watched(seen, sequences=NEIGHBOURS))
    assert outcome.error == ""
    planes = [head()[::-1, ::-1, number].T for number in range(SIZE[2])]
    for number, each in zip(range(SIZE[2])[::order], seen, strict=True):
        around = [planes[max(number - 1, 0)], planes[number], planes[min(number + 1, SIZE[2] - 1)]]
        assert np.array_equal(each, around)


def test_channels_that_are_not_those_of_the_card_are_one_line(tmp_path: Path) -> None:
    three(tmp_path / "in")
    single = tmp_path / "in/p1_flair.nii.gz"
    (outcome,) = foveate.segment(single, tmp_path / "out", model=model(sequences=CHANNELS))
    assert "sees pre-contrast, FLAIR, post-contrast. Give a file for each" in outcome.error
    neighbours = model(sequences=NEIGHBOURS)
    (outcome, _) = foveate.segment(tmp_path / "in", tmp_path / "out", model=neighbours, channels=ENDINGS)
    assert "sees each slice between its neighbours. Give it one file" in outcome.error


def test_channels_of_another_size_or_place_are_one_line(tmp_path: Path) -> None:
    three(tmp_path)
    (tmp_path / "p2_pre.nii.gz").unlink()
    moved = affine()
    moved[2, 3] += 3

    def error() -> str:
        outcomes: list[Outcome] = foveate.segment(
            [tmp_path / f"p1{ending}.nii.gz" for ending in ENDINGS], tmp_path / "out", model=model(), channels=ENDINGS
        )
        return outcomes[0].error

    saved(volume(head(), moved), tmp_path / "p1_post.nii.gz")
    assert "p1_post.nii.gz: lies elsewhere than p1_pre.nii.gz, by up to 3 mm" in error()
    saved(volume(head((24, 32, 24))), tmp_path / "p1_post.nii.gz")
    assert "p1_post.nii.gz: has 24×32×24 voxels, but p1_pre.nii.gz has 24×32×16" in error()
    saved(volume(np.stack([head()] * 2, axis=-1)), tmp_path / "p1_post.nii.gz")
    assert "holds several volumes" in error()


def test_a_card_keeps_its_sequences_and_has_three_or_none() -> None:
    card = changed(open_model("vessels").card, sequences=CHANNELS)
    assert ModelCard.parse(card.to_json(), "card").sequences == CHANNELS
    text = card.to_json().replace('"post-contrast"', '"post-contrast", "T2"')
    with pytest.raises(foveate.errors.ModelError, match="sequences: there are 4"):
        ModelCard.parse(text, "card")


@pytest.fixture(scope="module")
def patient(shared_data: Path) -> list[Path]:
    """Slices of one patient of LGG, in order."""
    entries = open_set(f"lgg:{shared_data / 'LGG'}").entries
    return [files.image for entry in entries if entry.group == entries[0].group and (files := files_of(entry))]


def glioma_model(folder: Path, image: Path) -> Path:
    """A small network of random weights, prepared as the dual attention U-Net's recipe says, of LGG's sequences."""
    path = write_native_model(folder, context=0)
    preparation = asdict(read_recipe("dual-attention-unet-lgg").preparation)
    card = changed(open_model(path).card, sequences=CHANNELS, classes=("tumour",), **preparation)
    (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
    # Whose random weights would find next to nothing at one half.
    threshold = float(np.quantile(foveate.load(path).segment(image).probability, 0.8))
    (folder / "card.json").write_text(changed(card, thresholds=(threshold,)).to_json(), encoding="utf-8")
    return path


@pytest.mark.parametrize("axes", ["LPS", "SAR"])
def test_a_volume_of_a_patients_slices_has_the_masks_of_the_slices(
    axes: str, patient: list[Path], tmp_path: Path
) -> None:
    chosen = patient[:: max(1, len(patient) // 4)]
    network = glioma_model(tmp_path / "model", chosen[2])
    ran = run("segment", *chosen, "-o", tmp_path / "slices", "--model", network)
    assert (ran.status, ran.errors) == (0, [])
    pixels = np.stack([opened_png(path) for path in chosen])
    place = np.array([[-1.0, 0, 0, 120], [0, -1.0, 0, 90], [0, 0, 5.0, -40], [0, 0, 0, 1]])
    for channel, ending in enumerate(ENDINGS):
        # Columns run to the left and rows to the back, as in the slices; int16, as scanners have it.
        image = volume(pixels[..., channel].transpose(2, 1, 0).astype(np.int16), place)
        saved(turned(image, axes), tmp_path / f"in/p1{ending}.nii.gz")
    window = ("--channels", ",".join(ENDINGS), "--window", "0,255")
    ran = run("segment", tmp_path / "in", "-o", tmp_path / "out", "--model", network, *window)
    assert (ran.status, ran.errors) == (0, [])
    masks = turned(opened(tmp_path / "out/p1_mask.nii.gz"), "LPS")
    in_order = np.asarray(masks.dataobj).transpose(2, 1, 0)
    for path, mask in zip(chosen, in_order, strict=True):
        of_slice = opened_png(tmp_path / "slices" / f"{path.stem}_mask.png") > 0
        assert np.array_equal(mask > 0, of_slice)
    assert 0.05 < in_order.mean() < 0.95


def test_a_model_that_was_trained_on_lgg_says_its_sequences() -> None:
    assert channels_of(["lgg"]) == CHANNELS
    assert channels_of(["lgg", "drive"]) == channels_of(["drive"]) == ()
