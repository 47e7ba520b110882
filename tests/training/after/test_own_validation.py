"""Sets that come with a validation part of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foveate.datasets import DataSet, open_set
from foveate.imaging import write_mask, write_rgb
from small_run import run, small_recipe

SHORT = ("training.epochs=1", "training.samples_per_epoch=2")


@pytest.fixture
def with_validation(small_data: list[DataSet]) -> DataSet:
    """Its first training case and all of its test cases are its validation part; two are left to train on."""
    first, *_ = small_data[0].split("train")
    entries = [
        replace(each, split="validation") if each.id == first.id or each.split == "test" else each
        for each in small_data[0].entries
    ]
    return replace(small_data[0], entries=tuple(entries))


def parts_of(folder: Path) -> dict[str, list[str]]:
    (data,) = json.loads((folder / "run.json").read_text(encoding="utf-8"))["data"].values()
    return {name: data[name] for name in ("training", "validation")}


def split(data: DataSet) -> dict[str, list[str]]:
    return {
        name: [entry.id for entry in data.split(part)] for name, part in (("training", "train"), ("validation",) * 2)
    }


@pytest.mark.parametrize(("keys", "unread"), [((), "validation_share"), (("data.folds=2", "data.fold=1"), "folds")])
def test_a_sets_own_validation_part_validates_and_all_of_its_training_part_is_learnt_from(
    keys: tuple[str, ...], unread: str, with_validation: DataSet, tmp_path: Path
) -> None:
    run(small_recipe(*SHORT, *keys), [with_validation], tmp_path / "run")
    assert parts_of(tmp_path / "run") == split(with_validation)
    log = (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")
    assert f"2 training images, 4 for validation, which are the set's own validation part: data.{unread} is left" in log


def test_a_recipe_may_leave_that_part_unread(with_validation: DataSet, tmp_path: Path) -> None:
    run(small_recipe(*SHORT, "data.own_validation=false"), [with_validation], tmp_path / "run")
    parts = parts_of(tmp_path / "run")
    assert sorted(parts["training"] + parts["validation"]) == sorted(split(with_validation)["training"])
    assert [len(parts["training"]), len(parts["validation"])] == [1, 1]


def test_a_folder_with_a_validation_part_is_trained_and_validated_as_it_says(tmp_path: Path) -> None:
    """One patient is enough then: nothing has to be held out."""
    for entry, part in zip(open_set("synthetic:2").entries[:2], ("train", "validation"), strict=True):
        case: Any = entry.load()
        write_rgb(case.image, tmp_path / "data" / part / "images" / f"{part}.png")
        write_mask(case.mask, tmp_path / "data" / part / "masks" / f"{part}.png")
    data = open_set(f"folder:{tmp_path / 'data'}")
    run(small_recipe(*SHORT), [data], tmp_path / "run")
    assert parts_of(tmp_path / "run") == split(data)
