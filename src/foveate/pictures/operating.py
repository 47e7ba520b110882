"""Curves over all thresholds, with the point at which each model works and the one that a second person reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foveate.pictures.colours import GRID, HUMAN, MUTED, series_colour, series_dash
from foveate.pictures.counted import counted, labels
from foveate.pictures.figure import SMALL_SIZE, legend, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foveate.evaluation import EvaluationResult
    from foveate.evaluation.result import MeasureValues, PointsOnCurve

OperatingPoint = tuple[float, float]

WHAT = "pixels of all images together"
F1_LINES = (0.5, 0.6, 0.7, 0.8, 0.9)


def roc(results: Sequence[EvaluationResult], name: str) -> Figure | None:
    """Sensitivity against 1 - specificity of a class; a corner is shown larger. None where no result has the curve."""
    curves = [_curve(result, name, "roc") for result in results]
    if not any(curves):
        return None
    figure = new_figure(5.0, 4.6, counted(results, "fov", WHAT))
    axes = figure.subplots()
    style(axes, f"ROC curve: {name}", "1 − specificity", "sensitivity")
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=0.8, linestyle=":")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    points = [_roc_point(_values(result, name)) for result in results]
    people = [(who, _roc_point(values)) for who, values in observers(results, name)]
    captions = [
        _caption(label, "AUC", _values(r, name).get("roc_auc"))
        for label, r in zip(labels(results), results, strict=True)
    ]
    _draw(axes, curves, points, people, captions)
    legend(axes)
    _corner(axes, curves, points, people)
    return figure


def precision_recall(results: Sequence[EvaluationResult], name: str) -> Figure | None:
    """Precision against sensitivity of a class, over lines of equal F1. None where no result has the curve."""
    curves = [_curve(result, name, "precision_recall") for result in results]
    if not any(curves):
        return None
    figure = new_figure(5.0, 4.6, counted(results, "fov", WHAT))
    axes = figure.subplots()
    style(axes, f"Precision–recall curve: {name}", "sensitivity (recall)", "precision")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    _draw_f1_lines(axes)
    points = [_pr_point(_values(result, name)) for result in results]
    people = [(who, _pr_point(values)) for who, values in observers(results, name)]
    captions = [
        _caption(label, "AP", _values(r, name).get("average_precision"))
        for label, r in zip(labels(results), results, strict=True)
    ]
    _draw(axes, curves, points, people, captions)
    legend(axes)
    return figure


def observers(results: Sequence[EvaluationResult], name: str) -> list[tuple[str, MeasureValues]]:
    """The pooled values of the second observers, one for each set and split, with what to call them."""
    observed = {(r.data.set, r.data.split): r.second_observer for r in results if r.second_observer is not None}
    sets = {(result.data.set, result.data.split) for result in results}
    return [
        (
            "second observer" if len(sets) == 1 else f"second observer of {where[0]}",
            scores.classes[name].fov.pooled.values,
        )
        for where, scores in observed.items()
        if name in scores.classes
    ]


def _draw(
    axes: Axes,
    curves: Sequence[PointsOnCurve | None],
    points: Sequence[OperatingPoint | None],
    people: Sequence[tuple[str, OperatingPoint | None]],
    captions: Sequence[str],
    *,
    size: float = 6.0,
) -> None:
    for number, (curve, point, caption) in enumerate(zip(curves, points, captions, strict=True)):
        colour = series_colour(number)
        if curve is not None:
            axes.plot(curve.x, curve.y, color=colour, linestyle=series_dash(number), linewidth=1.6, label=caption)
        if point is not None:
            where = f"{caption.partition(' (')[0]} at its threshold" if curve is not None else caption
            axes.plot(*point, "o", color=colour, markersize=size, markeredgecolor="white", label=where, zorder=4)
    for number, (who, point) in enumerate(people):
        if point is not None:
            axes.plot(
                *point, "D*Xps"[number % 5], color=HUMAN, markersize=size, markeredgecolor="white", label=who, zorder=5
            )


def _corner(
    axes: Axes,
    curves: Sequence[PointsOnCurve | None],
    points: Sequence[OperatingPoint | None],
    people: Sequence[tuple[str, OperatingPoint | None]],
) -> None:
    """The neighbourhood of the points once more, where the large plot has nothing to show."""
    known = [point for point in (*points, *(point for _, point in people)) if point is not None]
    if not known:
        return
    right = min(0.4, max(0.04, 2.2 * max(x for x, _ in known)))
    bottom = max(0.0, 1 - 1.8 * (1 - min(y for _, y in known)))
    inset = axes.inset_axes((0.5, 0.1, 0.47, 0.47))
    _draw(inset, curves, points, people, [""] * len(curves), size=5.0)
    inset.set(xlim=(0, right), ylim=(bottom, 1))
    inset.tick_params(labelsize=SMALL_SIZE, length=2)
    inset.grid(color=GRID, linewidth=0.6)
    axes.indicate_inset_zoom(inset, edgecolor=MUTED, alpha=0.4)


def _draw_f1_lines(axes: Axes) -> None:
    """Where F1 is the same: precision p and sensitivity s with 2 p s / (p + s) = F1."""
    for f1 in F1_LINES:
        sensitivity = np.linspace(f1 / (2 - f1), 1, 100)
        axes.plot(sensitivity, f1 * sensitivity / (2 * sensitivity - f1), color="#c3c8ce", linewidth=0.8, zorder=1)
        axes.text(1.015, f1 / (2 - f1), f"F1 {f1:.1f}", size=SMALL_SIZE, color=MUTED, va="center")


def _curve(result: EvaluationResult, name: str, kind: str) -> PointsOnCurve | None:
    curves = result.curves.get(name)
    curve: PointsOnCurve | None = None if curves is None else getattr(curves, kind)
    return curve


def _values(result: EvaluationResult, name: str) -> MeasureValues:
    return result.classes[name].fov.pooled.values


def _roc_point(values: MeasureValues) -> OperatingPoint | None:
    specificity, sensitivity = values["specificity"], values["sensitivity"]
    return None if specificity is None or sensitivity is None else (1 - specificity, sensitivity)


def _pr_point(values: MeasureValues) -> OperatingPoint | None:
    sensitivity, precision = values["sensitivity"], values["precision"]
    return None if sensitivity is None or precision is None else (sensitivity, precision)


def _caption(label: str, measure: str, value: float | None) -> str:
    return label if value is None else f"{label} ({measure} {value:.4f})"
