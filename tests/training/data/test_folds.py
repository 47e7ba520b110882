"""Cross-validation by a recipe's own keys."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from foveate.datasets import DataSet, open_set
from foveate.datasets.splits import folds
from foveate.errors import DataError, RecipeError
from small_run import run, small_recipe


def parts(folder: Path) -> tuple[list[str], list[str]]:
    (data,) = json.loads((folder / "run.json").read_text(encoding="utf-8"))["data"].values()
    return data["training"], data["validation"]


def test_each_fold_is_held_out_once_and_is_the_same_for_every_seed(tmp_path: Path, small_data: list[DataSet]) -> None:
    entries = small_data[0].split("train")
    expected = [sorted(entry.id for entry in part) for part in folds(entries, 3, seed=0)]
    for fold, seed in ((0, 0), (1, 0), (2, 0), (0, 1), (0, 2)):
        folder = tmp_path / f"{fold}-{seed}"
        keys = (f"training.seed={seed}", "data.folds=3", f"data.fold={fold}")
        run(small_recipe(*keys, "training.epochs=1", "training.samples_per_epoch=2"), small_data, folder)
        training, validation = parts(folder)
        assert sorted(validation) == expected[fold]
        assert sorted(training + validation) == sorted(entry.id for entry in entries)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (("data.folds=3", "data.fold=3"), "vessels: data: fold 3 is none of the 3 folds"),
        (("data.fold=1",), "fold 1 is none of the 0 folds"),
        (("data.folds=1",), "leaves nothing to train on"),
        (("data.folds=-1",), r"data\.folds = -1"),
    ],
)
def test_a_fold_that_there_is_not_is_refused(keys: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence) as caught:
        small_recipe(*keys)
    assert not re.search(r"\n", str(caught.value))


def test_more_folds_than_groups_are_told_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="4 folds"):
        run(small_recipe("data.folds=4"), [open_set("synthetic:3")], tmp_path / "run")
    assert not (tmp_path / "run" / "state.safetensors").exists()
