"""`foveate sweep`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import new_table, say, say_error, say_table
from foveate.cli.extras import needs, needs_torch
from foveate.cli.signals import status_of, stoppable
from foveate.errors import UsageError

if TYPE_CHECKING:
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
    from foveate.training.processes.place import check_device_name

    check_device_name(device)
    if show is not None:
        if sweep is not None or data or out is not None:
            raise UsageError("--show FOLDER stands alone, or with --storage.")
        _show(show, storage)
    elif sweep is None or not data or out is None:
        raise UsageError("sweep needs a SWEEP, at least one --data NAME:FOLDER and an --out FOLDER; or --show FOLDER.")
    else:
        _work(sweep, data, out, initial=initial, storage=storage, at_most=trials_now, device=device)
        _show(out, storage)


def _work(
    name: str,
    data: list[str],
    out: Path,
    *,
    initial: str | None,
    storage: str | None,
    at_most: int | None,
    device: str,
) -> None:
    from foveate.cli.train_display import shown
    from foveate.datasets import open_sets
    from foveate.sweeps.read import read_sweep
    from foveate.sweeps.space import check_recipes
    from foveate.training.run.provenance import command_line

    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("a sweep's runs have one process each. Give the call several times, not under torchrun.")
    with needs_torch():
        from foveate.training.processes.place import chosen_device
    chosen_device(device)  # a wrong one is told before anything is read
    sweep = read_sweep(name)
    check_recipes(sweep, name)
    sets = open_sets(data)
    command = command_line(sys.argv[1:])
    try:
        with stoppable():
            with needs("sweep"):
                from foveate.sweeps.storage import hidden
            hidden(storage)  # a wrong address is told before anything is read
            with needs_torch():
                from foveate.sweeps.work import Work, work_on
            work_on(Work(sweep, out, sets, device, command, initial, say, shown), storage=storage, at_most=at_most)
    except KeyboardInterrupt as stop:
        say_error("stopped; every whole epoch is kept. The same call goes on.")
        raise typer.Exit(status_of(stop)) from stop


def _show(folder: Path, storage: str | None) -> None:
    """Print the ranking, and write it and its picture into the folder."""
    with needs("sweep"):
        from foveate.sweeps.drawing import draw_sweep
        from foveate.sweeps.place import sweep_in
        from foveate.sweeps.ranking import ranking_of, write_table
    ranking = ranking_of(folder, storage)
    _print(ranking)
    table, picture = write_table(ranking, folder), draw_sweep(ranking, sweep_in(folder), folder)
    say(f"{table}, {picture}")
    if ranking.rows and all(row.state == "failed" for row in ranking.rows):
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
