"""What every shipped model makes of a drawn photograph, against the mask that lies here."""

import numpy as np
import pytest
from PIL import Image as PillowImage
from write_golden_masks import PHOTOGRAPHS, golden_file

import foveate
from foveate.models import shipped


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_model_makes_of_a_drawn_photograph_what_it_made_before(name: str) -> None:
    with PillowImage.open(golden_file(name)) as file:
        golden = np.asarray(file.convert("1"))
    mask = foveate.load(name).segment(PHOTOGRAPHS[name]()).mask
    assert mask.shape == golden.shape
    assert 0.05 < golden.mean() < 0.5
    # Processors round differently, so that single pixels at the threshold may fall on either side.
    assert (mask != golden).mean() < 5e-4
