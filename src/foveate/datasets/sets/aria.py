"""ARIA: 143 fundus photographs of 768×576 pixels, healthy, diabetic or with macular degeneration, one observer.

Copies go round under names that are mere numbers. Which of them show one person is then in a table, `groups.csv`, with
the columns `file` and `subject`; the set has no official split. Here the subject's name alone decides, so that a
subject stands on the same side in any selection: those whose SHA-256 of SEED and name is a multiple of five are 'test'.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from foveate.datasets.files import entry, nothing_found, paired
from foveate.errors import DataError
from foveate.imaging import stem_of
from foveate.imaging.spreadsheet import check_columns, csv_rows
from foveate.records import CaseEntry, Classes

TITLE = "ARIA, Automated Retinal Image Analysis"
TERMS = "Free for research by its authors as far as known; no formal licence."
CITATION = (
    "Farnell et al., Enhancement of blood vessels in digital fundus photographs via the application of multiscale line"
    " operators, Journal of the Franklin Institute 345, 2008."
)
SOURCE = "A copy by the authors of ORVS: https://github.com/AbdullahSarhan/ICPRVessels"
EXPECTED = "images/500.jpg, vessels/500.png, …, and groups.csv with the columns file and subject"
SPLIT = "None official. Here a seeded fifth of the subjects, chosen by name, test, the others train."
CLASSES = Classes(("vessel",))
TABLE, FILE, SUBJECT = "groups.csv", "file", "subject"
SEED = 5


def entries(root: str) -> list[CaseEntry]:
    """The cases that are there, sorted by name; a subject is a group. Raises DataError for an image without one."""
    pairs = paired(Path(root), "images/*.jpg", "vessels/*.png")
    if not pairs:
        raise nothing_found(root, EXPECTED)
    table = Path(root) / TABLE
    subjects = _subjects(table)
    cases = []
    for (name,), files in pairs.items():
        if name not in subjects:
            raise DataError(f"{files.image}: {table.name} does not say whose it is. Add a row, or take the file out.")
        subject = subjects[name]
        cases.append(entry(f"aria_{name}", files, group=subject, split=split_of(subject)))
    return cases


def _subjects(table: Path) -> dict[str, str]:
    rows = csv_rows(table, lambda header: check_columns(table, header, (FILE, SUBJECT)))
    return {stem_of(Path(row[FILE])): row[SUBJECT] for _, row in rows if row[SUBJECT]}


def split_of(subject: str) -> str:
    """'train' or 'test' by the subject's name, such as a10."""
    digest = hashlib.sha256(f"{SEED} {subject}".encode()).digest()
    return "test" if int.from_bytes(digest) % 5 == 0 else "train"
