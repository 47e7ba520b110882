"""Whether a model knows how good its masks are: the F1 that its probabilities promise against the true one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from foveate.pictures.colours import MUTED, series_colour
from foveate.pictures.counted import counted, labels, left_out
from foveate.pictures.figure import legend, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from foveate.evaluation import EvaluationResult

Pair = tuple[float, float]


def expected_against_true(results: Sequence[EvaluationResult], name: str) -> Figure | None:
    """A dot for each image; below the line an image is worse than its probabilities promise. None without dots."""
    columns = [(label, _pairs(result, name)) for label, result in zip(labels(results), results, strict=True)]
    if not any(pairs for _, pairs in columns):
        return None
    missing = left_out(results, [len(pairs) for _, pairs in columns])
    figure = new_figure(5.0, 4.6, counted(results, "fov", "a dot is an image" + missing))
    axes = figure.subplots()
    style(axes, f"Expected and true F1: {name}", "F1 as the probabilities promise it", "true F1")
    values = [value for _, pairs in columns for pair in pairs for value in pair]
    low, high = max(0.0, min(values) - 0.02), min(1.0, max(values) + 0.02)
    axes.plot((low, high), (low, high), color=MUTED, linewidth=0.8, linestyle=":", label="as it should be")
    for number, (label, pairs) in enumerate(columns):
        if pairs:
            across, up = zip(*pairs, strict=True)
            axes.plot(
                across,
                up,
                "os^Dvp"[number % 6],
                color=series_colour(number),
                markersize=5,
                markeredgecolor="white",
                markeredgewidth=0.6,
                label=f"{label} ({_difference(pairs)})",
            )
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    legend(axes)
    return figure


def _pairs(result: EvaluationResult, name: str) -> list[Pair]:
    scores = [row.classes[name].fov.values for row in result.images]
    scored = [(values.get("expected_f1"), values["f1"]) for values in scores]
    return [(expected, true) for expected, true in scored if expected is not None and true is not None]


def _difference(pairs: Sequence[Pair]) -> str:
    differences = [true - expected for expected, true in pairs]
    mean, apart = statistics.fmean(differences), statistics.fmean(map(abs, differences))
    return f"true − expected: mean {mean:+.3f}, mean without sign {apart:.3f}"
