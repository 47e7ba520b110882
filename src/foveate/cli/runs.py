"""`foveate runs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import new_table, say, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.training.run.existing import Run


def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look for runs, at any depth.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List training runs: network, data, epochs, best validation F1 with its threshold, and whether they still run.

    foveate runs runs
    """
    from dataclasses import asdict

    from foveate.public.train import runs as runs_in

    listed = runs_in(folder)
    if as_json:
        say(json.dumps([asdict(run) | {"folder": str(run.folder)} for run in listed], indent=2))
    elif listed:
        _print(listed)
    else:
        say(f"{folder}: no run in it. `foveate train` makes one.")


def _print(listed: Sequence[Run]) -> None:
    drawing = new_table()
    for title in ("run", "network", "data"):
        drawing.add_column(title)
    for title in ("epochs", "best F1", "threshold"):
        drawing.add_column(title, justify="right", no_wrap=True)
    drawing.add_column("state", no_wrap=True)
    for run in listed:
        scores = [
            "–" if run.f1 is None else f"{run.f1:.4f}",
            "–" if run.thresholds is None else ", ".join(f"{threshold:.3f}" for threshold in run.thresholds),
        ]
        drawing.add_row(
            str(run.folder), run.network, ", ".join(run.data), f"{run.epochs}/{run.planned}", *scores, run.state
        )
    say_table(drawing)
