"""The card's validation scores, measured again through the whole path on the images that the card names."""

from pathlib import Path

import pytest

import foveate
from foveate.arrays.fov import find_fov
from foveate.datasets import open_set
from foveate.imaging import read_mask, read_photograph

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
