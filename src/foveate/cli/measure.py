"""`foveate measure`."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import say, say_error
from foveate.cli.options import THREADS
from foveate.errors import needs

if TYPE_CHECKING:
    from foveate.inference.measuring.measured_files import MeasuredFile


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
    import foveate

    with needs("evaluate"):
        from foveate.inference.measuring.measure_list import disc_of

    result = foveate.measure_many(
        sources,
        out,
        segments=segments,
        dictionary=dictionary,
        mask=mask,
        artery_vein=artery_vein,
        regions=regions,
        model=model,
        disc=astuple(disc_of(disc)) if disc else None,
        um_per_pixel=um_per_pixel,
        fov_degrees=fov_degrees,
        slice_um=slice_um,
        overlay=overlay,
        colour=colour,
        group=group or (),
        jobs=jobs,
        threads=threads,
        overwrite=overwrite,
        on_image=_tell,
    )
    say(
        f"{len(result.rows)} measured, {result.failed} failed;"
        f" {', '.join(map(str, result.written)) or 'nothing'} written. For research, not a medical device."
    )
    if result.failed:
        raise typer.Exit(1)


def _tell(measured: MeasuredFile, done: int, images: int) -> None:
    counter = f"[{done}/{images}] "
    if measured.error:
        say_error(counter + measured.error)
    else:
        say(f"{counter}{measured.path}: {measured.row['quality']}")
