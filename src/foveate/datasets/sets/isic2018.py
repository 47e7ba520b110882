"""ISIC 2018, Task 1: dermatoscopic photographs of skin lesions, each with its outline as a filled mask.

Official parts: 2594 training, 100 validation and 1000 test images; the folders that are there are read, and a part may
be a selection. The set doesn't say which images show one patient, so every image is a group of its own.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.records import CaseEntry, Classes

TITLE = "ISIC 2018, Task 1: skin lesion boundaries"
TERMS = "CC BY-NC 4.0."
CITATION = (
    "Codella et al., Skin Lesion Analysis Toward Melanoma Detection 2018, arXiv:1902.03368, 2019;"
    " Tschandl, Rosendahl, Kittler, The HAM10000 dataset, Scientific Data 5, 2018."
)
SOURCE = "The challenge's page of the International Skin Imaging Collaboration: https://challenge.isic-archive.com/data/#2018"
EXPECTED = (
    "the challenge's own folders: ISIC2018_Task1-2_Training_Input/ISIC_0000000.jpg,"
    " ISIC2018_Task1_Training_GroundTruth/ISIC_0000000_segmentation.png, and so on for Validation and Test"
)
SPLIT = "Official: the folders Training, Validation and Test."
CLASSES = Classes(("lesion",))
SPLIT_OF = {"Training": "train", "Validation": "validation", "Test": "test"}


def entries(root: str) -> list[CaseEntry]:
    """The cases of the parts that are there, sorted by part and number."""
    cases = []
    for part, split in SPLIT_OF.items():
        images = f"ISIC2018_Task1-2_{part}_Input/ISIC_*.jpg"
        masks = f"ISIC2018_Task1_{part}_GroundTruth/ISIC_*_segmentation.png"
        for (number,), files in paired(Path(root), images, masks).items():
            cases.append(entry(f"isic2018_{number}", files, group=number, split=split))
    if not cases:
        raise nothing_found(root, EXPECTED)
    return cases
