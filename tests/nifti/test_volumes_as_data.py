"""Volumes in a data set of one's own: cases that are slices, and Dice of each volume."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import foveate
from computed_models import changed
from foveate.datasets import open_set
from foveate.datasets.check import check_set
from foveate.datasets.volumes import InOrder
from foveate.errors import DataError, UsageError
from foveate.evaluation import evaluate
from foveate.evaluation.counting import CountingRule
from foveate.evaluation.predictor import model_predictor
from foveate.evaluation.result import Averaged
from foveate.imaging.nifti import mask_volume
from foveate.models import open_model
from foveate.models.card import NEIGHBOURS
from foveate.records import Classes
from foveate_command import run
from green_model import LEAST_GREEN, write_green_model
from made_nifti import SIZE, affine, head, model, saved, turned, volume

Arrays = dict[str, tuple[NDArray[np.uint8], NDArray[np.bool_]]]


def drawn(folder: Path, ending: str = ".nii.gz", axes: str = "ASR") -> Arrays:
    """Three patients, whose masks differ from what the model finds by more and more; all stored alike."""
    arrays = {}
    for number in range(3):
        image = head(seed=number)
        truth = (image >= LEAST_GREEN) ^ (np.random.default_rng(number).random(SIZE) < 0.02 * number)
        name = f"p{number}__t1{ending}"
        saved(turned(volume(image), axes), folder / "images" / name)
        saved(turned(volume(truth.astype(np.uint8)), axes), folder / "masks" / name)
        arrays[f"p{number}"] = image, truth
    return arrays


def network(folder: Path, **fields: Any) -> Path:
    """The model whose foreground is green >= LEAST_GREEN, which sees whole slices."""
    folder.mkdir()
    path = write_green_model(folder)
    card = changed(open_model(path).card, fov="whole", **fields)
    (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
    return path


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return 2 * float((found & truth).sum()) / float(found.sum() + truth.sum())


def per_volume(tmp_path: Path, **of: Any) -> Averaged:
    """The scores of the volumes of the data set, over all pixels."""
    (result,) = foveate.evaluate(data=f"folder:{tmp_path / 'data'}", split="all", fov="whole", boundary=False, **of)
    scores = result.classes["foreground"].image.per_group
    assert scores is not None
    return scores


def test_slices_are_cases_of_their_patient_in_stored_order(tmp_path: Path) -> None:
    arrays = drawn(tmp_path)
    entries = open_set(f"folder:{tmp_path}").entries
    assert [(each.id, each.group) for each in entries] == [
        (f"train_p{patient}__t1_{number:03d}", f"p{patient}")
        for patient in range(3)
        for number in range(1, SIZE[2] + 1)
    ]
    shuffled = np.random.default_rng(0).permutation(len(entries))
    for place in (*range(20), *shuffled[:12]):
        case, (image, truth) = entries[place].load(), arrays[entries[place].group]
        number = place % SIZE[2]
        assert np.array_equal(case.image, np.repeat(image[::-1, ::-1, number].T[..., None], 3, axis=2))
        assert np.array_equal(case.mask, truth[::-1, ::-1, number].T)


def test_threads_that_share_the_slices_of_a_set_get_those_that_they_ask_for(tmp_path: Path) -> None:
    arrays = drawn(tmp_path)
    entries = pickle.loads(pickle.dumps(open_set(f"folder:{tmp_path}").entries))
    with ThreadPoolExecutor(4) as pool:
        cases = list(pool.map(lambda entry: entry.load(), entries))
    for place, case in enumerate(cases):
        image, truth = arrays[case.group]
        assert np.array_equal(case.image[..., 0], image[::-1, ::-1, place % SIZE[2]].T)
        assert np.array_equal(case.mask, truth[::-1, ::-1, place % SIZE[2]].T)


def test_slices_that_are_asked_for_a_little_out_of_order_are_read_once() -> None:
    begun: list[int] = []

    def begin(number: int) -> Iterator[int]:
        begun.append(number)
        return iter(range(number, 100))

    slices = InOrder(begin)
    order = [0, 2, 1, 3, 6, 5, 4, 7, 60, 61, 3]
    assert [slices.at(number) for number in order] == order
    assert begun == [0, 60, 3]


def test_dice_of_each_volume_is_that_of_its_voxels(tmp_path: Path) -> None:
    arrays = drawn(tmp_path / "data")
    found = per_volume(tmp_path, weights=network(tmp_path / "model"))
    by_hand = [dice(image >= LEAST_GREEN, truth) for image, truth in arrays.values()]
    assert found.count == len(by_hand)
    assert found.mean["f1"] == pytest.approx(np.mean(by_hand), abs=1e-9)
    assert found.std["f1"] == pytest.approx(np.std(by_hand, ddof=1), abs=1e-9)


def test_masks_of_another_tool_are_scored_as_volumes(tmp_path: Path) -> None:
    arrays = drawn(tmp_path / "data")
    for number, (image, _) in enumerate(arrays.values()):
        found = turned(volume((image >= LEAST_GREEN).astype(np.int16) * 7), "ASR")
        saved(found, tmp_path / f"theirs/p{number}__t1_mask.nii")
    theirs = per_volume(tmp_path, predictions=tmp_path / "theirs")
    own = per_volume(tmp_path, weights=network(tmp_path / "model"))
    for measure in ("f1", "sensitivity", "precision"):
        assert theirs.mean[measure] == own.mean[measure]
    (tmp_path / "theirs/p1__t1_mask.nii").unlink()
    data = ("--data", f"folder:{tmp_path / 'data'}", "--split", "all")
    ran = run("evaluate", "--predictions", tmp_path / "theirs", *data)
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "holds nothing for 'p1__t1'. Expected e.g. p1__t1_mask.nii.gz" in ran.errors[0]


def test_slices_of_a_volume_are_not_shown_each_at_the_size_of_which_the_model_is_surest(tmp_path: Path) -> None:
    drawn(tmp_path / "data")
    weights = network(tmp_path / "model")
    (file, *_) = sorted((tmp_path / "data" / "images").iterdir())
    data = ("--data", f"folder:{tmp_path / 'data'}", "--split", "all")
    for words in (("segment", file, "-o", tmp_path / "out", "--model", weights), ("evaluate", weights, *data)):
        assert run(*words).status == 0
        ran = run(*words, "--surest-size", *(("--overwrite",) if "segment" in words else ()))
        assert ran.status == 1
        assert "--surest-size would show the slices of a volume at different sizes" in " ".join(ran.errors)


def test_a_mask_of_another_size_or_place_or_of_many_values_is_one_line(tmp_path: Path) -> None:
    saved(volume(head()), tmp_path / "images/a.nii.gz")
    moved, soft = affine(), np.linspace(0, 1, head().size).reshape(SIZE)
    moved[0, 3] += 2.5
    for mask, said in (
        (
            volume(np.zeros((24, 32, 15), np.uint8)),
            "a.nii.gz: has 24×32×15 voxels, but its image a.nii.gz has 24×32×16",
        ),
        (volume(np.zeros(SIZE, np.uint8), moved), "by up to 2.5 mm (their affines differ)"),
        (volume((head() % 4).astype(np.uint8)), "holds the values 0, 1, 2, 3; a mask is 0 and one other"),
        (volume(np.stack([head() // 250] * 2, axis=-1)), "holds 2 volumes; a mask is a single one"),
        (volume(soft), "a mask is 0 and one other"),
    ):
        saved(mask, tmp_path / "masks/a.nii.gz")
        with pytest.raises(DataError) as raised:
            open_set(f"folder:{tmp_path}").entries[0].load()
        assert said in str(raised.value)
        assert str(tmp_path / "masks/a.nii.gz") in str(raised.value)
        faults = [finding.text for finding in check_set(f"folder:{tmp_path}").findings if finding.kind == "unreadable"]
        assert faults == [str(raised.value)]


def test_masks_for_which_memory_does_not_suffice_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(volume(head()), tmp_path / "images/a.nii.gz")
    mask = saved(volume((head() // 250).astype(np.uint8)), tmp_path / "masks/a.nii.gz")

    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(mask_volume, "planes", exhausted)
    with pytest.raises(DataError) as raised:
        open_set(f"folder:{tmp_path}").entries[0].load()
    assert str(raised.value).endswith(f"{mask}: needs more memory than there is")


def test_labels_are_told_apart_by_the_class_table(tmp_path: Path) -> None:
    labels = head() // 100 * 2
    saved(volume(head()), tmp_path / "images/a.nii.gz")
    saved(volume(labels), tmp_path / "masks/a.nii.gz")
    (tmp_path / "classes.csv").write_text("value,name\n2,dim\n4,bright\n", encoding="utf-8")
    data = open_set(f"folder:{tmp_path}")
    assert data.classes.names == ("dim", "bright")
    case = data.entries[4].load()
    for mask, value in zip(case.masks, (2, 4), strict=True):
        assert np.array_equal(mask, value == labels[::-1, ::-1, 4].T)
    (tmp_path / "classes.csv").write_text("value,name\n2,dim\n", encoding="utf-8")
    with pytest.raises(DataError, match="holds the values 4, which the class table doesn't name"):
        open_set(f"folder:{tmp_path}").entries[0].load()


def test_what_is_missing_is_said_once(tmp_path: Path) -> None:
    drawn(tmp_path)
    (tmp_path / "masks/p1__t1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"p1__t1\.nii\.gz: missing: image 'p1__t1' has no mask of that name") as raised:
        open_set(f"folder:{tmp_path}").split("all")
    assert "more: `foveate data check` lists them" not in str(raised.value)


def test_three_files_are_the_channels_of_a_volume_and_a_card_that_names_them_wants_three(tmp_path: Path) -> None:
    levels = [head(seed=seed) for seed in range(3)]
    for number, each in enumerate(levels):
        saved(volume(each), tmp_path / f"data/images/p1_{number:04d}.nii.gz")
    truth = levels[1] >= LEAST_GREEN
    saved(volume(truth.astype(np.uint8)), tmp_path / "data/masks/p1.nii.gz")
    case = open_set(f"folder:{tmp_path / 'data'}").entries[7].load()
    assert np.array_equal(case.image, np.stack([each[::-1, ::-1, 7].T for each in levels], axis=-1))
    named = network(tmp_path / "model", sequences=("T1", "FLAIR", "T2"))
    assert per_volume(tmp_path, weights=named).mean["f1"] == 1
    for number in (0, 2):
        (tmp_path / f"data/images/p1_{number:04d}.nii.gz").unlink()
    (tmp_path / "data/images/p1_0001.nii.gz").rename(tmp_path / "data/images/p1.nii.gz")
    ran = run("evaluate", named, "--data", f"folder:{tmp_path / 'data'}", "--split", "all")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "sees T1, FLAIR, T2. Give a file for each: NAME_0000" in ran.errors[0]


def test_a_card_that_names_neighbours_is_evaluated_on_neighbours(tmp_path: Path) -> None:
    image = head()
    saved(volume(image), tmp_path / "data/images/p1.nii.gz")
    saved(volume((image >= LEAST_GREEN).astype(np.uint8)), tmp_path / "data/masks/p1.nii.gz")
    case = open_set(f"folder:{tmp_path / 'data'}").entries[5].load()
    assert case.slice is not None
    assert case.slice.neighbours is not None
    around = [image[::-1, ::-1, number].T for number in (4, 5, 6)]
    assert np.array_equal(case.slice.neighbours, np.stack(around, axis=-1))
    blue = np.roll(image, -1, axis=2)
    blue[..., -1] = image[..., -1]
    saved(volume((blue >= LEAST_GREEN).astype(np.uint8)), tmp_path / "data/masks/p1.nii.gz")
    for sequences, score in ((NEIGHBOURS, 1.0), ((), dice(image >= LEAST_GREEN, blue >= LEAST_GREEN))):
        segmenter = model(lambda batch: batch[:, 2:3] / np.float32(255), sequences=sequences, classes=("foreground",))
        predictor = model_predictor(segmenter, "blue", source="blue")
        entries = open_set(f"folder:{tmp_path / 'data'}").entries
        result = evaluate(predictor, entries, Classes(), data_set="folder", split="all", rule=CountingRule(("mask",)))
        found = result.classes["foreground"].image.per_group
        assert found is not None
        assert found.mean["f1"] == pytest.approx(score, abs=1e-9)
        assert score < 1 or sequences


def test_a_table_and_patterns_name_volumes_too(tmp_path: Path) -> None:
    drawn(tmp_path, ending=".nii")
    (tmp_path / "data.csv").write_text(
        "image,mask,group\nimages/p1__t1.nii,masks/p1__t1.nii,someone\n", encoding="utf-8"
    )
    table = open_set(f"folder:{tmp_path / 'data.csv'}").entries
    assert [each.id for each in table[:2]] == ["p1__t1_001", "p1__t1_002"]
    assert {each.group for each in table} == {"someone"}
    pattern = open_set(f"folder:{tmp_path}/images/*.nii|{tmp_path}/masks/*.nii").entries
    assert len(pattern) == 3 * SIZE[2]
    for entry, other in zip(table, pattern[SIZE[2] :], strict=False):
        assert np.array_equal(entry.load().mask, other.load().mask)


def test_volumes_of_probabilities_are_refused_in_a_sentence(tmp_path: Path) -> None:
    drawn(tmp_path)
    with pytest.raises(UsageError, match=r"volumes are scored as masks\. Leave --threshold out"):
        foveate.evaluate(
            predictions=[tmp_path / "masks"], data=[f"folder:{tmp_path}"], split="all", threshold=0.5, fov="whole"
        )
