"""Arteries and veins of DRIVE's photographs, by the people who made RITE.

The labels lie in `av/` beside `images/`, as RITE has them, in colours; or, in colours or class numbers, in a folder
DRIVE_AV beside DRIVE. Image 34, of whose vessels only about half are labelled, is left out. The labels of the training
images are drawn over the vessels of DRIVE's first observer, those of the test images over the second observer's.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foveate.datasets import artery_vein
from foveate.datasets.files import entry, nothing_found, paired
from foveate.datasets.sets.drive import SPLIT_OF
from foveate.records import CaseEntry

TITLE = "DRIVE with arteries and veins (RITE)"
TERMS = "As DRIVE's: free for research and education after registration; not to be redistributed."
CITATION = (
    "Hu, Abràmoff, Garvin, Automated separation of binary overlapping trees in low-contrast color retinal images,"
    " MICCAI 2013; Staal et al., Ridge-based vessel segmentation in color images of the retina, IEEE TMI 23(4), 2004."
)
SOURCE = "RITE's page at the University of Iowa, after registration: https://medicine.uiowa.edu/eye/rite-dataset"
EXPECTED = (
    "RITE's own layout: training/images/21_training.tif, training/av/21_training.png, test/…, with DRIVE's mask/"
    " where there is one; or the folder DRIVE with DRIVE_AV/training/21_training.png, DRIVE_AV/test/… beside it"
)
SPLIT = (
    "Official: 21–40 train without 34, which is only half labelled; 01–20 test, whose labels follow DRIVE's second"
    " observer."
)
CLASSES = artery_vein.CLASSES
LEFT_OUT = "34"


def entries(root: str) -> list[CaseEntry]:
    """Cases 01 to 40 but for one."""
    cases = []
    for part, split in SPLIT_OF.items():
        folder = Path(root) / part
        beside = Path(root).absolute().parent / "DRIVE_AV" / part
        labels, fov = artery_vein.label_folder(folder, beside), folder / "mask"
        for (number,), files in paired(folder, f"images/*_{part}.tif", f"*_{part}.png", labels).items():
            complete = replace(
                files,
                labels=artery_vein.LABELS,
                fov=fov / f"{number}_{part}_mask.gif" if fov.is_dir() else None,
            )
            if number != LEFT_OUT:
                cases.append(entry(f"drive_av_{number}", complete, group=number, split=split))
    if not cases:
        raise nothing_found(root, EXPECTED)
    return sorted(cases, key=lambda case: case.id)
