"""`foveate evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import new_table, say, say_table
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.evaluation.report import Report, Scope
    from foveate.models import ModelCard


def evaluate(
    weights: Annotated[str, typer.Argument(help="A shipped model's name, a run's folder, or an .onnx file.")],
    data: Annotated[str, typer.Option(help="NAME:FOLDER of a data set.")],
    split: Annotated[str, typer.Option(help="Which part of it; all: every case.")] = "test",
    json: Annotated[Path | None, typer.Option("--json", help="Write the whole result to this file.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")] = False,
    to_card: Annotated[bool, typer.Option("--to-card", help="Write the scores into the .onnx file's card.")] = False,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: one per core.")] = 0,
) -> None:
    """Score a model on a data set: inside the field of view and over the whole image, at native size.

    foveate evaluate vessels --data drive:data/DRIVE --split test --json drive.json
    """
    from foveate.datasets import open_set
    from foveate.evaluation import ModelSummary, Threshold, statement
    from foveate.evaluation import evaluate as score
    from foveate.imaging import write_text
    from foveate.inference import Segmenter

    if json is not None and json.exists() and not overwrite:
        raise OutputError(f"{json}: is there already. Choose another file, or --overwrite.")
    if to_card and not weights.endswith(".onnx"):
        raise UsageError("--to-card needs the path of an .onnx file, whose card.json it changes.")
    data_set = open_set(data)
    entries = data_set.split(split)
    segmenter = Segmenter.open(_model_file(weights), threads=threads)
    card = segmenter.card

    def on_case(case_id: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{done}/{total} {case_id}" if done < total else "\r\x1b[K")
            sys.stderr.flush()

    report = score(
        segmenter.segment,
        entries,
        model=ModelSummary(name=card.name, sha256=card.sha256, parameters=card.parameters),
        data_set=data_set.name,
        split=split,
        threshold=Threshold(value=card.threshold, origin=card.threshold_from),
        on_case=on_case,
    )
    _print(report)
    say(statement(report))
    say(report.notice)
    if json is not None:
        write_text(report.to_json(), json)
        say(f"Written: {json}")
    if to_card:
        command = f"foveate evaluate {card.name} --data {data} --split {split}"
        say(f"Written: {_add_to_card(report, Path(weights), card, command)}")


def _add_to_card(report: Report, model: Path, card: ModelCard, command: str) -> Path:
    """Put the pooled scores of both scopes into the card beside the model, in place of older ones of the same kind."""
    from foveate.imaging import write_text
    from foveate.models import Score
    from foveate.models.card import CARD

    data = report.data
    scores = {(score.set, score.split, score.scope): score for score in card.scores}
    scopes: dict[Literal["fov", "image"], Scope] = {"fov": report.scopes.fov, "image": report.scopes.image}
    for name, scope in scopes.items():
        scores[data.set, data.split, name] = Score(
            set=data.set,
            split=data.split,
            images=data.count,
            scope=name,
            command=command,
            **{key: getattr(scope.pooled, key) for key in ("f1", "sensitivity", "specificity", "roc_auc")},
        )
    path = model.parent / CARD
    write_text(card.model_copy(update={"scores": tuple(scores.values())}).to_json(), path)
    return path


def _model_file(weights: str) -> str | Path:
    """A run's folder is exported once, into the folder itself; anything else is for the model store."""
    from foveate.models import shipped

    run = Path(weights)
    if weights in shipped() or not run.is_dir():
        return weights
    exported = run / "model.onnx"
    best = run / "best.safetensors"
    if not best.is_file():
        raise UsageError(f"{run}: is not the folder of a run: it holds no {best.name}.")
    if not exported.is_file() or exported.stat().st_mtime < best.stat().st_mtime:
        from foveate.cli.extras import needs_torch

        with needs_torch():
            from foveate.training.export import export
        export(run, exported, overwrite=True)
        say(f"exported {exported}")
    return exported


def _print(report: Report) -> None:
    from foveate.evaluation import table

    header, *rows = table(report)
    # One column per row of the report: ten scores side by side would not fit a terminal.
    drawing = new_table()
    drawing.add_column("")
    for row in rows:
        drawing.add_column(f"{row[0]}\n{row[1]}", justify="right")
    for index, score in enumerate(header[2:], start=2):
        drawing.add_row(score, *(row[index] for row in rows))
    say_table(drawing)
