"""What `foveate measure` is given: files, folders, and lists in CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from foveate.errors import DataError, UsageError
from foveate.imaging.spreadsheet import Cells, csv_rows
from foveate.inference.measuring.measured_files import MeasureJob
from foveate.inference.measuring.measurement import Known
from foveate.inference.source import files_of
from foveate.morphometry.zones import Disc

COLUMNS = ("path", "fov", "disc_row", "disc_column", "disc_diameter", "um_per_pixel", "eye", "patient")
"""Of a list; all but the first may be left out, and so may any cell of them. Other columns are refused."""


def measure_jobs(sources: Iterable[Path], known: Known) -> list[MeasureJob]:
    """The files that the sources (files, folders, lists that end in .csv) mean, with what is known of each.

    A list's cell stands above `known`. Raises UsageError for a source that isn't there, DataError for a list that can't
    be read.
    """
    listed: list[tuple[Path, Known, Path | None]] = []
    for source in sources:
        if source.suffix.lower() == ".csv":
            listed += _rows(source, known)
        else:
            listed += [(job.path, known, None) for job in files_of([source])]
    by_path = {path.resolve(): (facts, fov) for path, facts, fov in listed}
    jobs = files_of(path for path, _, _ in listed)
    return [MeasureJob(job.path, job.name, *by_path[job.path.resolve()]) for job in jobs]


def disc_of(text: str) -> Disc:
    """The disc of 'ROW,COLUMN,DIAMETER' in pixels. Raises UsageError."""
    try:
        row, column, diameter = (float(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"'{text}' is no disc: write ROW,COLUMN,DIAMETER in pixels, such as 520,1210,330.") from error
    return Disc(row, column, diameter)


def _rows(table: Path, known: Known) -> list[tuple[Path, Known, Path | None]]:
    if not table.exists():
        raise UsageError(f"{table}: no such file; check the name.")
    listed = [_row(table, place, cells, known) for place, cells in csv_rows(table, partial(_check_header, table))]
    if not listed:
        raise DataError(f"{table}: names no image. Give a line for each under the header.")
    return listed


def _check_header(table: Path, header: Sequence[str]) -> None:
    unknown = [column for column in header if column not in COLUMNS]
    twice = [column for column in header if header.count(column) > 1]
    if "path" not in header or unknown or twice:
        raise DataError(
            f"{table}: has the columns {', '.join(header) or '–'};"
            f" expected path and any of {', '.join(COLUMNS[1:])}, each once."
        )


def _row(table: Path, place: str, cells: Cells, known: Known) -> tuple[Path, Known, Path | None]:
    if not cells["path"]:
        raise DataError(f"{place}: has no path.")
    disc = [cells.get(f"disc_{part}", "") for part in ("row", "column", "diameter")]
    if any(disc) and not all(disc):
        raise DataError(f"{place}: a disc has row, column and diameter; one is missing.")
    facts = replace(known, eye=cells.get("eye", ""), patient=cells.get("patient", ""))
    try:
        if all(disc):
            facts = replace(facts, disc=disc_of(",".join(disc)))
    except UsageError as error:
        raise DataError(f"{place}: {error}") from error
    if cells.get("um_per_pixel"):
        facts = replace(facts, um_per_pixel=_positive(place, cells["um_per_pixel"]))
    fov = table.parent / cells["fov"] if cells.get("fov") else None
    return table.parent / cells["path"], facts, fov


def _positive(place: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise DataError(f"{place}: um_per_pixel is '{text}'; expected a number above 0.")
    return value
