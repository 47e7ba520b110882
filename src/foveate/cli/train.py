"""`foveate train`."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from foveate.cli.console import say, say_error
from foveate.cli.extras import needs_torch
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.recipes.schema import Recipe

INTERRUPTED, TERMINATED = 128 + 2, 128 + 15
"""Exit statuses, as shells have them: of Ctrl-C, and of a process that was asked to end."""


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
        Path | None, typer.Option("--from", help="Begin with the weights of this .safetensors file.")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, by its own recipe, data and options.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or auto; without it auto, or with --resume the run's own.")
    ] = None,
) -> None:
    """Train a network by a recipe, or go on with a run that was stopped.

    foveate train region-guided-drive --data drive:data/DRIVE --out runs/drive training.epochs=4

    foveate train --resume runs/drive
    """
    from foveate.recipes.read import read_recipe

    if device not in ("cpu", "cuda", "auto", None):
        raise UsageError(f"--device {device}: choose cpu, cuda or auto.")
    words = [word for word in (recipe, *(overrides or [])) if word is not None]
    if resume is not None:
        if out is not None or initial is not None:
            raise UsageError("--resume goes on in the run's own folder, from its own weights: no --out, no --from.")
        _resume(resume, words, data, device)
    elif not words or not data or out is None:
        raise UsageError(
            "train needs a RECIPE, at least one --data NAME:FOLDER and an --out FOLDER; or --resume FOLDER."
        )
    else:
        _run(read_recipe(words[0], words[1:]), data, out, initial=initial, resume=False, device=device or "auto")


def _resume(folder: Path, overrides: list[str], data: list[str] | None, device: str | None) -> None:
    """Go on with a run; `data` only where its sets lie in another place now."""
    from foveate.training.plan import plan_of

    plan = plan_of(folder, overrides)
    _run(
        plan.recipe,
        data or list(plan.places),
        folder,
        initial=None if plan.begun else plan.initial,
        resume=plan.begun,
        device=device or plan.device,
    )


def _run(recipe: Recipe, data: list[str], out: Path, *, initial: Path | None, resume: bool, device: str) -> None:
    from foveate.cli.train_display import shown
    from foveate.datasets import open_set

    with _sigterm_like_ctrl_c():
        try:
            with needs_torch():
                from foveate.training.start import start
            with shown(recipe) as listener:
                ending = start(
                    recipe,
                    [open_set(place) for place in data],
                    folder=out,
                    resume=resume,
                    device=device,
                    command=shlex.join(["foveate", *sys.argv[1:]]),
                    initial=initial,
                    listener=listener,
                )
        except KeyboardInterrupt as stop:
            say_error(f"stopped; {_what_is_left(out)}")
            raise typer.Exit(TERMINATED if isinstance(stop, Terminated) else INTERRUPTED) from stop
    say(f"{ending}. Best weights: {out / 'best.safetensors'}")


def _what_is_left(out: Path) -> str:
    from foveate.training.run_folder import STATE

    if (out / STATE).is_file():
        return f"the last whole epoch is kept. Go on with: foveate train --resume {shlex.quote(str(out))}"
    return "nothing was trained yet."


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by the system or by `kill`."""


@contextmanager
def _sigterm_like_ctrl_c() -> Iterator[None]:
    def stop(signal_number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
