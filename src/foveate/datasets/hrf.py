"""HRF: 45 fundus photographs of 3504×2336 pixels, 15 healthy (h), 15 diabetic (dr), 15 glaucomatous (g).

Split as most of the field does it: 01–05 of each kind train, the other 30 test. Copies at another size in the same
layout are read alike.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import CaseFiles, entry, listed
from foveate.errors import DataError
from foveate.records import CaseEntry

TITLE = "HRF, High-Resolution Fundus image database"
TERMS = "CC BY 4.0."
CITATION = (
    "Budai et al., Robust vessel segmentation in fundus images, International Journal of Biomedical Imaging, 2013."
)
EXPECTED = "HRF's own layout: images/01_h.jpg, manual1/01_h.tif, mask/01_h_mask.tif, …"
TRAINING_IMAGES = 5


def entries(root: str) -> list[CaseEntry]:
    """The cases that are there, sorted by name; a number belongs to a kind, so a group is one photograph."""
    cases = []
    for image in listed(root, "images/*.[jJ][pP][gG]", expected=EXPECTED):
        files = CaseFiles(
            image=image,
            mask=Path(root) / "manual1" / f"{image.stem}.tif",
            fov=Path(root) / "mask" / f"{image.stem}_mask.tif",
        )
        number, _, kind = image.stem.partition("_")
        if not number.isdecimal() or not kind:
            raise DataError(f"{image}: not a name of HRF's, such as 01_h.jpg. Take the file out of the folder.")
        split = "train" if int(number) <= TRAINING_IMAGES else "test"
        cases.append(entry(f"hrf_{image.stem}", files, group=image.stem, split=split))
    return cases
