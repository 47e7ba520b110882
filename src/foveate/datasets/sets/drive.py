"""DRIVE: 40 fundus photographs of 565×584 pixels, vessels drawn by hand. Official split: 21–40 train, 01–20 test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.records import CaseEntry, Classes

TITLE = "DRIVE, Digital Retinal Images for Vessel Extraction"
TERMS = "Free for research and education after registration with the DRIVE challenge; not to be redistributed."
CITATION = "Staal et al., Ridge-based vessel segmentation in color images of the retina, IEEE TMI 23(4), 2004."
SOURCE = "The challenge's page of the set's owners, after registration: https://drive.grand-challenge.org/"
EXPECTED = "DRIVE's own layout: training/images/21_training.tif, training/1st_manual, training/mask, test/…"
SPLIT = "Official: 21–40 train, 01–20 test."
CLASSES = Classes(("vessel",))
SPLIT_OF = {"training": "train", "test": "test"}


def entries(root: str) -> list[CaseEntry]:
    """Cases 01 to 40 of the original layout; fields of view and the test part's second observer if their folders are
    there. The challenge gives the test part away without masks: its cases are listed without."""
    cases = []
    for part, split in SPLIT_OF.items():
        folder = Path(root) / part
        second = folder / "2nd_manual"
        for (number,), files in paired(folder, f"images/*_{part}.tif", "1st_manual/*_manual1.gif").items():
            fov = folder / "mask"
            complete = replace(
                files,
                fov=fov / f"{number}_{part}_mask.gif" if fov.is_dir() else None,
                second_mask=second / f"{number}_manual2.gif" if second.is_dir() else None,
            )
            cases.append(entry(f"drive_{number}", complete, group=number, split=split))
    if not cases:
        raise nothing_found(root, EXPECTED)
    return sorted(cases, key=lambda case: case.id)
