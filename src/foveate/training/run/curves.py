"""The course of a run as a picture."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

# Here, as what interrupts an import in the middle of a run comes out of it as another error.
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from foveate.imaging import write_bytes
from foveate.training.run.folder import CURVES
from foveate.training.run.progress import EpochRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, DARK, GREY = "#1f6fb4", "#d9682b", "#2b2f36", "#8a8f98"

SMALLEST_SPAN = 0.002
"""Of the F1 axis: less than that is chance, and would look like a rise."""


def draw_curves(rows: Sequence[EpochRow], folder: Path) -> None:
    """Write curves.png: losses, validation F1 and learning rate, one above the other. Raises OutputError."""
    file = io.BytesIO()
    curves(rows).savefig(file, format="png", dpi=110)
    write_bytes(file.getvalue(), folder / CURVES)


def curves(rows: Sequence[EpochRow]) -> Figure:
    """The picture; at least one epoch."""
    # Fixed margins: a layout that measures every text takes as long as the drawing.
    figure = Figure(figsize=(8, 8))
    figure.subplots_adjust(left=0.13, right=0.98, bottom=0.07, top=0.98, hspace=0.1)
    above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    _draw_losses(above, rows)
    _draw_f1(middle, rows)
    _draw_rate(below, rows)
    for axes in (above, middle, below):
        axes.grid(color="#e6e8eb", linewidth=0.8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.02)
        axes.yaxis.set_label_coords(-0.12, 0.5)
    below.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    below.set_xlabel("epoch")
    return figure


def _draw_losses(axes: Axes, rows: Sequence[EpochRow]) -> None:
    epochs = [row.epoch for row in rows]
    axes.plot(epochs, [row.loss for row in rows], color=BLUE, marker=".", label="training")
    axes.plot(epochs, [row.validation_loss for row in rows], color=ORANGE, marker=".", label="validation")
    axes.yaxis.set_major_formatter(_in_full)
    axes.set_ylabel("loss")
    axes.legend(frameon=False)


def _draw_f1(axes: Axes, rows: Sequence[EpochRow]) -> None:
    epochs = [row.epoch for row in rows]
    sets = rows[0].f1
    for name in sets if len(sets) > 1 else ():
        axes.plot(epochs, [row.f1[name] for row in rows], linewidth=1, alpha=0.7, label=name)
    axes.plot(epochs, [row.mean_f1 for row in rows], color=DARK, marker=".", label="mean" if len(sets) > 1 else None)
    best = [row for row in rows if row.best][-1]
    axes.axvline(best.epoch, color=GREY, linestyle=":", label=f"best epoch: {best.epoch}, F1 {best.mean_f1:.4f}")
    axes.yaxis.set_major_formatter(_in_full)
    low, high = axes.get_ylim()
    if high - low < SMALLEST_SPAN:
        axes.set_ylim((low + high - SMALLEST_SPAN) / 2, (low + high + SMALLEST_SPAN) / 2)
    axes.set_ylabel("validation F1")
    axes.legend(frameon=False)


def _draw_rate(axes: Axes, rows: Sequence[EpochRow]) -> None:
    rates = [row.learning_rate for row in rows]
    axes.plot([row.epoch for row in rows], rates, color=BLUE, marker=".")
    above_zero = [rate for rate in rates if rate > 0]
    highest = 1.1 * max(above_zero, default=1.0)
    if above_zero and max(rates) >= 10 * min(above_zero):
        lowest = min(above_zero)
        # Linear below the smallest rate: a rate of 0 has a place, and logarithms start above it.
        axes.set_yscale("symlog", linthresh=lowest, linscale=0.5)
        powers = range(math.ceil(math.log10(lowest)), math.floor(math.log10(highest)) + 1)
        axes.set_yticks([*([0.0] if 0 in rates else []), *(10.0**power for power in powers)], minor=False)
        axes.set_ylim(-0.1 * lowest if 0 in rates else 0.8 * lowest, 1.25 * max(rates))
    else:
        axes.set_ylim(-0.04 * highest, highest)
    axes.yaxis.set_major_formatter(_in_full)
    axes.set_ylabel("learning rate")


def _in_full(value: float, _: float) -> str:
    """A tick's number as it is: no offset or power beside the axis to be added to it."""
    return f"{value:.6g}"
