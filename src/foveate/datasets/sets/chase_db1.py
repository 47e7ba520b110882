"""CHASE_DB1: both eyes of 14 children, 999×960 pixels, two observers. Split: first 20 images train, last 8 test.

The set comes without FOV masks; a folder CHASE_DB1_FOV beside it (one mask per image, same name) is used if there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foveate.datasets.files import entry, matches, nothing_found, paired
from foveate.records import CaseEntry, Classes

TITLE = "CHASE_DB1, Child Heart and Health Study in England"
TERMS = "CC BY 4.0 (Kingston University research data repository)."
CITATION = (
    "Fraz et al., An ensemble classification-based approach applied to retinal blood vessel segmentation,"
    " IEEE TBME 59(9), 2012."
)
SOURCE = (
    "Kingston University's list of data sets:"
    " https://researchinnovation.kingston.ac.uk/en/datasets/chasedb1-retinal-vessel-reference-dataset-4/"
)
EXPECTED = "CHASE_DB1's own flat folder: Image_01L.jpg, Image_01L_1stHO.png, Image_01L_2ndHO.png, …"
SPLIT = "None official. Here the first 20 by name (10 children) train, the last 8 test."
CLASSES = Classes(("vessel",))
TRAINING_IMAGES = 20


def entries(root: str) -> list[CaseEntry]:
    """The 28 cases sorted by name; the two eyes of a child are one group."""
    folder = Path(root)
    cases = []
    second = bool(matches(folder, "Image_*_2ndHO.png"))
    for number, ((eye,), files) in enumerate(paired(folder, "Image_*.jpg", "Image_*_1stHO.png").items()):
        fov = folder.absolute().parent / "CHASE_DB1_FOV" / f"Image_{eye}.png"
        complete = replace(
            files,
            fov=fov if fov.is_file() else None,
            second_mask=folder / f"Image_{eye}_2ndHO.png" if second else None,
        )
        split = "train" if number < TRAINING_IMAGES else "test"
        cases.append(entry(f"chase_db1_Image_{eye}", complete, group=eye[:-1], split=split))
    if not cases:
        raise nothing_found(root, EXPECTED)
    return cases
