"""Many files measured, one after the other or in several processes, and what comes of them as tables."""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from foveate.errors import FoveateError, OutputError, UsageError
from foveate.imaging import csv_text, read_mask, write_rgb, write_text
from foveate.inference.measuring.measure import Form, check_measurable, measure_source
from foveate.inference.measuring.measurement import Known
from foveate.inference.segmenter import Segmenter
from foveate.morphometry.rows import Row, dictionary_rows, header
from foveate.runtime import Execution

Level = Literal["eye", "patient"]

COLOURS = ("calibre", "tortuosity")
"""What the colours of a vessel's centreline may show."""

LEVELS: tuple[Level, ...] = ("eye", "patient")
"""What a table may have a row for besides each image."""


@dataclass(frozen=True, slots=True)
class MeasureJob:
    """A file and what is known of it."""

    path: Path
    name: str
    """Of its overlay."""
    known: Known
    fov: Path | None = None
    """A mask of its field of view."""

    def overlay(self, folder: Path) -> Path:
        """Where its picture is written."""
        return folder / f"{self.name}_measured.png"


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """What is the same for all files."""

    form: Form = "photograph"
    as_regions: bool = False
    model: str | Path = "vessels"
    threads: int = 0
    overlays: Path | None = None
    """Folder for the pictures."""
    colour: Literal["calibre", "tortuosity"] = "calibre"


@dataclass(frozen=True, slots=True)
class MeasuredFile:
    """What became of a file: a row, or an error."""

    path: Path
    row: Row = field(default_factory=dict)
    segments: list[Row] = field(default_factory=list)
    error: str = ""


@dataclass(frozen=True, slots=True)
class MeasuredFiles:
    """What became of all of them, and the tables that were written."""

    files: tuple[MeasuredFile, ...]
    written: tuple[Path, ...] = ()

    @property
    def rows(self) -> list[Row]:
        """Of those that could be measured."""
        return [file.row for file in self.files if not file.error]

    @property
    def segments(self) -> list[Row]:
        """A row for each vessel segment or region."""
        return [row for file in self.files for row in file.segments]

    @property
    def failed(self) -> int:
        """How many could not be measured."""
        return sum(bool(file.error) for file in self.files)


def check_free(paths: Iterable[Path | None], *, overwrite: bool) -> None:
    """Raise UsageError for two results in one file, OutputError for a file that is there or can't be made there."""
    wanted = [path for path in paths if path is not None]
    if len({path.absolute() for path in wanted}) < len(wanted):
        raise UsageError("two tables have one name: give each a file of its own.")
    there = [path for path in wanted if path.exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]}: is there already. Choose another file, or --overwrite.")
    for path in wanted:
        above = next(folder for folder in path.absolute().parents if folder.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise OutputError(f"{path}: can't be written, as {above} is no folder that you may write to.")


def measure_files(jobs: Sequence[MeasureJob], settings: MeasureSettings, processes: int = 1) -> Iterator[MeasuredFile]:
    """Measure file after file, in order; one that fails has an error, and the next follows."""
    if processes == 1:
        segmenter = _segmenter(settings)
        yield from (_measured(job, settings, segmenter) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            # One at a time, so that none is left with several while the others have nothing to do.
            yield from pool.map(partial(_measured_there, settings=settings), jobs)
        except BrokenProcessPool as error:
            raise UsageError(
                "a process that measured ended by itself: for want of memory, or as a script that asks for several jobs"
                ' does so outside of `if __name__ == "__main__":`.'
            ) from error


def _measured_there(job: MeasureJob, settings: MeasureSettings) -> MeasuredFile:
    """In a process of the pool."""
    return _measured(job, settings, _opened(settings))


@lru_cache(maxsize=1)
def _opened(settings: MeasureSettings) -> Segmenter | None:
    """Once in each process."""
    return _segmenter(settings)


def _segmenter(settings: MeasureSettings) -> Segmenter | None:
    if settings.form != "photograph":
        return None
    segmenter = Segmenter.open(settings.model, execution=Execution(threads=settings.threads))
    # What is wrong of every image is said once, and before any is segmented.
    check_measurable(segmenter.card, as_regions=settings.as_regions)
    return segmenter


def _measured(job: MeasureJob, settings: MeasureSettings, segmenter: Segmenter | None) -> MeasuredFile:
    try:
        fov = None if job.fov is None else read_mask(job.fov)
        measurement = measure_source(
            job.path,
            settings.form,
            segmenter=segmenter,
            fov=fov,
            known=job.known,
            as_regions=settings.as_regions,
        )
        if settings.overlays is not None:
            write_rgb(measurement.overlay(settings.colour), job.overlay(settings.overlays))
        return MeasuredFile(job.path, {**measurement.row, "path": str(job.path)}, measurement.segment_rows)
    except (FoveateError, MemoryError) as error:
        text = "needs more memory than there is" if isinstance(error, MemoryError) else str(error)
        return MeasuredFile(job.path, error=text if str(job.path) in text else f"{job.path}: {text}")


def write_tables(
    result: MeasuredFiles,
    table: Path,
    segments: Path | None,
    dictionary: Path | None,
    groups: Mapping[Level, Path],
) -> MeasuredFiles:
    """Write what is asked for, and the result with what was written; nothing where nothing could be measured.

    Raises OutputError where a row doesn't say whose it is, or a file can't be written.
    """
    if not result.rows:
        return result
    tables = {table: result.rows}
    if segments is not None:
        tables[segments] = result.segments
    if dictionary is not None:
        tables[dictionary] = dictionary_rows()
    tables |= {path: grouped(result.rows, level) for level, path in groups.items()}
    for path, rows in tables.items():
        write_text(as_csv(rows), path)
    return replace(result, written=tuple(tables))


def grouped(rows: Iterable[Row], by: Level) -> list[Row]:
    """A row for each eye (of a patient) or patient: means of the known values, and of volumes the sum.

    Raises OutputError where a row doesn't say whose it is.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    keys = ("patient", "eye") if by == "eye" else ("patient",)
    for row in rows:
        key = tuple(str(row[name]) for name in keys)
        if not key[-1]:
            raise OutputError(f"{row['path']}: has no {by}. Give a list with a column '{by}'.")
        groups.setdefault(key, []).append(row)
    return [_mean(dict(zip(keys, key, strict=True)), members) for key, members in groups.items()]


def _mean(start: dict[str, str], members: Sequence[Row]) -> Row:
    mean: Row = {**start, "images_count": float(len(members))}
    for column in header(members):
        cells = [row.get(column, math.nan) for row in members]
        if any(isinstance(cell, str) for cell in cells):
            continue
        known = [float(cell) for cell in cells if not math.isnan(float(cell))]
        total = math.fsum(known)
        summed = column.startswith("volume")
        mean[column] = (total if summed else total / len(known)) if known else math.nan
    return mean


def as_csv(rows: Sequence[Row]) -> str:
    """The rows as CSV in UTF-8; what isn't defined is empty, never 0."""
    columns = header(rows)
    return csv_text([columns, *([_cell(row.get(column, "")) for column in columns] for row in rows)])


def _cell(value: str | float) -> str | float:
    """As it is, a whole number without a point, others to six digits."""
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return ""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(f"{value:.6g}")
