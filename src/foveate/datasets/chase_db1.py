"""CHASE_DB1: both eyes of 14 children, 999×960 pixels, two observers. Split: first 20 images train, last 8 test.

The set comes without FOV masks; a folder CHASE_DB1_FOV beside it (one mask per image, same name) is used if there.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import CaseFiles, entry, listed
from foveate.records import CaseEntry

TITLE = "CHASE_DB1, Child Heart and Health Study in England"
TERMS = "CC BY 4.0 (Kingston University research data repository)."
CITATION = (
    "Fraz et al., An ensemble classification-based approach applied to retinal blood vessel segmentation,"
    " IEEE TBME 59(9), 2012."
)
EXPECTED = "CHASE_DB1's own flat folder: Image_01L.jpg, Image_01L_1stHO.png, Image_01L_2ndHO.png, …"
TRAINING_IMAGES = 20


def entries(root: str) -> list[CaseEntry]:
    """The 28 cases sorted by name; the two eyes of a child are one group."""
    cases = []
    for number, image in enumerate(listed(root, "Image_*.jpg", expected=EXPECTED)):
        fov = Path(root).absolute().parent / "CHASE_DB1_FOV" / f"{image.stem}.png"
        files = CaseFiles(
            image=image,
            mask=image.with_name(f"{image.stem}_1stHO.png"),
            fov=fov if fov.is_file() else None,
            second_mask=image.with_name(f"{image.stem}_2ndHO.png"),
        )
        split = "train" if number < TRAINING_IMAGES else "test"
        child = image.stem.removeprefix("Image_")[:-1]
        cases.append(entry(f"chase_db1_{image.stem}", files, group=child, split=split))
    return cases
