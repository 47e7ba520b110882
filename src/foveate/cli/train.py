"""`foveate train`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import say
from foveate.cli.extras import needs_torch
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.recipes.schema import Recipe
    from foveate.training.loop import EpochReport


def train(
    recipe: Annotated[str, typer.Argument(help="Name of a shipped recipe, or a .toml file of your own.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="E.g. training.epochs=4")
    ] = None,
    data: Annotated[list[str] | None, typer.Option(help="NAME:FOLDER of a data set; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.")] = None,
    initial: Annotated[
        Path | None, typer.Option("--from", help="Begin with the weights of this .safetensors file.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out.")] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda or auto.")] = "auto",
) -> None:
    """Train a network by a recipe.

    foveate train region-guided-drive --data drive:data/DRIVE --out runs/drive training.epochs=4
    """
    from foveate.recipes.read import read_recipe

    if not data or out is None:
        raise UsageError("train needs at least one --data NAME:FOLDER and an --out FOLDER.")
    if device not in ("cpu", "cuda", "auto"):
        raise UsageError(f"--device {device}: choose cpu, cuda or auto.")
    plan = read_recipe(recipe, overrides or [])
    _run(plan, data, out, initial=initial, resume=resume, device=device)


def _run(recipe: Recipe, data: list[str], out: Path, *, initial: Path | None, resume: bool, device: str) -> None:
    with needs_torch():
        from foveate.training.start import Listener, start
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from foveate.datasets import open_set

    sets = [open_set(spec) for spec in data]
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("epoch 1", total=recipe.training.steps_per_epoch)

        def on_step(epoch: int, step: int, loss: float) -> None:
            bar.update(task, completed=step + 1, description=f"epoch {epoch + 1}, loss {loss:.3f}")

        def on_epoch(report: EpochReport) -> None:
            bar.console.print(_line(report, recipe.training.epochs), highlight=False)

        try:
            ending = start(
                recipe,
                sets,
                folder=out,
                resume=resume,
                device=device,
                command=shlex.join(["foveate", *sys.argv[1:]]),
                initial=initial,
                listener=Listener(say, on_step, on_epoch),
            )
        except KeyboardInterrupt:
            say(f"The last finished epoch is in {out}: go on with the same command and --resume.")
            raise
    say(f"{ending}. Best weights: {out / 'best.safetensors'}")


def _line(report: EpochReport, epochs: int) -> str:
    scores = ", ".join(f"{name} {f1:.4f}" for name, f1 in report.validation.f1.items())
    return (
        f"epoch {report.epoch}/{epochs}: loss {report.loss:.4f}, validation F1 {scores}"
        f" at {report.validation.threshold:.3f}, {report.seconds:.0f} s{' (best)' if report.best else ''}"
    )
