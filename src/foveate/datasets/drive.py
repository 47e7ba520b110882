"""DRIVE: 40 fundus photographs of 565×584 pixels, vessels drawn by hand. Official split: 21–40 train, 01–20 test."""

from __future__ import annotations

from foveate.datasets.files import CaseFiles, entry, listed
from foveate.records import CaseEntry

TITLE = "DRIVE, Digital Retinal Images for Vessel Extraction"
TERMS = "Free for research and education after registration with the DRIVE challenge; not to be redistributed."
CITATION = "Staal et al., Ridge-based vessel segmentation in color images of the retina, IEEE TMI 23(4), 2004."
EXPECTED = "DRIVE's own layout: training/images/21_training.tif, training/1st_manual, training/mask, test/…"


def entries(root: str) -> list[CaseEntry]:
    """Cases 01 to 40 of the original layout; the test part has a second observer."""
    cases = []
    for image in listed(root, "*/images/*.tif", expected=EXPECTED):
        part = image.parent.parent
        number = image.stem.split("_")[0]
        second = part / "2nd_manual" / f"{number}_manual2.gif"
        files = CaseFiles(
            image=image,
            mask=part / "1st_manual" / f"{number}_manual1.gif",
            fov=part / "mask" / f"{image.stem}_mask.gif",
            second_mask=second if part.name == "test" else None,
        )
        split = "train" if part.name == "training" else part.name
        cases.append(entry(f"drive_{number}", files, group=number, split=split))
    return sorted(cases, key=lambda case: case.id)
