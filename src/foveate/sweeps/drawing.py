"""The scores of a sweep along each of its axes, as a picture."""

from __future__ import annotations

import io
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.imaging import write_bytes
from foveate.sweeps.place import PICTURE
from foveate.sweeps.ranking import Ranking
from foveate.sweeps.schema import Sweep
from foveate.sweeps.space import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, DARK = "#1f6fb4", "#2b2f36"
COLUMNS, WIDTH, HEIGHT = 3, 4.2, 3.4
"""Panels side by side at most; a panel's size in inches."""

TrialPoint = tuple[str | int | float, float]
"""A trial's setting on one axis, and its score."""


def draw_sweep(ranking: Ranking, sweep: Sweep, folder: Path) -> Path:
    """Write sweep.png: for each axis, a dot per finished trial at its setting, and the mean of each choice.

    Raises OutputError.
    """
    from matplotlib.figure import Figure  # half a second, only where something is drawn

    count = len(ranking.axes)
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    by_name = {axis.name: axis for axis in axes(sweep)}
    done = [row for row in ranking.rows if row.state == "done" and row.mean is not None]
    for name, panel in zip(ranking.axes, panels, strict=False):
        points = [(row.settings[name], row.mean) for row in done if row.mean is not None]
        if numbers := by_name[name].numbers:
            _draw_numbers(panel, points, log=numbers.log)
        else:
            _draw_choices(panel, points, [*by_name[name].choices])
        panel.set_xlabel(name)
        panel.grid(color="#e6e8eb", linewidth=0.8)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in list(figure.axes)[count:]:
        panel.set_visible(False)
    for panel in list(figure.axes)[:count:columns]:
        panel.set_ylabel(f"validation {ranking.measure}")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    write_bytes(file.getvalue(), folder / PICTURE)
    return folder / PICTURE


def _draw_numbers(panel: Axes, points: Sequence[TrialPoint], *, log: bool) -> None:
    panel.plot([float(x) for x, _ in points], [y for _, y in points], "o", color=BLUE, alpha=0.7)
    if log:
        panel.set_xscale("log")


def _draw_choices(panel: Axes, points: Sequence[TrialPoint], names: Sequence[str]) -> None:
    """Choices side by side, in the file's order."""
    for place, name in enumerate(names):
        scores = [y for x, y in points if str(x) == name]
        panel.plot([place] * len(scores), scores, "o", color=BLUE, alpha=0.6)
        if scores:
            panel.plot([place - 0.25, place + 0.25], [statistics.fmean(scores)] * 2, color=DARK, linewidth=2)
    panel.set_xticks(range(len(names)), names, rotation=30 if max(map(len, names), default=0) > 6 else 0)
    panel.set_xlim(-0.6, len(names) - 0.4)
