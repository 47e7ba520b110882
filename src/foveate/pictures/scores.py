"""Every image's score as a dot, models side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foveate.pictures.colours import HUMAN, INK, MUTED, series_colour
from foveate.pictures.counted import counted, labels, left_out
from foveate.pictures.figure import SMALL_SIZE, TEXT_SIZE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from foveate.evaluation import EvaluationResult
    from foveate.evaluation.result import Averaged

WHAT = "a dot is an image; bars: mean over images and its 95 % interval"
NAMES = {"f1": "F1", "iou": "IoU", "mcc": "MCC", "cldice": "clDice"}
CLOSE = 0.02
"""As a share of the axis: dots nearer than this stand beside each other."""
STEP = 0.055
LETTERS = 18
"""In a line of a name below its column."""


def scores_by_image(results: Sequence[EvaluationResult], name: str, measure: str = "f1") -> Figure | None:
    """One column of dots for each result, its mean and interval beside them, and the second observer's.

    None where the measure is undefined everywhere. The lowest image of each column has its name written beside it.
    """
    columns = [_column(result, name, measure) for result in results]
    if not any(columns):
        return None
    missing = left_out(results, [len(column) for column in columns])
    figure = new_figure(max(4.6, 1.8 + 1.3 * (len(results) + 1)), 4.2, counted(results, "fov", WHAT + missing))
    axes = figure.subplots()
    called = NAMES.get(measure, measure.replace("_", " "))
    style(axes, f"{called} by image: {name}", "", called)
    values = [value for column in columns for _, value in column]
    reach = max(max(values) - min(values), 0.02)
    people = _people(results, name)
    for number, column in enumerate(columns):
        _draw_dots(axes, number, column, reach)
        _draw_mean(axes, number + 0.33, results[number].classes[name].fov.per_image, measure, series_colour(number))
    for number, (_, averaged) in enumerate(people, start=len(columns)):
        _draw_mean(axes, number, averaged, measure, HUMAN)
    axes.set_xticks(
        range(len(columns) + len(people)),
        [*(textwrap.fill(label, LETTERS) for label in labels(results)), *(who for who, _ in people)],
        size=TEXT_SIZE,
        parse_math=False,
    )
    axes.set_xlim(-0.6, len(columns) + len(people) - 0.4)
    axes.margins(y=0.1)
    axes.grid(visible=False, axis="x")
    return figure


def spread(values: Sequence[float], reach: float) -> NDArray[np.float64]:
    """How far to the side each dot stands so that dots of about the same height don't hide each other.

    In whole steps, alternately right and left, in order of height: the same for the same values.
    """
    places = np.zeros(len(values))
    order = np.argsort(values, kind="stable")
    taken: list[tuple[float, int]] = []
    for index in order.tolist():
        near = {step for height, step in taken if abs(height - values[index]) < CLOSE * reach}
        step = next(
            step for step in (0, *(s * k for k in range(1, len(values) + 1) for s in (1, -1))) if step not in near
        )
        taken.append((values[index], step))
        places[index] = step
    widest = np.abs(places).max(initial=0)
    return places * min(STEP, 0.28 / widest if widest else STEP)


def _column(result: EvaluationResult, name: str, measure: str) -> list[tuple[str, float]]:
    values = [(row.id, row.classes[name].fov.values.get(measure)) for row in result.images]
    return [(case, value) for case, value in values if value is not None]


def _people(results: Sequence[EvaluationResult], name: str) -> list[tuple[str, Averaged]]:
    observed = {(r.data.set, r.data.split): r.second_observer for r in results if r.second_observer is not None}
    several = len({(result.data.set, result.data.split) for result in results}) > 1
    return [
        (
            f"second observer\n{where[0]}, mean" if several else "second observer\n(mean)",
            scores.classes[name].fov.per_image,
        )
        for where, scores in observed.items()
        if name in scores.classes
    ]


def _draw_dots(axes: Axes, place: float, column: Sequence[tuple[str, float]], reach: float) -> None:
    if not column:
        return
    values = [value for _, value in column]
    axes.plot(
        place - 0.12 + spread(values, reach),
        values,
        "o",
        color=series_colour(round(place)),
        markersize=5,
        markeredgecolor="white",
        markeredgewidth=0.6,
    )
    lowest, value = min(column, key=lambda dot: dot[1])
    axes.annotate(
        lowest,
        (place - 0.12, value),
        xytext=(0, -6),
        textcoords="offset points",
        size=SMALL_SIZE,
        color=MUTED,
        ha="center",
        va="top",
        parse_math=False,
    )


def _draw_mean(axes: Axes, place: float, averaged: Averaged, measure: str, colour: str) -> None:
    mean, interval = averaged.mean.get(measure), averaged.intervals.get(measure)
    if mean is None:
        return
    if interval is not None:
        axes.vlines(place, *interval, color=colour, linewidth=2.2)
    axes.plot(place, mean, "_", color=colour, markersize=13, markeredgewidth=2.2)
    axes.annotate(
        f"{mean:.4f}", (place, mean), xytext=(9, 0), textcoords="offset points", size=TEXT_SIZE, color=INK, va="center"
    )
