"""LGG: brain MRI of 110 patients with lower-grade glioma, slices of 256×256 pixels, FLAIR abnormality drawn by hand.

The three channels are pre-contrast, FLAIR and post-contrast; a sequence that a patient lacks is FLAIR again. Most masks
are empty: most slices show no tumour. The set has no official split. Here the patient's name alone decides, so that a
patient stands on the same side in the whole set and in any selection from it: those whose SHA-256 of SEED and name is
a multiple of five are 'test', the others 'train'. Of the 110 patients that is exactly a fifth, 22.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.errors import DataError
from foveate.records import CaseEntry, Classes

TITLE = "LGG, brain MRI with FLAIR abnormality"
TERMS = (
    "CC BY-NC-SA 4.0 as published by its authors; the images are from TCGA-LGG in The Cancer Imaging Archive, whose"
    " data policy applies."
)
CITATION = (
    "Buda, Saha, Mazurowski, Association of genomic subtypes of lower-grade gliomas with shape features automatically"
    " extracted by a deep learning algorithm, Computers in Biology and Medicine 109, 2019."
)
SOURCE = "The first author's page on Kaggle: https://www.kaggle.com/datasets/mateuszbuda/lgg-mri-segmentation"
EXPECTED = "the folder with kaggle_3m/PATIENT/PATIENT_1.tif and PATIENT_1_mask.tif in it, or kaggle_3m itself"
SPLIT = "None official. Here a seeded fifth of the patients (22 of the 110), chosen by name, test, the others train."
CLASSES = Classes(("tumour",))
CHANNELS = ("pre-contrast", "FLAIR", "post-contrast")
SEED = 5


def entries(root: str) -> list[CaseEntry]:
    """The slices of the patients that are there, by patient, then in order; a patient is a group."""
    inner = Path(root) / "kaggle_3m"
    slices = []
    for (patient, name), files in paired(inner if inner.is_dir() else Path(root), "*/*.tif", "*/*_mask.tif").items():
        if name.endswith("_mask"):  # a mask, which "*.tif" finds too
            continue
        number = name.removeprefix(f"{patient}_")
        if not (number.isascii() and number.isdecimal()):
            raise DataError(f"{files.image}: not a name of LGG's, such as {patient}_1.tif. Take it out of the folder.")
        slices.append((patient, int(number), files))
    if not slices:
        raise nothing_found(root, EXPECTED)
    return [
        entry(f"lgg_{patient}_{number}", files, group=patient, split=split_of(patient))
        for patient, number, files in sorted(slices, key=lambda one: one[:2])
    ]


def split_of(patient: str) -> str:
    """'train' or 'test' by the patient's code, such as TCGA_CS_4942; the date of the examination doesn't count."""
    code = "_".join(patient.split("_")[:3])
    digest = hashlib.sha256(f"{SEED} {code}".encode()).digest()
    return "test" if int.from_bytes(digest) % 5 == 0 else "train"
