"""LGG: whole patients on one side, in the copy at hand as in the whole set."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.datasets.sets.lgg import split_of
from foveate.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def test_slices_are_listed_patient_by_patient_and_in_order(shared_data: Path) -> None:
    folder = shared_data / "LGG" / "kaggle_3m"
    expected = [
        (f"lgg_{patient.name}_{number}", patient.name)
        for patient in sorted(path for path in folder.iterdir() if path.is_dir())
        for number in range(1, len(list(patient.glob("*_mask.tif"))) + 1)
    ]
    entries = open_set(f"lgg:{shared_data / 'LGG'}").entries
    assert [(entry.id, entry.group) for entry in entries] == expected
    assert [entry.id for entry in open_set(f"lgg:{folder}").entries] == [entry.id for entry in entries]


def test_a_fifth_of_all_patients_is_for_testing_and_each_part_of_the_set_agrees(shared_data: Path) -> None:
    folder = shared_data / "LGG" / "kaggle_3m"
    with (folder / "data.csv").open(newline="", encoding="utf-8") as file:
        patients = [row["Patient"] for row in csv.DictReader(file)]
    whole = {patient: split_of(patient) for patient in patients}
    assert Counter(whole.values()) == {"train": len(patients) * 4 // 5, "test": len(patients) // 5}
    here = {entry.group: entry.split for entry in open_set(f"lgg:{folder}").entries}
    assert here.items() == {patient: whole["_".join(patient.split("_")[:3])] for patient in here}.items()
    assert set(here.values()) == {"train", "test"}


def test_a_case_holds_the_three_channels_and_the_mask_of_its_files(shared_data: Path) -> None:
    entries = open_set(f"lgg:{shared_data / 'LGG'}").entries
    empty = 0
    for entry in entries[::25]:
        case = entry.load()
        image, mask = case.paths
        assert mask.name == f"{image.stem}_mask.tif"
        with PillowImage.open(image) as file:
            np.testing.assert_array_equal(case.image, np.asarray(file))
        with PillowImage.open(mask) as file:
            np.testing.assert_array_equal(case.mask, np.asarray(file) == 255)
        empty += not case.mask.any()
    assert 0 < empty < len(entries[::25])


@pytest.fixture
def patient(shared_data: Path, tmp_path: Path) -> Path:
    """A copy of one patient."""
    source = sorted((shared_data / "LGG" / "kaggle_3m").glob("TCGA*"))[0]
    copy: Path = shutil.copytree(source, tmp_path / "kaggle_3m" / source.name)
    return copy


@pytest.mark.parametrize(("ending", "part"), [("", "image"), ("_mask", "mask")])
def test_a_lone_slice_or_mask_is_refused_by_the_name_of_its_partner(ending: str, part: str, patient: Path) -> None:
    missing = patient / f"{patient.name}_3{ending}.tif"
    missing.unlink()
    with pytest.raises(DataError, match=f"has no {part} of that name") as caught:
        open_set(f"lgg:{patient.parents[1]}").split("all")
    assert str(caught.value).startswith(f"{missing}: missing")


def test_a_stray_file_is_refused_by_its_name(patient: Path) -> None:
    shutil.copyfile(patient / f"{patient.name}_3.tif", patient / "overview.tif")
    with pytest.raises(DataError, match=r"overview\.tif: not a name of LGG's"):
        open_set(f"lgg:{patient.parents[1]}").split("all")
