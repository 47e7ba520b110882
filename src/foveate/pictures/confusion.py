"""Confusion matrices: how many pixels of each kind were called what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from foveate.pictures.colours import INK, MUTED
from foveate.pictures.figure import TEXT_SIZE, TITLE_SIZE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from foveate.evaluation.result import PixelCounts
    from foveate.records import Mask, Masks

BACKGROUND = "background"
_ACROSS = 4
"""Matrices side by side at most; more make further rows of them."""


def counts_of(counts: PixelCounts) -> NDArray[np.int64]:
    """2×2: rows are the truth, columns the prediction, background first."""
    return np.array(
        [[counts.true_negative, counts.false_positive], [counts.false_negative, counts.true_positive]], np.int64
    )


def label_counts(prediction: Masks, truth: Masks, within: Mask | None = None) -> NDArray[np.int64]:
    """(K+1)×(K+1) numbers of pixels of classes that exclude each other: rows are the truth, background first.

    Masks are K×H×W, `within` H×W is what counts, None for everything.
    """
    numbers = np.arange(1, len(truth) + 1)[:, None, None]
    predicted, true = ((masks * numbers).max(axis=0) for masks in (prediction, truth))
    if within is not None:
        predicted, true = predicted[within], true[within]
    kinds = len(truth) + 1
    return np.bincount((true * kinds + predicted).ravel(), minlength=kinds**2).reshape(kinds, kinds)


def confusion_matrices(matrices: Mapping[str, NDArray[np.int64]], names: Sequence[str], note: str) -> Figure:
    """One or more N×N matrices, by their titles, four side by side at most.

    Every cell has its count and its share of the row. `names` are the kinds, in the matrices' order. A row without
    pixels has no shares.
    """
    side = 1.0 + 0.85 * len(names)
    across = min(len(matrices), _ACROSS)
    down = -(-len(matrices) // across)
    figure = new_figure(max(4.2, (side + 0.4) * across), (side + 0.6) * down, note)
    places = figure.subplots(down, across, squeeze=False).ravel()
    for axes, (title, matrix) in zip(places, matrices.items(), strict=False):
        _draw(axes, title, matrix, names)
    for axes in places[len(matrices) :]:
        axes.set_axis_off()
    return figure


def _draw(axes: Axes, title: str, matrix: NDArray[np.int64], names: Sequence[str]) -> None:
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), count in np.ndenumerate(matrix):
        share = f"{100 * shares[row, column]:.2f} %" if totals[row, 0] else "–"
        ink = "white" if shares[row, column] > 0.6 else INK
        axes.text(column, row - 0.12, share, ha="center", va="center", size=TITLE_SIZE, color=ink)
        axes.text(
            column, row + 0.2, f"{count:,}".replace(",", " "), ha="center", va="center", size=TEXT_SIZE, color=ink
        )
    ticks = range(len(names))
    axes.set_xticks(ticks, names, size=TEXT_SIZE, parse_math=False)
    axes.set_yticks(ticks, names, size=TEXT_SIZE, rotation=90, va="center", parse_math=False)
    axes.set_xlabel("prediction", size=TEXT_SIZE, color=MUTED)
    axes.set_ylabel("truth", size=TEXT_SIZE, color=MUTED)
    axes.set_title(title, size=TITLE_SIZE, color=INK, loc="left", parse_math=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
