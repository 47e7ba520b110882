"""The card's validation scores, measured again through the whole path on the images that the card names."""

import json
import re
from pathlib import Path

import pytest
from results import FOLDS, link_folds
from write_results import over_folds

import foveate
from foveate.arrays.fov import find_fov
from foveate.datasets import DataSet, open_set
from foveate.imaging import read_mask, read_photograph

ROOT = Path(__file__).parents[2]
FOLDERS = {"drive": "DRIVE", "stare": "STARE", "chase_db1": "CHASE_DB1", "hrf": "HRF_half"}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_shipped_vessels_model_scores_on_its_validation_images_what_its_card_says(
    name: str, shared_data: Path
) -> None:
    vessels = foveate.load("vessels")
    (data,) = (part for part in vessels.card.training_data if part.set == name)
    agreed = predicted = actual = 0
    entries = [
        entry for entry in open_set(f"{name}:{shared_data / FOLDERS[name]}").entries if entry.id in data.validation
    ]
    assert len(entries) == len(data.validation)
    for entry in entries:
        image, truth, *others = entry.load().paths
        photograph = read_photograph(image)
        within = read_mask(others[0]) if others else find_fov(photograph.pixels).mask
        mask = vessels.segment(image).mask & within
        truth_mask = read_mask(truth) & within
        agreed += int((mask & truth_mask).sum())
        predicted += int(mask.sum())
        actual += int(truth_mask.sum())
    f1 = 2 * agreed / (predicted + actual)
    # PyTorch chose, ONNX Runtime counts: single pixels at the threshold may fall on either side.
    assert f1 == pytest.approx(vessels.card.validation_f1[name], abs=5e-4)


@pytest.fixture(scope="module")
def lesion_fold(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """The fold of ISIC 2018 that the shipped network is of, as `scripts/results.py prepare` links it."""
    work = tmp_path_factory.mktemp("folds")
    (work / "data").symlink_to(shared_data, target_is_directory=True)
    link_folds(ROOT / "results" / "splits" / "isic2018.csv", work)
    return open_set(f"isic2018:{work / 'isic2018-fold0'}")


def test_the_shipped_lesion_model_has_seen_its_fold_but_the_images_that_test(lesion_fold: DataSet) -> None:
    (data,) = foveate.load("lesion").card.training_data
    assert data.set == lesion_fold.name
    assert set(data.training) == {entry.id for entry in lesion_fold.split("train")}
    assert set(data.validation) == {entry.id for entry in lesion_fold.split("validation")}
    (score,) = foveate.load("lesion").card.scores
    test = {entry.id for entry in lesion_fold.split("test")}
    assert score.images == len(test) > 100
    assert not test & {*data.training, *data.validation}


def test_the_shipped_lesion_model_scores_on_its_validation_images_what_its_card_says(lesion_fold: DataSet) -> None:
    lesion = foveate.load("lesion")
    agreed = predicted = actual = 0
    for entry in lesion_fold.split("validation"):
        image, truth = entry.load().paths
        mask, truth_mask = lesion.segment(image).mask, read_mask(truth)
        agreed += int((mask & truth_mask).sum())
        predicted += int(mask.sum())
        actual += int(truth_mask.sum())
    assert 2 * agreed / (predicted + actual) == pytest.approx(lesion.card.validation_f1["isic2018"], abs=5e-4)


def test_the_readme_has_the_vessels_models_scores_as_its_card_has_them() -> None:
    rows = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    scores = foveate.load("vessels").card.scores
    assert {score.set for score in scores} == {*FOLDERS, "aria", "orvs"}
    for fov in (score for score in scores if score.scope == "fov"):
        (image,) = (score for score in scores if (score.set, score.scope) == (fov.set, "image"))
        (row,) = (row for row in rows if f"| **{fov.f1:.4f}** |" in row)
        assert row.lower().startswith(f"| {fov.set}")
        assert f"({fov.images}) |" in row
        for value in (fov.sensitivity, fov.specificity, fov.roc_auc, image.f1):
            assert f" {value:.4f} |" in row


def test_the_lesion_models_card_says_what_all_five_folds_came_to() -> None:
    said = re.search(r"mean F1 [\d.]+ \([\d.–]+\)", foveate.load("lesion").card.description)
    folds = [
        json.loads(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "results").glob("lesion-fold*.json"))
    ]
    assert said is not None
    assert f"Over {FOLDS} folds" in (line := next(iter(over_folds(folds))))
    assert said[0] in line
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert said[0] in readme
    (score,) = foveate.load("lesion").card.scores
    assert f"learnt from {len(foveate.load('lesion').card.training_data[0].training)} photographs" in readme
    for value in (score.f1, score.sensitivity, score.specificity, score.roc_auc):
        assert f"{value:.4f}" in readme
