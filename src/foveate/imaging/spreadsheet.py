"""Tables as CSV: rows as text that a spreadsheet shows and doesn't run, and tables that people made, read with care.

Excel, LibreOffice and Google Sheets take a cell that begins with = + - or @ (or with a tab or line end before it) for a
formula, and a name of a stranger's file may begin so. Such a text gets an apostrophe before it, which spreadsheets take
for the sign of a text and programs that read the file see as the first character; numbers stay as they are (OWASP, CSV
Injection).

What is read may be parted by commas, semicolons or tabs; a sentence says what can't be understood.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TextIO

from foveate.errors import DataError
from foveate.imaging.write import write_text

if TYPE_CHECKING:
    from pathlib import Path

Cells = dict[str, str]
"""A row that was read: column to cell, without the space around it; '' where it is left out."""

_FORMULA = ("=", "+", "-", "@", "\t", "\n")
"""What a cell begins with that spreadsheets would calculate."""


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """The rows, the first of which may be a header, with lines that end in a line feed; None is an empty cell."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def write_csv(rows: Iterable[Sequence[object]], path: Path) -> None:
    """Write the rows as `csv_text` has them. Raises OutputError."""
    write_text(csv_text(rows), path)


def csv_rows(table: Path, check_header: Callable[[Sequence[str]], None]) -> Iterator[tuple[str, Cells]]:
    """Each row under the header, and where it stands ('FILE, line N').

    The header is handed to `check_header` before any row is. Raises DataError for a file that isn't such a table, and
    what `check_header` does.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            yield from rows_in(str(table), file, check_header)
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(str(table), error) from error


def rows_in(table: str, file: TextIO, check_header: Callable[[Sequence[str]], None]) -> Iterator[tuple[str, Cells]]:
    """As `csv_rows`, of text that is open already, with line ends as they are."""
    try:
        reader = csv.DictReader(file, restkey="", strict=True, delimiter=_parting(file.readline()))
        file.seek(0)
        columns = reader.fieldnames or ()
        check_header(columns)
        for row in reader:
            place = f"{table}, line {reader.line_num}"
            if "" in row:
                raise DataError(f"{place}: has more cells than the header.")
            yield place, {column: (row[column] or "").strip() for column in columns}
    except csv.Error as error:
        raise _unreadable(table, error) from error


def _unreadable(table: str, error: Exception) -> DataError:
    return DataError(f"{table}: can't be read as a table ({error}). Save it as CSV in UTF-8.")


def check_columns(table: Path | str, header: Sequence[str], required: Sequence[str]) -> None:
    """Raise DataError for a required column that isn't there, and for one that is there twice."""
    for column in dict.fromkeys([*required, *header]):
        if header.count(column) != 1:
            state = "has two columns" if column in header else "has no column"
            raise DataError(f"{table}: {state} '{column}'. Its first line names the columns, parted by commas.")


def _parting(header: str) -> str:
    """What parts the columns: commas, or the semicolons or tabs that spreadsheets write in many countries."""
    return next((sign for sign in (";", "\t") if sign in header and "," not in header), ",")


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
