"""`foveate evaluate`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import new_table, say, say_table
from foveate.cli.extras import needs
from foveate.cli.options import (
    BOUNDARY,
    DATA,
    EMPTY,
    FOV,
    PREDICTIONS,
    SIZE,
    SPLIT,
    SUFFIX,
    THREADS,
    THRESHOLD,
    VESSELS,
    WEIGHTS,
)
from foveate.cli.predictors import Theirs, of_folders, of_model
from foveate.cli.refinements import (
    FILL_HOLES,
    HYSTERESIS,
    LARGEST,
    MIN_SIZE,
    RECONNECT,
    TTA,
    need_models,
    procedure_of,
)
from foveate.cli.scoring import check, counting_of, measures_of, scored, size_of, way_of
from foveate.cli.to_card import write_to_card
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.evaluation import Report


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
    tta: TTA = "1",
    hysteresis: HYSTERESIS = None,
    reconnect: RECONNECT = 0,
    min_size: MIN_SIZE = 0,
    largest: LARGEST = False,
    fill_holes: FILL_HOLES = 0,
    json: Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write a row of numbers for each image to this file.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace these files if they are there.")] = False,
    to_card: Annotated[bool, typer.Option("--to-card", help="Write the scores into the .onnx file's card.")] = False,
    threads: THREADS = 0,
) -> None:
    """Score models, or masks made elsewhere, on data sets: inside the field of view and over the whole image.

    foveate evaluate vessels --data drive:data/DRIVE --split test --json drive.json
    """
    from foveate.imaging import write_csv, write_text

    if not data or not (weights or predictions):
        raise UsageError("evaluate needs WEIGHTS or --predictions FOLDER, and at least one --data NAME:FOLDER.")
    for file in (json, csv):
        if file is not None and file.exists() and not overwrite:
            raise OutputError(f"{file}: is there already. Choose another file, or --overwrite.")
    if to_card and not (weights and len(weights) == 1 and weights[0].endswith(".onnx")):
        raise UsageError("--to-card needs the path of one .onnx file, whose card.json it changes.")
    resized_to = size_of(size)
    procedure = procedure_of(tta, hysteresis, reconnect, min_size, largest, fill_holes)
    need_models(weights, procedure)
    with needs("evaluate"):
        from foveate.datasets import open_set
        from foveate.evaluation.read import as_json
        from foveate.evaluation.rows import image_rows
    sets = [open_set(place) for place in data]
    theirs = Theirs(tuple(predictions or ()), threshold, suffix)
    models = [of_model(each, threads=threads, procedure=procedure) for each in weights or []]
    pairs = [(each, [*models, *of_folders(theirs, each)]) for each in sets]
    for data_set, predictors in pairs:
        check(predictors, data_set, split)
    reports = []
    for data_set, predictors in pairs:
        measures = measures_of(data_set, vessels=vessels, boundary=boundary)
        counting = counting_of(data_set, split, fov)
        for made in predictors:
            way = way_of(made, measures, counting, size=resized_to, empty_is_one=empty == "one")
            report = scored(made, data_set, split, way)
            _print(report)
            reports.append(report)
    if to_card:
        (made,) = models
        places = [word for each in sets for word in ("--data", f"{each.name}:{each.root}")]
        command = shlex.join(["foveate", "evaluate", made.model.name, *places, "--split", split])
        say(f"Written: {write_to_card(made, reports, command)}")
    if json is not None:
        write_text(as_json(reports), json)
        say(f"Written: {json}")
    if csv is not None:
        write_csv(image_rows(reports), csv)
        say(f"Written: {csv}")


def _print(report: Report) -> None:
    from foveate.evaluation import confidence, statement, tables, warning

    for title, (header, *rows) in tables(report):
        drawing = new_table()
        drawing.add_column(title if len(report.classes) > 1 else "")
        for cell in header[1:]:
            drawing.add_column(cell, justify="right")
        for row in rows:
            drawing.add_row(*row)
        say_table(drawing)
    for line in (*confidence(report), warning(report), statement(report), report.notice):
        if line:
            say(line)
