"""`foveate measure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import say, say_error
from foveate.cli.extras import needs
from foveate.cli.options import THREADS
from foveate.errors import OutputError, UsageError, unknown

if TYPE_CHECKING:
    from foveate.inference.measured_files import MeasuredFile
    from foveate.morphometry.rows import Row

Level = Literal["eye", "patient"]

LEVELS: tuple[Level, ...] = ("eye", "patient")


def measure(
    sources: Annotated[
        list[Path],
        typer.Argument(
            readable=False, help="Photographs, masks, folders of them, and lists in CSV (docs/measures.md)."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The table, in CSV: a row for each image.")],
    segments: Annotated[Path | None, typer.Option(help="A second table: a row for each vessel segment.")] = None,
    dictionary: Annotated[Path | None, typer.Option(help="The data dictionary: what every column is.")] = None,
    mask: Annotated[bool, typer.Option("--mask", help="The sources are masks, of any tool.")] = False,
    artery_vein: Annotated[
        bool,
        typer.Option("--artery-vein", help="They are label images: 1 or red artery, 2 or blue vein, 3 or green both."),
    ] = False,
    regions: Annotated[bool, typer.Option("--regions", help="Measure lesions or tumours in place of vessels.")] = False,
    model: Annotated[
        str, typer.Option(help="What segments photographs: a shipped model's name, or an .onnx file.")
    ] = "vessels",
    disc: Annotated[str | None, typer.Option(help="The optic disc: ROW,COLUMN,DIAMETER in pixels.")] = None,
    um_per_pixel: Annotated[
        float | None, typer.Option(help="Micrometres per pixel; lengths are in these then.")
    ] = None,
    fov_degrees: Annotated[
        float | None, typer.Option(help="Angle of the field of view: a scale is assumed from it where none is given.")
    ] = None,
    slice_um: Annotated[
        float | None, typer.Option(help="Micrometres between slices: regions have a volume then.")
    ] = None,
    overlay: Annotated[Path | None, typer.Option(help="Folder for pictures of what was measured.")] = None,
    colour: Annotated[
        Literal["calibre", "tortuosity"], typer.Option(help="What the centrelines' colours show.")
    ] = "calibre",
    group: Annotated[
        list[str] | None, typer.Option(help="eye or patient: also a table with a row for each; may be repeated.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure at the same time.")] = 1,
    threads: THREADS = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace tables and pictures that are there.")] = False,
) -> None:
    """Measure vessels, or lesions, in photographs or masks: one table, a row for each image.

    foveate measure photo.jpg folder/ -o table.csv --overlay pictures/
    """
    from foveate.imaging import write_text

    with needs("evaluate"):
        from foveate.inference.measure_list import disc_of, measure_jobs
        from foveate.inference.measured_files import MeasureSettings, as_csv, grouped, measure_files
        from foveate.inference.measuring import Known
        from foveate.morphometry.rows import dictionary_rows

    for name, value in (("um-per-pixel", um_per_pixel), ("fov-degrees", fov_degrees), ("slice-um", slice_um)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"--{name} {value:g}: expected a number above 0.")
    if mask and artery_vein:
        raise UsageError("--mask and --artery-vein: the sources are one or the other.")
    if slice_um is not None and not (regions and um_per_pixel):
        raise UsageError("--slice-um makes volumes of regions: give --regions and --um-per-pixel, too.")
    levels = _levels(group or [])
    tables = {level: out.with_name(f"{out.stem}_{level}{out.suffix}") for level in levels}
    _check_free([out, segments, dictionary, *tables.values()], overwrite=overwrite)
    known = Known(disc_of(disc) if disc else None, um_per_pixel, fov_degrees, slice_um)
    planned = measure_jobs(sources, known)
    _check_free([job.overlay(overlay) for job in planned] if overlay else [], overwrite=overwrite)
    settings = MeasureSettings(
        form="mask" if mask else "artery-vein" if artery_vein else "photograph",
        as_regions=regions,
        model=model,
        threads=1 if jobs > 1 and not threads else threads,
        overlays=overlay,
        colour=colour,
    )
    rows: list[Row] = []
    pieces: list[Row] = []
    failed = 0
    for number, measured in enumerate(measure_files(planned, settings, min(jobs, len(planned))), start=1):
        _report(measured, f"[{number}/{len(planned)}] ")
        failed += bool(measured.error)
        if not measured.error:
            rows.append(measured.row)
            pieces += measured.segments
    written = (
        {out: rows} | ({segments: pieces} if segments else {}) | ({dictionary: dictionary_rows()} if dictionary else {})
    )
    written |= {path: grouped(rows, level) for level, path in tables.items()}
    if rows:
        for path, table in written.items():
            write_text(as_csv(table), path)
    say(
        f"{len(rows)} measured, {failed} failed; {', '.join(map(str, written)) if rows else 'nothing'} written."
        " For research, not a medical device."
    )
    if failed:
        raise typer.Exit(1)


def _levels(names: list[str]) -> list[Level]:
    for name in names:
        if name not in LEVELS:
            raise UsageError(unknown("group", name, LEVELS))
    return [level for level in LEVELS if level in names]


def _check_free(paths: list[Path | None], *, overwrite: bool) -> None:
    """Refuse two results in one file, and files that are there."""
    wanted = [path for path in paths if path is not None]
    if len({path.absolute() for path in wanted}) < len(wanted):
        raise UsageError("two tables have one name: give each a file of its own.")
    there = [path for path in wanted if path.exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]}: is there already. Choose another file, or --overwrite.")


def _report(measured: MeasuredFile, counter: str) -> None:
    if measured.error:
        say_error(counter + measured.error)
        return
    say(f"{counter}{measured.path}: {measured.row['quality']}")
