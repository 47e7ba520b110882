"""Rows as comma-separated text that a spreadsheet shows and doesn't run.

Excel, LibreOffice and Google Sheets take a cell that begins with = + - or @ (or with a tab or line end before it) for a
formula, and a name of a stranger's file may begin so. Such a text gets an apostrophe before it, which spreadsheets take
for the sign of a text and programs that read the file see as the first character; numbers stay as they are (OWASP, CSV
Injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from foveate.imaging.write import write_text

if TYPE_CHECKING:
    from pathlib import Path

_FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""What a cell begins with that spreadsheets would calculate."""


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """The rows, the first of which may be a header, with lines that end in a line feed; None is an empty cell."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([_cell(each) for each in row] for row in rows)
    return file.getvalue()


def write_csv(rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write the rows as `csv_text` has them. Raises OutputError."""
    write_text(csv_text(rows), path)


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # which csv.writer would leave without quotes
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
