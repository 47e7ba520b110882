"""Drawn photographs as a data set: how many there are, and what a case of it holds."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from foveate.datasets.sets.synthetic import entries
from foveate.errors import UsageError


def test_entries_list_as_many_cases_per_split_as_asked_and_no_photograph_twice() -> None:
    listed = entries("2")
    assert [entry.split for entry in listed] == ["train"] * 2 + ["test"] * 2
    assert listed[0].id == "synthetic_train_00"
    assert len({entry.id for entry in listed}) == len({entry.group for entry in listed}) == len(listed)
    images = {entry.load().image.tobytes() for entry in listed}
    assert len(images) == len(listed)


def test_without_a_number_there_are_eight_cases_per_split() -> None:
    assert [entry.split for entry in entries("")].count("train") == 8
    assert [entry.split for entry in entries("")].count("test") == 8


def test_a_case_survives_pickling_and_has_image_mask_and_field_of_view_of_one_size() -> None:
    entry = pickle.loads(pickle.dumps(entries("1")[1]))
    case = entry.load()
    assert (case.id, case.group, entry.split) == (entry.id, entry.group, "test")
    assert case.image.shape == (584, 565, 3)
    assert case.image.dtype == np.uint8
    assert case.mask.shape == case.fov.shape == (584, 565)
    assert case.mask.dtype == case.fov.dtype == np.bool_


@pytest.mark.parametrize("spec", ["0", "-3", "many", "2.5", " 4", "٣"])
def test_a_spec_that_is_no_number_of_cases_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="synthetic:8"):
        entries(spec)
