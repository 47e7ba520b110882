"""scripts/write_lgg_slices.py: the table that dual-attention-unet-lgg-unet-slices is trained on."""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from pathlib import Path

import pytest

from foveate.datasets import open_set
from foveate.recipes.read import read_recipe

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "write_lgg_slices.py"


def test_a_fifth_of_the_slices_is_tested_and_the_patients_stand_on_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patients = ("TCGA_CS_0001", "TCGA_DU_0002", "TCGA_HT_0003")
    for patient in patients:
        for number in range(1, 26):
            for name in (f"{patient}_{number}.tif", f"{patient}_{number}_mask.tif"):
                file = tmp_path / "LGG" / "kaggle_3m" / patient / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path / "LGG"), str(tmp_path / "LGG" / "slices.csv")])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    slices = open_set(f"folder:{tmp_path / 'LGG' / 'slices.csv'}")
    learnt, tested = slices.split("train"), slices.split("test")
    assert (len(learnt), len(tested)) == (60, 15)
    assert len({case.group for case in (*learnt, *tested)}) == 75
    for part in (learnt, tested):
        assert {case.id.partition("__")[0] for case in part} == set(patients)
    by_patient = open_set(f"lgg:{tmp_path / 'LGG'}")
    assert len(Counter(case.group for case in by_patient.entries)) == len(patients)
    recipe = read_recipe("dual-attention-unet-lgg-unet-slices")
    assert recipe.data.validation_share * len(learnt) == len(tested)  # 60/20/20 as printed
