"""HRF: 45 fundus photographs of 3504×2336 pixels, 15 healthy (h), 15 diabetic (dr), 15 glaucomatous (g).

Split as most of the field does it: 01–05 of each kind train, the other 30 test. Copies at another size in the same
layout are read alike.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.errors import DataError
from foveate.records import CaseEntry, Classes

TITLE = "HRF, High-Resolution Fundus image database"
TERMS = "CC BY 4.0."
CITATION = (
    "Budai et al., Robust vessel segmentation in fundus images, International Journal of Biomedical Imaging, 2013."
)
SOURCE = "The Pattern Recognition Lab in Erlangen: https://www5.cs.fau.de/research/data/fundus-images/"
EXPECTED = "HRF's own layout: images/01_h.jpg, manual1/01_h.tif, mask/01_h_mask.tif, …"
SPLIT = "None official. Here 01–05 of each kind train, the other 30 test."
CLASSES = Classes(("vessel",))
TRAINING_IMAGES = 5


def entries(root: str) -> list[CaseEntry]:
    """The cases that are there, sorted by name; a number belongs to a kind, so a group is one photograph."""
    cases, fov = [], Path(root) / "mask"
    for (name,), files in paired(Path(root), "images/*.jpg", "manual1/*.tif").items():
        complete = replace(files, fov=fov / f"{name}_mask.tif" if fov.is_dir() else None)
        cases.append(entry(f"hrf_{name}", complete, group=name, split=split_of(name, files.image)))
    if not cases:
        raise nothing_found(root, EXPECTED)
    return cases


def split_of(name: str, image: Path) -> str:
    """'train' or 'test' by a name such as 01_h. Raises DataError, which begins with the image, for any other name."""
    number, _, kind = name.partition("_")
    if not number.isdecimal() or not kind:
        raise DataError(f"{image}: not a name of HRF's, such as 01_h.jpg. Take the file out of the folder.")
    return "train" if int(number) <= TRAINING_IMAGES else "test"
