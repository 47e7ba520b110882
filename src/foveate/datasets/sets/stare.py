"""STARE: 20 fundus photographs of 700×605 pixels, two observers. Split as in paper 003: first 10 train, last 10 test.

STARE comes without FOV masks; a folder STARE_FOV beside the set (one mask per image, same name) is used if it is there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.records import CaseEntry, Classes

TITLE = "STARE, Structured Analysis of the Retina"
TERMS = "Offered freely for research by its authors; no formal licence."
CITATION = (
    "Hoover, Kouznetsova, Goldbaum, Locating blood vessels in retinal images by piecewise threshold probing"
    " of a matched filter response, IEEE TMI 19(3), 2000."
)
SOURCE = "The project's page at Clemson University: https://cecas.clemson.edu/~ahoover/stare/"
EXPECTED = "STARE's own layout: stare-images/im0001.ppm.gz, labels-ah/im0001.ah.ppm.gz, labels-vk/im0001.vk.ppm.gz"
SPLIT = "None official. Here the first 10 by name train, the last 10 test."
CLASSES = Classes(("vessel",))
TRAINING_IMAGES = 10


def entries(root: str) -> list[CaseEntry]:
    """The 20 labelled cases sorted by name; first observer A. Hoover (ah), second V. Kouznetsova (vk)."""
    folder = Path(root)
    pairs = {
        key: files
        for ending in (".ppm.gz", ".ppm")
        for key, files in paired(folder, f"stare-images/*{ending}", f"labels-ah/*.ah{ending}").items()
    }
    if not pairs:
        raise nothing_found(root, EXPECTED)
    cases = []
    for number, ((name,), files) in enumerate(sorted(pairs.items())):
        ending = files.image.name.removeprefix(name)
        second = folder / "labels-vk"
        fov = folder.absolute().parent / "STARE_FOV" / f"{name}.gif"
        complete = replace(
            files,
            fov=fov if fov.is_file() else None,
            second_mask=second / f"{name}.vk{ending}" if second.is_dir() else None,
        )
        split = "train" if number < TRAINING_IMAGES else "test"
        cases.append(entry(f"stare_{name}", complete, group=name, split=split))
    return cases
