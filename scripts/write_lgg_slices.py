"""Write a table of LGG that parts slices, not patients: python scripts/write_lgg_slices.py FOLDER FOLDER/slices.csv.

Slices of one patient then stand on both sides of every split, which is what paper 001 may have done, and shows what
such a split is worth. A fifth of the slices, drawn by a seed, is the test part; each slice is a group of its own.
"""

import csv
import os
import sys
from io import StringIO
from pathlib import Path

import numpy as np

from foveate.datasets.files import MASK, files_of
from foveate.datasets.sets.lgg import entries
from foveate.imaging import write_text

SEED = 0


def table(folder: Path, below: Path) -> str:
    """The table's text; its paths are relative to `below`, the folder that it will lie in."""
    cases = entries(str(folder))
    test = set(np.random.default_rng(SEED).permutation(len(cases))[: round(len(cases) / 5)].tolist())
    text = StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["image", "mask", "group", "split"])
    for index, case in enumerate(cases):
        if files := files_of(case):
            image, mask = (os.path.relpath(path, below) for path in (files.image, files.masks[MASK]))
            rows.writerow([image, mask, case.id, "test" if index in test else "train"])
    return text.getvalue()


if __name__ == "__main__":
    lgg, out = Path(sys.argv[1]), Path(sys.argv[2])
    write_text(table(lgg, out.parent), out)
