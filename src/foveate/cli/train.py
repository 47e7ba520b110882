"""`foveate train`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import rank, say, say_error
from foveate.cli.extras import needs_torch
from foveate.cli.signals import status_of, stoppable
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.recipes.schema import Recipe

Storage = Literal["auto", "memory", "disk"]


def train(
    recipe: Annotated[
        str | None, typer.Argument(help="Name of a shipped recipe, or a .toml file of your own; none with --resume.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="E.g. training.epochs=4")
    ] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME:FOLDER of a data set; may be repeated.")] = None,
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

    foveate train --resume runs/drive
    """
    from foveate.recipes.read import read_recipe
    from foveate.training.processes.place import check_device_name

    if device is not None:
        check_device_name(device)
    words = [word for word in (recipe, *(overrides or [])) if word is not None]
    if resume is not None:
        if out is not None or initial is not None:
            raise UsageError("--resume goes on in the run's own folder, from its own weights: no --out, no --from.")
        _resume(resume, words, data, device, cache, track)
    elif not words or not data or out is None:
        raise UsageError(
            "train needs a RECIPE, at least one --data NAME:FOLDER and an --out FOLDER; or --resume FOLDER."
        )
    else:
        _run(
            read_recipe(words[0], words[1:]),
            data,
            out,
            initial=initial,
            resume=False,
            device=device or "auto",
            cache=cache or "auto",
            track=bool(track),
        )


def _resume(
    folder: Path,
    overrides: list[str],
    data: list[str] | None,
    device: str | None,
    cache: Storage | None,
    track: bool | None,
) -> None:
    """Go on with a run; `data` only where its sets lie in another place now."""
    from foveate.training.run.existing import plan_of
    from foveate.training.run.folder import load_facts

    plan = plan_of(folder, overrides)
    _run(
        plan.recipe,
        data or list(plan.places),
        folder,
        initial=None if plan.begun else plan.initial,
        resume=plan.begun,
        device=device or plan.device,
        cache=cache or plan.cache,
        track="track" in load_facts(folder) if track is None else track,
    )


def _run(
    recipe: Recipe,
    data: list[str],
    out: Path,
    *,
    initial: str | Path | None,
    resume: bool,
    device: str,
    cache: Storage,
    track: bool,
) -> None:
    from foveate.cli.train_display import shown
    from foveate.datasets import open_sets
    from foveate.training.run.provenance import command_line

    try:
        with stoppable():
            with needs_torch():
                from foveate.training.start import start
            with shown(recipe) as listener:
                ending = start(
                    recipe,
                    open_sets(data),
                    folder=out,
                    resume=resume,
                    device=device,
                    command=command_line(sys.argv[1:]),
                    initial=initial,
                    storage=cache,
                    track=_store_of(out) if track else None,
                    listener=listener,
                    rank=rank(),
                )
    except KeyboardInterrupt as stop:
        say_error(f"stopped; {_what_is_left(out)}")
        raise typer.Exit(status_of(stop)) from stop
    say(f"{ending}. Best weights: {out / 'best.safetensors'}")


def _store_of(run: Path) -> str:
    """Where MLflow is told of a run."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(run.resolve().parent / 'mlflow.db').as_posix()}"


def _what_is_left(out: Path) -> str:
    from foveate.training.run.folder import STATE

    if (out / STATE).is_file():
        return f"the last whole epoch is kept. Go on with: foveate train --resume {shlex.quote(str(out))}"
    return "nothing was trained yet."
