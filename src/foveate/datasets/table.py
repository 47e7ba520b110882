"""Your own images and masks by a table: a CSV file with a header and a row per case.

Columns `image` and `mask`, and, where wanted, `fov`, `group` and `split`; paths are relative to the table. In place of
`mask` there may be columns `mask_NAME`, one for each class, where classes may lie over each other. A case is named
after its image's path below the folder that all images share, without its ending, parts joined by `__`. Without a group
a row's is its image's name up to the first double underscore, as in a folder; without a split it is 'train'.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from foveate.datasets.class_table import check_class_name
from foveate.datasets.csv_rows import Row, check_columns, csv_rows
from foveate.datasets.files import MASK, CaseFiles, class_part, entry, group_of
from foveate.datasets.splits import SPLIT_NAMED, SPLITS
from foveate.errors import DataError, unknown
from foveate.imaging import Label, stem_of
from foveate.records import CaseEntry

CLASS_MASK = "mask_"
"""What the name of a class's column begins with."""
COLUMNS = ("image", MASK, "fov", "group", "split")


def table_classes(table: Path) -> tuple[str, ...]:
    """The classes that have columns of their own, in their order; none where there is one column for all masks.

    Raises DataError for a header that can't be understood.
    """
    return _rows(table)[0]


def table_entries(table: Path, labels: tuple[Label, ...]) -> list[CaseEntry]:
    """The cases in the table's order; the column `mask` names label images where there is a class table.

    Raises DataError for a table, a column or a row that can't be understood.
    """
    names, rows = _rows(table)
    columns = {class_part(name): f"{CLASS_MASK}{name}" for name in names} or {MASK: MASK}
    images = [Path(row["image"]) for row in rows]
    folders = [image.parent.parts for image in images]
    shared = len(list(takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))))
    cases = []
    for row, image, parts in zip(rows, images, folders, strict=True):
        path = [*parts[shared:], stem_of(image)]
        files = CaseFiles(
            image=table.parent / image,
            masks={part: table.parent / row[column] for part, column in columns.items()},
            labels=labels,
            fov=table.parent / row["fov"] if row.get("fov") else None,
        )
        group = row.get("group") or "__".join([*path[:-1], group_of(path[-1])])
        split = SPLIT_NAMED[row.get("split", "").lower() or "train"]
        cases.append(entry("__".join(path), files, group=group, split=split))
    return cases


def _rows(table: Path) -> tuple[tuple[str, ...], list[Row]]:
    """The classes with a column of their own, and the rows."""
    names: list[str] = []

    def check_header(header: Sequence[str]) -> None:
        names.extend(_class_names(table, header))

    rows = []
    for place, row in csv_rows(table, check_header):
        _check_row(place, row)
        rows.append(row)
    if not rows:
        raise DataError(f"{table}: has no row. Write one per case: {', '.join(COLUMNS)}.")
    return tuple(names), rows


def _class_names(table: Path, header: Sequence[str]) -> list[str]:
    names = [column.removeprefix(CLASS_MASK) for column in header if column.startswith(CLASS_MASK)]
    for column in header:
        if column not in COLUMNS and not column.startswith(CLASS_MASK):
            raise DataError(f"{table}: {unknown('column', column, [*COLUMNS, f'{CLASS_MASK}NAME'])}")
    if names and MASK in header:
        raise DataError(f"{table}: has a column '{MASK}' and '{CLASS_MASK}{names[0]}'. Keep one kind of them.")
    check_columns(table, header, ["image"] if names else ["image", MASK])
    return [check_class_name(str(table), name) for name in names]


def _check_row(place: str, row: Row) -> None:
    for column, cell in row.items():
        if not cell and (column in ("image", MASK) or column.startswith(CLASS_MASK)):
            raise DataError(f"{place}: has no {column}. Every row names an image and its mask.")
    if row.get("split") and row["split"].lower() not in SPLIT_NAMED:
        raise DataError(f"{place}: {unknown('split', row['split'], SPLITS)}")
