"""Tables in CSV files with a header, parted by commas, semicolons or tabs; a sentence for what can't be understood."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from foveate.errors import DataError

Row = dict[str, str]


def csv_rows(table: Path, check_header: Callable[[Sequence[str]], None]) -> Iterator[tuple[str, Row]]:
    """Each row, and where it stands ('FILE, line N'); cells without the space around them, '' where one is left out.

    Raises DataError for a file that isn't such a table, and what `check_header` does.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", strict=True, delimiter=_parting(file.readline()))
            file.seek(0)
            columns = reader.fieldnames or ()
            check_header(columns)
            for row in reader:
                place = f"{table}, line {reader.line_num}"
                if "" in row:
                    raise DataError(f"{place}: has more cells than the header.")
                yield place, {column: (row[column] or "").strip() for column in columns}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: can't be read as a table ({error}). Save it as CSV in UTF-8.") from error


def _parting(header: str) -> str:
    """What parts the columns: commas, or the semicolons or tabs that spreadsheets write in many countries."""
    return next((sign for sign in (";", "\t") if sign in header and "," not in header), ",")


def check_columns(table: Path, header: Sequence[str], required: Sequence[str]) -> None:
    """Raise DataError for a required column that isn't there, and for one that is there twice."""
    for column in dict.fromkeys([*required, *header]):
        if header.count(column) != 1:
            found = "has two columns" if column in header else "has no column"
            raise DataError(f"{table}: {found} '{column}'. Its first line names the columns, parted by commas.")
