"""Whether probabilities mean what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foveate.pictures.colours import MUTED, series_colour, series_dash
from foveate.pictures.counted import counted, labels
from foveate.pictures.figure import legend, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from foveate.evaluation import EvaluationResult


def reliability(results: Sequence[EvaluationResult], name: str) -> Figure | None:
    """The share of foreground among pixels of about one probability, and below it how many these are.

    Points lie at the mean probability and share of each bin that has pixels. None where no result has probabilities.
    """
    known = [(label, r) for label, r in zip(labels(results), results, strict=True) if name in r.curves]
    if not known:
        return None
    figure = new_figure(5.0, 5.2, counted([result for _, result in known], "fov", "pixels of all images together"))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    style(above, f"Reliability: {name}", "", "share of pixels that are foreground")
    style(below, "", "probability by the model", "pixels")
    above.plot((0, 1), (0, 1), color=MUTED, linewidth=0.8, linestyle=":", label="as it should be")
    for number, (label, result) in enumerate(known):
        bins = result.curves[name].reliability
        filled = [one_bin for one_bin in bins if one_bin.probability is not None]
        error = result.classes[name].fov.pooled.values["calibration_error"]
        colour, dash = series_colour(number), series_dash(number)
        caption = label if error is None else f"{label} (ECE {error:.4f})"
        above.plot(
            [one_bin.probability for one_bin in filled],
            [one_bin.share for one_bin in filled],
            color=colour,
            linestyle=dash,
            marker="o",
            markersize=4,
            label=caption,
        )
        edges = [place / len(bins) for place in range(len(bins) + 1)]
        below.stairs([one_bin.pixels for one_bin in bins], edges, color=colour, linestyle=dash, linewidth=1.4)
    below.set_yscale("log")
    above.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    legend(below, of=above)
    return figure
