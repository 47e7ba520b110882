"""ORVS: 49 fundus photographs of 1444×1444 pixels, one observer. Split as its authors give it: 41 train, 8 test.

Nothing says which photographs show one person, so every photograph is a group of its own.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.records import CaseEntry, Classes

TITLE = "ORVS, Online Retinal image for Vessel Segmentation"
TERMS = "Free for research by its authors as far as known, who ask to be cited; no formal licence."
CITATION = (
    "Sarhan, Rokne, Alhajj, Crichton, Transfer learning through weighted loss function and group normalization for"
    " vessel segmentation from retinal images, ICPR 2020."
)
SOURCE = "Its authors' repository: https://github.com/AbdullahSarhan/ICPRVessels"
EXPECTED = "train/images/2012.jpg, train/vessels/2012.png, …, and test alike"
SPLIT = "Its authors' own: the folders train and test."
CLASSES = Classes(("vessel",))


def entries(root: str) -> list[CaseEntry]:
    """The cases of the parts that are there, by part, then by name."""
    cases = [
        entry(f"orvs_{name}", files, group=name, split=split)
        for split in ("train", "test")
        for (name,), files in paired(Path(root) / split, "images/*.jpg", "vessels/*.png").items()
    ]
    if not cases:
        raise nothing_found(root, EXPECTED)
    return sorted(cases, key=lambda case: case.id)
