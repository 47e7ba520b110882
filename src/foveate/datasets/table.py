"""Your own images and masks by a table: a CSV file with a header and a row per case.

Columns `image` and `mask`, and, where wanted, `fov`, `group` and `split`; paths are relative to the table. A case is
named after its image's path below the folder that all images share, without its ending, parts joined by `__`. Without
a group a row's is its image's name up to the first double underscore, as in a folder; without a split it is 'train'.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from foveate.datasets.files import CaseFiles, entry, group_of
from foveate.errors import DataError, unknown
from foveate.imaging import stem_of
from foveate.records import CaseEntry

REQUIRED = ("image", "mask")
COLUMNS = (*REQUIRED, "fov", "group", "split")
SPLITS = ("train", "validation", "test")

Row = dict[str, str]


def table_entries(table: Path) -> list[CaseEntry]:
    """The cases in the table's order. Raises DataError for a table, a column or a row that can't be understood."""
    rows = list(_rows(table))
    if not rows:
        raise DataError(f"{table}: has no row. Write one per case: {', '.join(COLUMNS)}.")
    images = [Path(row["image"]) for row in rows]
    folders = [image.parent.parts for image in images]
    shared = len(list(takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))))
    cases = []
    for row, image, parts in zip(rows, images, folders, strict=True):
        path = [*parts[shared:], stem_of(image)]
        files = CaseFiles(
            image=table.parent / image,
            mask=table.parent / row["mask"],
            fov=table.parent / row["fov"] if row["fov"] else None,
        )
        group = row["group"] or "__".join([*path[:-1], group_of(path[-1])])
        cases.append(entry("__".join(path), files, group=group, split=row["split"] or "train"))
    return cases


def _rows(table: Path) -> Iterator[Row]:
    """The rows with all columns, '' where a cell or column isn't there."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            _check_header(table, reader.fieldnames or ())
            for row in reader:
                if "" in row:
                    raise DataError(f"{table}, line {reader.line_num}: has more cells than the header.")
                full = {column: (row.get(column) or "").strip() for column in COLUMNS}
                _check_row(f"{table}, line {reader.line_num}", full)
                yield full
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: can't be read as a table ({error}). Save it as CSV in UTF-8.") from error


def _check_header(table: Path, header: Sequence[str]) -> None:
    for column in header:
        if column not in COLUMNS:
            raise DataError(f"{table}: {unknown('column', column, COLUMNS)}")
    for column in COLUMNS:
        needed = column in REQUIRED
        if header.count(column) > 1 or (needed and column not in header):
            found = "has two columns" if column in header else "has no column"
            raise DataError(f"{table}: {found} '{column}'. Its first line names the columns, parted by commas.")


def _check_row(place: str, row: Row) -> None:
    for column in REQUIRED:
        if not row[column]:
            raise DataError(f"{place}: has no {column}. Every row names an image and its mask.")
    if row["split"] and row["split"] not in SPLITS:
        raise DataError(f"{place}: {unknown('split', row['split'], SPLITS)}")
