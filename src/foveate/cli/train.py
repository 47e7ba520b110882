"""`foveate train`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from foveate.cli.console import rank, say, say_error, say_progress
from foveate.cli.signals import status_of, stoppable

Storage = Literal["auto", "memory", "disk"]

MLFLOW = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""What only the environment can tell MLflow, before it is imported: no reports of its use to its makers, no lines of
its own, seconds. What the user has set, stays."""


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(
            help="Name of a shipped recipe, or a .toml file of your own; auto: one that is made for these data, this"
            " machine and --hours; none with --resume."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="E.g. training.epochs=4")
    ] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME:FOLDER of a data set; may be repeated.")] = None,
    hours: Annotated[
        float | None, typer.Option(help="Of auto: how long planning, training and the report may take in all.")
    ] = None,
    plan_only: Annotated[
        bool, typer.Option("--plan-only", help="Of auto: print the plan, a recipe with its reasons, and don't train.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    initial: Annotated[
        str | None,
        typer.Option("--from", help="Begin with these weights: a shipped model, a run's folder, a .safetensors file."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, by its own recipe, data and options.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="cpu, cuda, a GPU by its number as cuda:1, mps, or auto: cuda, else cpu; without it auto, or with"
            " --resume the run's own."
        ),
    ] = None,
    cache: Annotated[
        Storage | None,
        typer.Option(
            help="Where prepared images are kept: in memory, on disk in the run's folder, or auto: in memory if they"
            " take up to half of what is free; without it auto, or with --resume the run's own."
        ),
    ] = None,
    track: Annotated[
        bool | None,
        typer.Option(
            "--track/--no-track",
            help="Report the run to MLflow, at MLFLOW_TRACKING_URI or in mlflow.db beside its folder; a run that was"
            " begun so goes on so.",
        ),
    ] = None,
) -> None:
    """Train a network by a recipe, or go on with a run that was stopped.

    foveate train region-guided-drive --data drive:data/DRIVE --out runs/drive training.epochs=4

    foveate train auto --data folder:mine --hours 3 --out runs/mine

    foveate train --resume runs/drive
    """
    from foveate.cli.train_display import shown
    from foveate.public.train import train as train_by
    from foveate.training.run.provenance import command_line

    for name, value in MLFLOW.items():
        os.environ.setdefault(name, value)
    try:
        if plan_only:
            with stoppable():
                unread = {"--out": out, "--from": initial, "--resume": resume, "--cache": cache, "--track": track}
                _print_plan(recipe, overrides or (), data or (), hours, device, unread)
            return
        with stoppable():
            run = train_by(
                recipe,
                overrides or (),
                data=data or (),
                hours=hours,
                out=out,
                initial=initial,
                resume=resume,
                device=device,
                cache=cache,
                track=track,
                tracking_uri=os.environ.get("MLFLOW_TRACKING_URI"),
                listening=shown,
                say=say,
                rank=rank(),
                command=command_line(sys.argv[1:]),
            )
    except KeyboardInterrupt as stop:
        say_error(f"stopped; {_what_is_left(resume or out)}")
        raise typer.Exit(status_of(stop)) from stop
    say(f"{run.ending}. Best weights: {run.best}")


def _print_plan(
    recipe: str | None,
    overrides: list[str] | tuple[()],
    data: list[str] | tuple[()],
    hours: float | None,
    device: str | None,
    unread: Mapping[str, object],
) -> None:
    from foveate.errors import UsageError
    from foveate.public.plan import plan
    from foveate.public.planned import NO_HOURS

    if recipe != "auto":
        raise UsageError("--plan-only is for `foveate train auto`, with --data and --hours.")
    if hours is None:
        raise UsageError(NO_HOURS)
    if given := [name for name, value in unread.items() if value is not None]:
        raise UsageError(
            f"--plan-only trains nothing: {', '.join(given)} would go unread. Keep the plan (> plan.toml), and give"
            f" {'it' if len(given) == 1 else 'them'} to `foveate train plan.toml`."
        )
    say(plan(data, hours, overrides, device=device, say=say_progress).text.rstrip())
    say_progress("")


def _what_is_left(out: Path | None) -> str:
    from foveate.training.run.folder import STATE

    if out is not None and (out / STATE).is_file():
        return f"the last whole epoch is kept. Go on with: foveate train --resume {shlex.quote(str(out))}"
    return "nothing was trained yet."
