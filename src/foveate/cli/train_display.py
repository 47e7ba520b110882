"""What a training shows while it runs: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from foveate.cli.console import rank, say

if TYPE_CHECKING:
    from foveate.recipes.schema import Recipe
    from foveate.training.run.progress import EpochRow, Listener


FIRST_ESTIMATE = 20
"""Steps, not counting the first, after which a time is said where there is no bar."""


@contextmanager
def shown(recipe: Recipe) -> Iterator[Listener]:
    """A listener that shows loss, validation F1, images per second and the time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from foveate.cli.rich_console import RichConsole
    from foveate.training.run.progress import Listener

    options = recipe.training
    columns = TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn()
    hidden = not sys.stdout.isatty() or rank().number > 0
    with Progress(*columns, transient=True, console=RichConsole(), disable=hidden) as bar:
        task = bar.add_task("reading images", total=None)
        began = time.monotonic()
        last: list[EpochRow] = []

        def tell(text: str) -> None:
            if bar.disable:
                say(text)
            else:
                bar.console.print(text, highlight=False, markup=False, soft_wrap=True)

        def on_read(number: int, total: int) -> None:
            bar.update(task, completed=number, total=total)

        def on_step(epoch: int, step: int, loss: float) -> None:
            nonlocal began
            if step == 0:
                # The first step also makes things ready: it is not counted.
                began = time.monotonic()
            spent = time.monotonic() - began
            parts = [f"epoch {epoch + 1}/{options.epochs}", f"loss {loss:.3f}"]
            parts += [f"F1 {last[-1].mean_f1:.4f}"] if last else []
            if step:
                rate = f"{step * options.crops_per_step / spent:.1f} images/s"
                per_epoch = last[-1].seconds if last else options.steps_per_epoch * spent / step
                left = _time(per_epoch * (options.epochs - epoch) - spent)
                parts += [rate, f"{left} left"]
                if bar.disable and step == FIRST_ESTIMATE and not last:
                    say(f"after {step} steps: {rate}, about {left} left without validation")
            bar.update(task, completed=step + 1, total=options.steps_per_epoch, description=", ".join(parts))

        def on_epoch(row: EpochRow) -> None:
            last[:] = [row]
            left = row.seconds * (options.epochs - row.epoch)
            tell(row.sentence(options.epochs) + (f", {_time(left)} left" if left else ""))

        yield Listener(tell, on_step, on_epoch, on_read)


def _time(seconds: float) -> str:
    """Hours and minutes, minutes and seconds, or seconds alone."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
