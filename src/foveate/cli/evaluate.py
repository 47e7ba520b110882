"""`foveate evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import new_table, say, say_case, say_table
from foveate.cli.options import (
    BACKEND,
    BOUNDARY,
    DATA,
    DEVICE,
    EMPTY,
    FOV,
    LEAVE_OUT,
    PRECISION,
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
from foveate.errors import OutputError

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult


def evaluate(
    weights: WEIGHTS = None,
    data: DATA = None,
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
    json: Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write a row of numbers for each image to this file.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace these files if they are there.")] = False,
    to_card: Annotated[bool, typer.Option("--to-card", help="Write the scores into the .onnx file's card.")] = False,
    choose_threshold: Annotated[
        bool,
        typer.Option(
            "--choose-threshold", help="With --to-card --split validation: these images choose the card's threshold."
        ),
    ] = False,
    choose_size: Annotated[
        bool,
        typer.Option(
            "--choose-size",
            help="The same for the size at which the model is shown photographs, and for the threshold there.",
        ),
    ] = False,
    backend: BACKEND = "auto",
    device: DEVICE = "auto",
    precision: PRECISION = "auto",
    threads: THREADS = 0,
) -> None:
    """Score models, or masks made elsewhere, on data sets: inside the field of view and over the whole image.

    foveate evaluate vessels --data drive:data/DRIVE --split test --json drive.json
    """
    for file in (json, csv):
        if file is not None and file.exists() and not overwrite:
            raise OutputError(f"{file}: is there already. Choose another file, or --overwrite.")
    from foveate.public.evaluate import evaluate as score
    from foveate.public.files import write_results

    results = score(
        weights or (),
        data=data or (),
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
        to_card=to_card,
        choose_threshold=choose_threshold,
        choose_size=choose_size,
        backend=backend,
        device=device,
        precision=precision,
        threads=threads,
        on_case=say_case,
        on_result=_print,
    )
    if to_card and weights:
        from foveate.models import open_model
        from foveate.models.card import CARD

        sizes = open_model(weights[0]).card.preparation.working_sizes
        shown = f", with a working size of {sizes} pixels" if choose_size else ""
        say(f"Written: {Path(weights[0]).parent / CARD}{shown}")
    if json is not None:
        write_results(results, json, format="json", overwrite=True)
        say(f"Written: {json}")
    if csv is not None:
        write_results(results, csv, format="csv", overwrite=True)
        say(f"Written: {csv}")


def _print(result: EvaluationResult) -> None:
    from foveate.evaluation import confidence, statement, warning
    from foveate.reports.tables.result_tables import tables

    for title, (header, *rows) in tables(result):
        drawing = new_table()
        drawing.add_column(title if len(result.classes) > 1 else "")
        for cell in header[1:]:
            drawing.add_column(cell, justify="right")
        for row in rows:
            drawing.add_row(*row)
        say_table(drawing)
    for line in (*confidence(result), warning(result), statement(result), result.notice):
        if line:
            say(line)
