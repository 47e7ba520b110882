"""Arteries and veins of HRF's photographs, by Hemelings and others.

The labels, in colours or class numbers, lie in `av/` beside `images/`, or in a folder HRF_AV beside the set. Copies at
another size in the same layout, and a part of the set, are read alike.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foveate.datasets import artery_vein
from foveate.datasets.files import entry, nothing_found, paired
from foveate.datasets.sets import hrf
from foveate.records import CaseEntry

TITLE = "HRF with arteries and veins"
TERMS = "HRF's photographs: CC BY 4.0; the labels' authors state no licence."
CITATION = (
    "Hemelings et al., Artery-vein segmentation in fundus images using a fully convolutional network, Computerized"
    " Medical Imaging and Graphics 76, 2019; Budai et al., Robust vessel segmentation in fundus images, International"
    " Journal of Biomedical Imaging, 2013."
)
SOURCE = "The labels' authors, for HRF's own photographs: https://github.com/rubenhx/av-segmentation"
EXPECTED = (
    "HRF's own layout, images/01_h.jpg, mask/01_h_mask.tif, with av/01_h_AVmanual.png; or the folder HRF with"
    " HRF_AV/01_h_AVmanual.png beside it"
)
SPLIT = hrf.SPLIT
CLASSES = artery_vein.CLASSES


def entries(root: str) -> list[CaseEntry]:
    """The cases that are there, sorted by name, with HRF's splits."""
    folder, cases = Path(root), []
    fov = folder / "mask"
    labels = artery_vein.label_folder(folder, folder.absolute().parent / "HRF_AV")
    for (name,), files in paired(folder, "images/*.jpg", "*_AVmanual.png", labels).items():
        complete = replace(files, labels=artery_vein.LABELS, fov=fov / f"{name}_mask.tif" if fov.is_dir() else None)
        cases.append(entry(f"hrf_av_{name}", complete, group=name, split=hrf.split_of(name, files.image)))
    if not cases:
        raise nothing_found(root, EXPECTED)
    return cases
