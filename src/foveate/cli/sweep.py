"""`foveate sweep`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import new_table, say, say_error, say_table
from foveate.cli.signals import status_of, stoppable
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.public.sweep import RankedSweep
    from foveate.sweeps.ranking import Ranking

ALL_FAILED = 1
"""Exit status where no trial has a score."""


def sweep(
    sweep: Annotated[str | None, typer.Argument(help="Name of a shipped sweep, or a .toml file of your own.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME:FOLDER of a data set; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the sweep, the same for all processes.")] = None,
    initial: Annotated[
        str | None,
        typer.Option("--from", help="Begin every run with these weights: as for `foveate train`."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(help="Where trials are written down, e.g. postgresql+psycopg://...; without it OUT/sweep.db."),
    ] = None,
    trials_now: Annotated[
        int | None, typer.Option(min=1, help="End after so many trials, even if there are more.")
    ] = None,
    device: Annotated[str, typer.Option(help="As of `foveate train`.")] = "auto",
    show: Annotated[
        Path | None, typer.Option(help="Train nothing: show the ranking of the sweep in this folder.")
    ] = None,
) -> None:
    """Train a recipe with many settings, rank them; several processes and calls may share the work.

    foveate sweep convlstm-unet-drive-study --data drive:data/DRIVE --from runs/hrf --out sweeps/study

    foveate sweep --show sweeps/study
    """
    from foveate.public.sweep import sweep_ranking

    if show is not None:
        if sweep is not None or data or out is not None:
            raise UsageError("--show FOLDER stands alone, or with --storage.")
        _show(sweep_ranking(show, storage=storage))
    elif sweep is None or not data or out is None:
        raise UsageError("sweep needs a SWEEP, at least one --data NAME:FOLDER and an --out FOLDER; or --show FOLDER.")
    else:
        _show(_work(sweep, data, out, initial=initial, storage=storage, trials_now=trials_now, device=device))


def _work(
    name: str,
    data: list[str],
    out: Path,
    *,
    initial: str | None,
    storage: str | None,
    trials_now: int | None,
    device: str,
) -> RankedSweep:
    from foveate.cli.train_display import shown
    from foveate.public.sweep import sweep
    from foveate.training.run.provenance import command_line

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("a sweep's runs have one process each. Give the call several times, not under torchrun.")
    try:
        with stoppable():
            return sweep(
                name,
                data=data,
                out=out,
                initial=initial,
                storage=storage,
                trials_now=trials_now,
                device=device,
                say=say,
                listening=shown,
                command=command_line(sys.argv[1:]),
            )
    except KeyboardInterrupt as stop:
        say_error("stopped; every whole epoch is kept. The same call goes on.")
        raise typer.Exit(status_of(stop)) from stop


def _show(ranked: RankedSweep) -> None:
    """Print the ranking; exit status 1 where no trial has a score."""
    rows = ranked.ranking.rows
    _print(ranked.ranking)
    say(f"{ranked.table}, {ranked.picture}")
    if rows and all(row.state == "failed" for row in rows):
        raise typer.Exit(ALL_FAILED)


def _print(ranking: Ranking) -> None:
    drawing = new_table()
    for title in ("rank", "trial", ranking.measure, "±", "n"):
        drawing.add_column(title, justify="right", no_wrap=True)
    for title in ranking.axes:
        drawing.add_column(title)
    done = [row for row in ranking.rows if row.state == "done"]
    for rank, row in enumerate(done, start=1):
        scores = ["–" if value is None else f"{value:.4f}" for value in (row.mean, row.deviation)]
        settings = [_short(row.settings[name]) for name in ranking.axes]
        drawing.add_row(str(rank), str(row.number), *scores, str(len(row.scores)), *settings)
    if done:
        say_table(drawing)
    for row in ranking.rows:
        if row.state == "failed":
            say(f"trial {row.number} failed: {row.reason}")
    states = [row.state for row in ranking.rows]
    say(", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "no trial yet")


def _short(setting: str | int | float) -> str:
    return f"{setting:.4g}" if isinstance(setting, float) else str(setting)
