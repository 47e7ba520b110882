"""What error is left after the least certain pixels, or images, are set aside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foveate.pictures.colours import series_colour, series_dash
from foveate.pictures.counted import counted, labels
from foveate.pictures.figure import legend, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foveate.evaluation import EvaluationResult
    from foveate.evaluation.result import RiskCurve

PIXELS = "left: pixels, the most certain first; right: images, by the F1 that their probabilities promise"


def risk_coverage(results: Sequence[EvaluationResult], name: str) -> Figure | None:
    """Error among the share that is kept, for pixels and for images. None where no result has probabilities."""
    known = [(label, r.curves[name]) for label, r in zip(labels(results), results, strict=True) if name in r.curves]
    if not known:
        return None
    figure = new_figure(8.0, 3.4, counted(results, "fov", PIXELS))
    left, right = figure.subplots(1, 2)
    style(left, f"Risk and coverage, pixels: {name}", "share of pixels kept", "share of these that is wrong")
    style(right, f"Risk and coverage, images: {name}", "share of images kept", "1 − mean F1 of these")
    for number, (label, curves) in enumerate(known):
        _draw(left, curves.pixel_risk, number, label, digits=4)
        _draw(right, curves.image_risk, number, label, digits=3, marker=".")
    for axes in (left, right):
        highest = max((float(np.max(line.get_ydata())) for line in axes.lines), default=0.0)
        axes.set(xlim=(0, 1.01), ylim=(0, 1.05 * highest or 1))
    legend(left, right)
    return figure


def _draw(axes: Axes, curve: RiskCurve | None, number: int, label: str, *, digits: int, marker: str = "") -> None:
    if curve is not None:
        axes.plot(
            curve.x,
            curve.y,
            color=series_colour(number),
            linestyle=series_dash(number),
            linewidth=1.6,
            marker=marker,
            label=f"{label} (area {curve.area:.{digits}f})",
        )
