"""Crossings in masks of DRIVE, where people who knew arteries from veins have marked them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]

from foveate.morphometry.vessels import measure_vessels

CROSSING = 3
LEAST = 3
"""Pixels of a part that people marked."""

NEAR = 8.0
"""Pixels between what people marked and what was measured."""


def test_crossings_are_measured_where_people_marked_them_and_tell_images_apart(shared_data: Path) -> None:
    marked, measured, found = [], [], 0
    for file in sorted((shared_data / "DRIVE_AV" / "training").iterdir())[:10]:
        classes = np.asarray(PillowImage.open(file))
        parts, count = ndimage.label(classes == CROSSING, np.ones((3, 3)))
        large = np.flatnonzero(np.bincount(parts.ravel(), minlength=count + 1)[1:] >= LEAST) + 1
        places = np.array(ndimage.center_of_mass(parts > 0, parts, large))
        mask = classes > 0
        crossings = np.array(measure_vessels(mask, np.ones_like(mask)).junctions.crossings)
        apart = np.hypot(*(places[:, None] - crossings).transpose(2, 0, 1))
        found += int(np.count_nonzero(apart.min(axis=1) < NEAR))
        marked.append(len(places))
        measured.append(len(crossings))
    assert found > 0.55 * sum(marked)
    assert 0.8 < sum(measured) / sum(marked) < 1.25
    assert np.corrcoef(marked, measured)[0, 1] > 0.8
