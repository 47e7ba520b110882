"""The names of the classes of your own images: `classes.csv`, with a row for each number or colour of a label image.

Columns `value` (the number, 0 to 65535) and `name`, and, for label images in colour, `colour` (such as #ff0000). Rows
of one name are one class. 0 and black are the background, unless rows named `background` give it other numbers or
colours: then they may be a class's, as in label images that are 0, 128 and 255, of which 255 is the background.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from foveate.datasets.csv_rows import Row, check_columns, csv_rows
from foveate.errors import DataError, unknown
from foveate.imaging import Label, names_of
from foveate.imaging.labels import HIGHEST_NUMBER
from foveate.imaging.palette import BACKGROUND, Colour
from foveate.records import MOST_CLASSES, is_class_name

FILE_NAME = "classes.csv"
COLUMNS = ("value", "name", "colour")


def read_class_table(table: Path) -> tuple[Label, ...]:
    """The rows of a class table in their order, with the name '' for a background other than 0 and black.

    Raises DataError for what doesn't fit.
    """
    labels: list[Label] = []
    for place, row in csv_rows(table, lambda header: _check_header(table, header)):
        label = _label(place, row)
        for other in labels:
            same = label.value == other.value or (label.colour and label.colour == other.colour)
            if same and label.name != other.name:
                names = (each.name or "background" for each in (label, other))
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


def _check_header(table: Path, header: Sequence[str]) -> None:
    for column in header:
        if column not in COLUMNS:
            raise DataError(f"{table}: {unknown('column', column, COLUMNS)}")
    check_columns(table, header, COLUMNS[:2])


def _check_background(table: Path, labels: Sequence[Label]) -> None:
    """Raise DataError where 0 or black is a class, and no row says what the background is instead."""
    background = [label for label in labels if not label.name]
    for label in labels:
        number = label.value == 0 and not background
        black = label.colour == BACKGROUND and not any(each.colour for each in background)
        if label.name and (number or black):
            raise DataError(
                f"{table}: 0 and #000000 are the background, not '{label.name}'. Give the class another value, or the"
                " background a row of its own, such as 255,background."
            )


def _label(place: str, row: Row) -> Label:
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
