"""The tables that come with images of your own: `data.csv` lists the cases, `classes.csv` names the classes.

`data.csv`, under any name, has a row per case. Columns `image` and `mask`, and, where wanted, `fov`, `group` and
`split`; paths are relative to the table. In place of `mask` there may be columns `mask_NAME`, one for each class, where
classes may lie over each other. A case is named after its image's path below the folder that all images share, without
its ending, parts joined by `__`. Without a group a row's is its image's name up to the first double underscore, as in a
folder; without a split it is 'train'.

`classes.csv` has a row for each number or colour of a label image. Columns `value` (the number, 0 to 65535) and `name`,
and, for label images in colour, `colour` (such as #ff0000). Rows of one name are one class. 0 and black are the
background, unless rows named `background` give it other numbers or colours: then they may be a class's, as in label
images that are 0, 128 and 255, of which 255 is the background.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from foveate.datasets.files import MASK, CaseFiles, as_on_disk, class_part, composed, group_of
from foveate.datasets.splits import SPLIT_NAMED, SPLITS
from foveate.datasets.volumes import Shelf, listed
from foveate.errors import DataError, unknown
from foveate.imaging import Label, names_of, stem_of
from foveate.imaging.labels import HIGHEST_NUMBER
from foveate.imaging.palette import BACKGROUND, Colour
from foveate.imaging.spreadsheet import Cells, check_columns, csv_rows
from foveate.records import MOST_CLASSES, CaseEntry, is_class_name

CLASS_MASK = "mask_"
"""What the name of a class's column begins with."""
CASE_COLUMNS = ("image", MASK, "fov", "group", "split")


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
    cases, shelf = [], Shelf()
    for row, image, parts in zip(rows, images, folders, strict=True):
        path = [composed(part) for part in (*parts[shared:], stem_of(image))]
        files = CaseFiles(
            image=as_on_disk(table.parent / image),
            masks={part: as_on_disk(table.parent / row[column]) for part, column in columns.items()},
            labels=labels,
            fov=as_on_disk(table.parent / row["fov"]) if row.get("fov") else None,
        )
        group = composed(row.get("group", "")) or "__".join([*path[:-1], group_of(path[-1])])
        split = SPLIT_NAMED[row.get("split", "").lower() or "train"]
        cases += listed("__".join(path), files, group=group, split=split, shelf=shelf)
    return cases


def _rows(table: Path) -> tuple[tuple[str, ...], list[Cells]]:
    """The classes with a column of their own, and the rows."""
    names: list[str] = []

    def check_header(header: Sequence[str]) -> None:
        names.extend(_class_names(table, header))

    rows = []
    for place, row in csv_rows(table, check_header):
        _check_row(place, row)
        rows.append(row)
    if not rows:
        raise DataError(f"{table}: has no row. Write one per case: {', '.join(CASE_COLUMNS)}.")
    return tuple(names), rows


def _class_names(table: Path, header: Sequence[str]) -> list[str]:
    names = [column.removeprefix(CLASS_MASK) for column in header if column.startswith(CLASS_MASK)]
    for column in header:
        if column not in CASE_COLUMNS and not column.startswith(CLASS_MASK):
            raise DataError(f"{table}: {unknown('column', column, [*CASE_COLUMNS, f'{CLASS_MASK}NAME'])}")
    if names and MASK in header:
        raise DataError(f"{table}: has a column '{MASK}' and '{CLASS_MASK}{names[0]}'. Keep one kind of them.")
    check_columns(table, header, ["image"] if names else ["image", MASK])
    return [check_class_name(str(table), name) for name in names]


def _check_row(place: str, row: Cells) -> None:
    for column, cell in row.items():
        if not cell and (column in ("image", MASK) or column.startswith(CLASS_MASK)):
            raise DataError(f"{place}: has no {column}. Every row names an image and its mask.")
    if row.get("split") and row["split"].lower() not in SPLIT_NAMED:
        raise DataError(f"{place}: {unknown('split', row['split'], SPLITS)}")


CLASS_TABLE = "classes.csv"
CLASS_COLUMNS = ("value", "name", "colour")


def read_class_table(table: Path) -> tuple[Label, ...]:
    """The rows of a class table in their order, with the name '' for a background other than 0 and black.

    Raises DataError for what doesn't fit.
    """
    labels: list[Label] = []
    for place, row in csv_rows(table, lambda header: _check_class_header(table, header)):
        label = _label(place, row)
        for other in labels:
            same = label.value == other.value or (label.colour and label.colour == other.colour)
            if same and label.name != other.name:
                names = (known.name or "background" for known in (label, other))
                raise DataError("{}: '{}' has the value or colour of '{}'. Give it another.".format(place, *names))
        labels.append(label)
    if not 1 <= len(names_of(labels)) <= MOST_CLASSES:
        raise DataError(f"{table}: names no class, or more than {MOST_CLASSES}. Write a row for each: value,name.")
    _check_background(table, labels)
    return tuple(label for label in labels if label.name or label.value or label.colour not in (None, BACKGROUND))


def check_class_name(place: str, name: str) -> str:
    """The name of a class, as it stands in tables and file names. Raises DataError for one that can't stand there."""
    if not is_class_name(name):
        raise DataError(f"{place}: '{name}' can't be a class's name. Use letters, digits, spaces, - and _.")
    return name


def _check_class_header(table: Path, header: Sequence[str]) -> None:
    for column in header:
        if column not in CLASS_COLUMNS:
            raise DataError(f"{table}: {unknown('column', column, CLASS_COLUMNS)}")
    check_columns(table, header, CLASS_COLUMNS[:2])


def _check_background(table: Path, labels: Sequence[Label]) -> None:
    """Raise DataError where 0 or black is a class, and no row says what the background is instead."""
    background = [label for label in labels if not label.name]
    for label in labels:
        number = label.value == 0 and not background
        black = label.colour == BACKGROUND and not any(row.colour for row in background)
        if label.name and (number or black):
            raise DataError(
                f"{table}: 0 and #000000 are the background, not '{label.name}'. Give the class another value, or the"
                " background a row of its own, such as 255,background."
            )


def _label(place: str, row: Cells) -> Label:
    """A row's class, named '' where it is the background."""
    value, name, colour = row["value"], row["name"], _colour(place, row.get("colour", ""))
    if not (value.isascii() and value.isdecimal() and int(value) <= HIGHEST_NUMBER):
        raise DataError(f"{place}: value '{value}' is no whole number from 0 to {HIGHEST_NUMBER}.")
    return Label(int(value), "" if name.lower() == "background" else check_class_name(place, name), colour)


def _colour(place: str, text: str) -> Colour | None:
    if not text:
        return None
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise DataError(f"{place}: colour '{text}' isn't one. Write # and six digits from 0 to f, e.g. #ff0000.")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue
