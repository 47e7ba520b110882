"""`foveate evaluate`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import new_table, say, say_table
from foveate.cli.extras import needs
from foveate.cli.predictors import Made, made_elsewhere, of_model, of_vessels
from foveate.cli.refinements import (
    FILL_HOLES,
    HYSTERESIS,
    LARGEST,
    MIN_SIZE,
    RECONNECT,
    TTA,
    refinement_of,
)
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.datasets import DataSet
    from foveate.evaluation import Report, Way
    from foveate.evaluation.measures import Group
    from foveate.models import ModelCard


def evaluate(
    weights: Annotated[
        list[str] | None, typer.Argument(help="A shipped model's name, a run's folder, or an .onnx file; or several.")
    ] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME:FOLDER of a data set; may be repeated.")] = None,
    split: Annotated[
        str, typer.Option(help="Which part of it; validation: what chose the model's threshold; all: every case.")
    ] = "test",
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of masks or probability maps that any tool made, named as the images."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Of --predictions that are probability maps.")
    ] = None,
    size: Annotated[str, typer.Option(help="HEIGHTxWIDTH to which images and masks are brought first.")] = "native",
    vessels: Annotated[
        bool | None, typer.Option("--vessels/--no-vessels", help="Measure as vessels; by itself where a set's are.")
    ] = None,
    boundary: Annotated[bool, typer.Option("--boundary/--no-boundary", help="Measure distances of borders.")] = True,
    empty: Annotated[
        Literal["out", "one"], typer.Option(help="What agreement on an empty truth counts: left out of means, or 1.")
    ] = "out",
    tta: TTA = "1",
    hysteresis: HYSTERESIS = None,
    reconnect: RECONNECT = 0,
    min_size: MIN_SIZE = 0,
    largest: LARGEST = False,
    fill_holes: FILL_HOLES = 0,
    json: Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")] = False,
    to_card: Annotated[bool, typer.Option("--to-card", help="Write the scores into the .onnx file's card.")] = False,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: one per core.")] = 0,
) -> None:
    """Score models, or masks made elsewhere, on data sets: inside the field of view and over the whole image.

    foveate evaluate vessels --data drive:data/DRIVE --split test --json drive.json
    """
    from foveate.imaging import write_text

    if not data or not (weights or predictions):
        raise UsageError("evaluate needs WEIGHTS or --predictions FOLDER, and at least one --data NAME:FOLDER.")
    if json is not None and json.exists() and not overwrite:
        raise OutputError(f"{json}: is there already. Choose another file, or --overwrite.")
    if to_card and not (weights and len(weights) == 1 and weights[0].endswith(".onnx")):
        raise UsageError("--to-card needs the path of one .onnx file, whose card.json it changes.")
    refinement = refinement_of(tta, hysteresis, reconnect, min_size, largest, fill_holes)
    with needs("evaluate", "scikit-image"):
        from foveate.datasets import open_set
        from foveate.evaluation import Way
    sets = [open_set(place) for place in data]
    models = [of_model(each, threads=threads, refinement=refinement) for each in weights or []]
    reports = []
    for data_set in sets:
        for made in (*models, *(made_elsewhere(each, data_set, threshold) for each in predictions or [])):
            way = Way(
                measures=_measures(data_set, vessels=vessels, boundary=boundary),
                size=_size(size),
                empty_is_one=empty == "one",
                passes=made.passes,
                post_processing=made.post_processing,
                fov_for_preparing=made.fov_for_preparing,
            )
            report = scored(made, data_set, split, way)
            _print(report)
            reports.append(report)
            if to_card and made.card is not None:
                place = f"{data_set.name}:{data_set.root}"
                command = shlex.join(["foveate", "evaluate", made.card.name, "--data", place, "--split", split])
                say(f"Written: {_add_to_card(report, Path(made.source), made.card, command)}")
    if json is not None:
        write_text(_json_of(reports), json)
        say(f"Written: {json}")


def scored(made: Made, data_set: DataSet, split: str, way: Way) -> Report:
    """The report of one predictor on one data set, with a counter on a terminal."""
    from foveate.evaluation import evaluate as score

    if made.classes is not None and len(made.classes.names) != len(data_set.classes.names):
        raise UsageError(
            f"{made.model.name} tells {', '.join(made.classes.names)} apart, {data_set.name} has the classes"
            f" {', '.join(data_set.classes.names)}. Choose a set with the model's classes."
        )

    def on_case(case_id: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{done}/{total} {case_id}" if done < total else "\r\x1b[K")
            sys.stderr.flush()

    # The measures import what they need when they are taken.
    with needs("evaluate", "scikit-image"):
        return score(
            made.predict,
            made.entries(data_set, split),
            data_set.classes,
            model=made.model,
            data_set=data_set.name,
            split=split,
            threshold=made.threshold,
            way=way,
            seen=made.seen(data_set),
            on_case=on_case,
        )


def _measures(data_set: DataSet, *, vessels: bool | None, boundary: bool) -> tuple[Group, ...]:
    groups: list[Group] = ["mask", "probability"]
    if of_vessels(data_set) if vessels is None else vessels:
        groups.append("vessels")
    return (*groups, "boundary") if boundary else tuple(groups)


def _size(text: str) -> tuple[int, int] | None:
    if text == "native":
        return None
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isdecimal() and width.isdecimal() and min(int(height), int(width)) >= 16):
        raise UsageError(f"--size {text}: write HEIGHTxWIDTH in pixels, e.g. 704x1056, or native.")
    return int(height), int(width)


def _json_of(reports: list[Report]) -> str:
    """One report as it is; several in one object."""
    if len(reports) == 1:
        return reports[0].to_json()
    import json

    return json.dumps({"reports": [report.model_dump(mode="json") for report in reports]}, indent=2) + "\n"


def _add_to_card(report: Report, model: Path, card: ModelCard, command: str) -> Path:
    """Put the pooled scores of both scopes into the card beside the model, in place of older ones of the same kind."""
    from foveate.imaging import write_text
    from foveate.models import Score
    from foveate.models.card import CARD

    data = report.data
    (scopes, *others) = report.classes.values()
    if others:
        raise UsageError("--to-card: a card's scores are those of a single class.")
    scores = {(score.set, score.split, score.scope): score for score in card.scores}
    names: tuple[Literal["fov"], Literal["image"]] = ("fov", "image")
    for name in names:
        values = getattr(scopes, name).pooled.values
        scores[data.set, data.split, name] = Score(
            set=data.set,
            split=data.split,
            images=data.count,
            scope=name,
            command=command,
            **{key: values[key] for key in ("f1", "sensitivity", "specificity", "roc_auc")},
        )
    path = model.parent / CARD
    write_text(card.model_copy(update={"scores": tuple(scores.values())}).to_json(), path)
    return path


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
