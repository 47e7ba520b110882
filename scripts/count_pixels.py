"""Count the pixels of the public vessel sets again and rewrite the table that `foveate audit` reads.

    python scripts/count_pixels.py drive:DRIVE stare:STARE chase_db1:CHASE_DB1 hrf:HRF

The folders are the sets as `foveate evaluate --data` takes them; STARE and CHASE_DB1 need the folder of their fields of
view beside them (see docs/datasets.md). The checked-in table has HRF at half its size.
"""

import sys
from pathlib import Path

import foveate.published
from foveate.datasets import open_set
from foveate.imaging import write_text
from foveate.records import CaseEntry

HEADER = (
    "# Pixels per image of the public vessel sets: first observer, the set's field of view. HRF at half its size.\n"
    "# Written by scripts/count_pixels.py.\n"
)


def line(listed: CaseEntry) -> str:
    """One image's numbers, as TOML."""
    case = listed.load()
    if case.fov is None:
        sys.exit(f"{listed.id}: has no field of view; see docs/datasets.md for the folder that holds it.")
    numbers = {
        "pixels": case.mask.size,
        "fov": case.fov.sum(),
        "foreground_in_fov": (case.mask & case.fov).sum(),
        "foreground": case.mask.sum(),
    }
    facts = ", ".join(f"{key} = {int(value)}" for key, value in numbers.items())
    return f'    {{ id = "{listed.id}", split = "{listed.split}", {facts} }},\n'


def table(spec: str) -> str:
    """One set's images, as TOML."""
    data = open_set(spec)
    return f"\n{data.name} = [\n" + "".join(map(line, data.entries)) + "]\n"


if __name__ == "__main__":
    text = HEADER + "".join(table(spec) for spec in sys.argv[1:])
    write_text(text, Path(foveate.published.__file__).with_name("counts.toml"))
