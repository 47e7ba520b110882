"""What observers and the shipped model make of the same photographs, measured, as one JSON file.

python scripts/observe_measures.py drive:FOLDER chase_db1:FOLDER stare:FOLDER -o observed.json

For every case with a second observer: the measures of both observers' masks and of the model's at several thresholds.
docs/measures.md is made from it by write_measures.py.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from foveate.datasets import open_set
from foveate.inference import Segmenter
from foveate.morphometry.trust import SHIFTED
from foveate.morphometry.vessels import measure_vessels
from foveate.records import Case, Mask
from foveate.runtime import Execution


def observed(case: Case, second: Mask, segmenter: Segmenter) -> dict[str, Any]:
    """Measure to value, by who drew the mask."""
    result = segmenter.segment(case.image, fov=case.fov)
    masks = {"first": case.masks[0], "second": second, "model": result.mask}
    masks |= {f"{threshold}": result.probability >= threshold for threshold in SHIFTED}
    return {name: measure_vessels(mask, result.fov).values for name, mask in masks.items()}


def main() -> None:
    """Read the command line, and write after every case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sets", nargs="+", help="NAME:FOLDER of data sets with two observers")
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    segmenter = Segmenter.open("vessels", execution=Execution(threads=1))
    found = []
    for name in arguments.sets:
        for entry in open_set(name).entries:
            case = entry.load()
            if case.second_masks is not None:
                found.append(
                    {"set": name.partition(":")[0], "split": entry.split, "case": entry.id}
                    | observed(case, case.second_masks[0], segmenter)
                )
                arguments.out.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
