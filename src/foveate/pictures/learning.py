"""How runs learned, several in one plot, from their own log.csv."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import UsageError
from foveate.pictures.colours import series_colour, series_dash
from foveate.pictures.figure import legend, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOG = "log.csv"

NOTE = (
    "From each run's log.csv: mean loss over an epoch's steps (thin), loss and mean F1 on the validation images, at the"
    " threshold that is best there; a ring marks the epoch whose weights were kept. For research, not a medical device."
)


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """One run's epochs, in order; all tuples are of one length."""

    name: str
    epochs: tuple[int, ...]
    loss: tuple[float, ...]
    validation_loss: tuple[float, ...]
    mean_f1: tuple[float, ...]
    best: int
    """The place, from 0, of the epoch whose weights were kept."""


def read_learning_curve(run: Path) -> LearningCurve:
    """What a run's folder says of its epochs. Raises UsageError where it holds no log.csv, or none that can be read."""
    path = run / LOG
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        best = [place for place, row in enumerate(rows) if row["best"] == "1"]
        return LearningCurve(
            name=run.name,
            epochs=tuple(int(row["epoch"]) for row in rows),
            loss=tuple(float(row["loss"]) for row in rows),
            validation_loss=tuple(float(row["validation_loss"]) for row in rows),
            mean_f1=tuple(float(row["mean_f1"]) for row in rows),
            best=best[-1],
        )
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror or error}); give the folder of a run.") from error
    except KeyError as error:
        raise UsageError(f"{path}: has no column {error}: it is no run's, or an older foveate's.") from error
    except (IndexError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: is not the table of a run's epochs ({error}); give the folder of a run.") from error


def learning_curves(runs: Sequence[LearningCurve]) -> Figure:
    """Loss above, F1 on the validation images below, over epochs."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7.0, 5.2, NOTE)
    above, below = figure.subplots(2, 1, sharex=True)
    style(above, "Learning curves", "", "loss")
    style(below, "", "epoch", "validation F1")
    for number, run in enumerate(runs):
        colour, dash = series_colour(number), series_dash(number)
        above.plot(run.epochs, run.loss, color=colour, linestyle=dash, linewidth=0.8, alpha=0.7)
        above.plot(run.epochs, run.validation_loss, color=colour, linestyle=dash, linewidth=1.8, label=run.name)
        caption = f"{run.name} (best: {run.mean_f1[run.best]:.4f} in epoch {run.epochs[run.best]})"
        below.plot(run.epochs, run.mean_f1, color=colour, linestyle=dash, linewidth=1.8, label=caption)
        for axes, values in ((above, run.validation_loss), (below, run.mean_f1)):
            axes.plot(
                run.epochs[run.best],
                values[run.best],
                "o",
                color=colour,
                markerfacecolor="white",
                markersize=7,
                zorder=4,
            )
    below.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(below)
    return figure
