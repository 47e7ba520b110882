"""STARE: 20 fundus photographs of 700×605 pixels, two observers. Split as in paper 003: first 10 train, last 10 test.

STARE comes without FOV masks; a folder STARE_FOV beside the set (one mask per image, same name) is used if it is there.
"""

from __future__ import annotations

from pathlib import Path

from foveate.datasets.files import CaseFiles, entry, listed
from foveate.records import CaseEntry

TITLE = "STARE, Structured Analysis of the Retina"
TERMS = "Offered freely for research by its authors; no formal licence."
CITATION = (
    "Hoover, Kouznetsova, Goldbaum, Locating blood vessels in retinal images by piecewise threshold probing"
    " of a matched filter response, IEEE TMI 19(3), 2000."
)
EXPECTED = "STARE's own layout: stare-images/im0001.ppm.gz, labels-ah/im0001.ah.ppm.gz, labels-vk/im0001.vk.ppm.gz"
TRAINING_IMAGES = 10


def entries(root: str) -> list[CaseEntry]:
    """The 20 labelled cases sorted by name; first observer A. Hoover (ah), second V. Kouznetsova (vk)."""
    cases = []
    for number, image in enumerate(listed(root, "stare-images/*.ppm*", expected=EXPECTED)):
        name, ending = image.name.split(".", 1)
        fov = Path(root).absolute().parent / "STARE_FOV" / f"{name}.gif"
        files = CaseFiles(
            image=image,
            mask=Path(root) / "labels-ah" / f"{name}.ah.{ending}",
            fov=fov if fov.is_file() else None,
            second_mask=Path(root) / "labels-vk" / f"{name}.vk.{ending}",
        )
        split = "train" if number < TRAINING_IMAGES else "test"
        cases.append(entry(f"stare_{name}", files, group=name, split=split))
    return cases
