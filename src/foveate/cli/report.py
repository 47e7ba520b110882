"""`foveate report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from foveate.cli.console import say, say_case
from foveate.cli.options import (
    BOUNDARY,
    DATA,
    EMPTY,
    FOV,
    LEAVE_OUT,
    PREDICTIONS,
    SIZE,
    SPLIT,
    SUFFIX,
    THREADS,
    THRESHOLD,
    VESSELS,
    WEIGHTS,
)
from foveate.cli.procedures import (
    FILL_HOLES,
    HYSTERESIS,
    LARGEST,
    MIN_SIZE,
    RECONNECT,
    SUREST_SIZE,
    TTA,
    views_of,
)


def report(
    weights: WEIGHTS = None,
    data: DATA = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for index.html and report.json.")] = Path("report"),
    split: SPLIT = "test",
    predictions: PREDICTIONS = None,
    threshold: THRESHOLD = None,
    suffix: SUFFIX = "",
    fov: FOV = None,
    size: SIZE = "native",
    vessels: VESSELS = None,
    boundary: BOUNDARY = True,
    empty: EMPTY = "out",
    leave_out: LEAVE_OUT = None,
    tta: TTA = "1",
    hysteresis: HYSTERESIS = None,
    reconnect: RECONNECT = 0,
    min_size: MIN_SIZE = None,
    largest: LARGEST = False,
    fill_holes: FILL_HOLES = 0,
    surest_size: SUREST_SIZE = False,
    colours: Annotated[
        Literal["safe", "paper"], typer.Option(help="safe: for every colour vision; paper: green, red, blue.")
    ] = "safe",
    pictures: Annotated[
        Literal["png", "svg", "pdf"] | None, typer.Option(help="Also write every picture as a file of its own.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a report that is there.")] = False,
    threads: THREADS = 0,
) -> None:
    """Evaluate models and write one HTML page: scores, curves, calibration, images with switchable layers, protocol.

    foveate report vessels --data drive:data/DRIVE -o report/
    """
    from foveate.public.report import NUMBERS, PAGE
    from foveate.public.report import report as write_report

    results = write_report(
        weights or (),
        data=data or (),
        out=out,
        split=split,
        predictions=predictions or (),
        threshold=threshold,
        suffix=suffix,
        fov=fov,
        size=size,
        vessels=vessels,
        boundary=boundary,
        empty=empty,
        leave_out=leave_out or (),
        tta=views_of(tta),
        hysteresis=hysteresis,
        reconnect=reconnect,
        min_size=min_size,
        largest=largest,
        fill_holes=fill_holes,
        surest_size=surest_size,
        colours=colours,
        pictures=pictures,
        overwrite=overwrite,
        threads=threads,
        on_case=say_case,
    )
    from foveate.evaluation import confidence, warning

    for result in results:
        for line in (warning(result), *confidence(result)):
            if line:
                say(f"{result.model.name} on {result.data.set}: {line}")
    say(f"Written: {out / PAGE} and {out / NUMBERS}")
