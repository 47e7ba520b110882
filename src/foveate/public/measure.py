"""`foveate.measure`, of one image, and `foveate.measure_many`, of files and folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from foveate.inference import Segmenter
    from foveate.inference.measuring.measured_files import MeasuredFile, MeasuredFiles
    from foveate.inference.measuring.measurement import Measurement
    from foveate.inference.segmenter import Source
    from foveate.records import Mask


def measure(
    source: Source,
    *,
    mask: bool = False,
    artery_vein: bool = False,
    regions: bool = False,
    model: str | Path | Segmenter = "vessels",
    fov: Mask | None = None,
    disc: tuple[float, float, float] | None = None,
    um_per_pixel: float | None = None,
    fov_degrees: float | None = None,
) -> Measurement:
    """Measure the vessels, or with `regions` the lesions, of one image; needs the extra `evaluate`.

    A photograph is segmented by `model` first; with `mask` (a file, or bool H×W) or `artery_vein` (a label file, or
    bool 2×H×W or 3×H×W) `source` is what any tool made. `fov` is bool H×W; `disc` row, column and diameter in pixels.
    `result.row` is a row of the table, `result.values` all measures in pixels, `result.overlay()` a picture. Raises
    `foveate.errors.UsageError` where what it needs is not installed, or vessels are asked of a model that marks none.
    """
    from foveate.errors import needs

    with needs("evaluate", "measuring"):
        from foveate.inference.measuring.measure import measure_one

        return measure_one(
            source,
            "artery-vein" if artery_vein else "mask" if mask else "photograph",
            model,
            fov,
            disc,
            um_per_pixel,
            fov_degrees,
            as_regions=regions,
        )


def measure_many(
    sources: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    segments: str | Path | None = None,
    dictionary: str | Path | None = None,
    mask: bool = False,
    artery_vein: bool = False,
    regions: bool = False,
    model: str | Path = "vessels",
    disc: tuple[float, float, float] | None = None,
    um_per_pixel: float | None = None,
    fov_degrees: float | None = None,
    slice_um: float | None = None,
    overlay: str | Path | None = None,
    colour: Literal["calibre", "tortuosity"] = "calibre",
    group: Sequence[str] = (),
    jobs: int = 1,
    threads: int = 0,
    overwrite: bool = False,
    on_image: Callable[[MeasuredFile, int, int], None] | None = None,
) -> MeasuredFiles:
    """Write a table with a row for each image that files, folders and lists in CSV name; needs the extra `evaluate`.

    The options are those of `foveate measure`: `disc` is row, column and diameter in pixels, `group` has "eye" or
    "patient". Tables are written when all is measured, and none if nothing could be: those that are named, and for each
    of `group` one beside `out`. The result has `files`, what became of each in order (`row`, `segments` or `error`),
    the `rows` and `segments` of all, how many `failed`, and the tables that were `written`. `on_image` is called after
    each image, with how many are done and how many there are. A script that asks for several `jobs` does so below
    `if __name__ == "__main__":`, as these are processes that import it.

    Raises `foveate.errors.UsageError` and DataError for a call or a list that is wrong, OutputError where a table or
    picture is there and `overwrite` is off, all before anything is measured; OutputError also where a row doesn't say
    whose it is.
    """
    from pathlib import Path

    from foveate.errors import UsageError, needs, unknown

    with needs("evaluate", "measuring"):
        from foveate.inference.measuring.measure import checked_disc
        from foveate.inference.measuring.measure_list import measure_jobs
        from foveate.inference.measuring.measured_files import (
            COLOURS,
            LEVELS,
            MeasuredFiles,
            MeasureSettings,
            check_free,
            measure_files,
            write_tables,
        )
        from foveate.inference.measuring.measurement import Known

    known = Known(checked_disc(disc, as_regions=regions), um_per_pixel, fov_degrees, slice_um)
    if mask and artery_vein:
        raise UsageError("--mask and --artery-vein: the sources are one or the other.")
    if slice_um is not None and not (regions and um_per_pixel):
        raise UsageError("--slice-um makes volumes of regions: give --regions and --um-per-pixel, too.")
    for level in (group := [group] if isinstance(group, str) else list(group)):
        if level not in LEVELS:
            raise UsageError(unknown("group", level, LEVELS))
    if colour not in COLOURS:
        raise UsageError(unknown("colour", colour, COLOURS))
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: expected 1 or more.")
    table = Path(out)
    of_segments, of_columns, pictures = (Path(place) if place else None for place in (segments, dictionary, overlay))
    of_groups = {level: table.with_name(f"{table.stem}_{level}{table.suffix}") for level in LEVELS if level in group}
    check_free([table, of_segments, of_columns, *of_groups.values()], overwrite=overwrite)
    planned = measure_jobs(map(Path, [sources] if isinstance(sources, str | Path) else sources), known)
    if not planned:
        raise UsageError("there is nothing to measure: name files, folders or lists.")
    check_free([job.overlay(pictures) for job in planned] if pictures else [], overwrite=overwrite)
    settings = MeasureSettings(
        form="mask" if mask else "artery-vein" if artery_vein else "photograph",
        as_regions=regions,
        model=model,
        threads=1 if jobs > 1 and not threads else threads,
        overlays=pictures,
        colour=colour,
    )
    files = []
    for measured in measure_files(planned, settings, min(jobs, len(planned))):
        files.append(measured)
        if on_image is not None:
            on_image(measured, len(files), len(planned))
    return write_tables(MeasuredFiles(tuple(files)), table, of_segments, of_columns, of_groups)
