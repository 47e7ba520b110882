"""Files that name photographs, each on a line or in a row, with a name for its results or without."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from foveate.errors import DataError, UsageError, needs
from foveate.imaging.spreadsheet import Cells, check_columns, rows_in
from foveate.inference.listing.names import Placed
from foveate.inference.remote.address import is_address, local_or_address

LISTS = (".csv", ".txt", ".parquet")
"""What they end in: tables with a column of paths, or one path in each line."""

COLUMNS = ("path", "image")
"""Of a table: the first of these that it has holds the paths. `segment.csv` has the second."""

ID = "id"
"""Of a table that has it: the column of what the results are called."""


def is_list(place: Path | str) -> bool:
    """Whether a path or an address is a list's, by its ending."""
    return str(place).lower().endswith(LISTS)


def listed_in(table: Path) -> list[Placed]:
    """What a list names. Paths count from its own folder. Raises DataError and UsageError, and OSError for no file."""
    table.stat()
    try:
        content = table.read_bytes()
    except OSError as error:
        raise DataError(f"{table}: can't be read ({error.strerror}).") from error
    return [
        Placed(file, "" if isinstance(file, str) else file.parent, name=name, listed=True)
        for entry, name in entries_of(str(table), content)
        for file in [local_or_address(entry) if is_address(entry) else table.parent / entry]
    ]


def entries_of(table: str, content: bytes) -> list[tuple[str, str]]:
    """The paths and addresses in a list's bytes as they stand there, each with the name of its results or ''.

    Raises DataError for a list that can't be read, UsageError for an empty one.
    """
    if table.lower().endswith(".parquet"):
        entries = list(_in_parquet(table, content))
    elif table.lower().endswith(".txt"):
        entries = [(line.strip(), "") for line in _text(table, content) if line.strip()]
    else:
        rows = rows_in(table, _text(table, content), partial(_check_header, table))
        entries = [_path_and_name(place, cells) for place, cells in rows]
    if not entries:
        raise UsageError(f"{table}: names no image. Give one in each line.")
    return entries


def _text(table: str, content: bytes) -> TextIO:
    try:
        return io.StringIO(content.decode("utf-8-sig"), newline=None if table.lower().endswith(".txt") else "")
    except UnicodeDecodeError as error:
        raise DataError(f"{table}: can't be read as a list ({error}). Save it as text in UTF-8.") from error


def _check_header(table: str, header: Sequence[str]) -> None:
    """One of the columns is enough, as far as it is there once."""
    column = next((name for name in COLUMNS if name in header), COLUMNS[0])
    check_columns(table, header, [column])


def _path_and_name(place: str, cells: Cells) -> tuple[str, str]:
    column = next(name for name in COLUMNS if name in cells)
    for needed in (column, ID):
        if not cells.get(needed, "-"):
            raise DataError(f"{place}: has no {needed}.")
    return cells[column], cells.get(ID, "")


def _in_parquet(table: str, content: bytes) -> Iterator[tuple[str, str]]:
    with needs("remote", f"{table}: Parquet"):
        import pyarrow
        from pyarrow import parquet
    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        header = file.schema_arrow.names
        _check_header(table, header)
        columns = [next(name for name in COLUMNS if name in header), *([ID] if ID in header else [])]
        for number, row in enumerate(file.read(columns).to_pylist(), 1):
            cells = {name: "" if value is None else str(value).strip() for name, value in row.items()}
            yield _path_and_name(f"{table}, row {number}", cells)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{table}: can't be read as Parquet ({type(error).__name__}). Write it again.") from error
