"""Where a network looks: its attention maps over the photograph."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from foveate.pictures.colours import INK, SERIES
from foveate.pictures.figure import SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from foveate.records import Image

COLUMNS = 4
SIDE = 2.6
"""Inches."""


def attention_sheet(image: Image, maps: Mapping[str, NDArray[np.float32]], title: str, note: str) -> Figure:
    """The photograph (H×W×3), then each map by its name: H×W for weights of places, C for weights of channels.

    Weights are 0 to 1, NaN where the network saw nothing. Every map has the colours of its own range, which stands
    beside it: many reach only over a part of 0 to 1. Weights of channels are drawn from the greatest to the smallest.
    """
    columns = min(COLUMNS, len(maps) + 1)
    rows = math.ceil((len(maps) + 1) / columns)
    height = SIDE * image.shape[0] / image.shape[1]
    figure = new_figure(SIDE * columns + 0.6 * columns, (height + 0.4) * rows + 0.4, note)
    figure.suptitle(title, size=TITLE_SIZE + 1, color=INK, x=0.012, ha="left", parse_math=False)
    first, *others = figure.subplots(rows, columns, squeeze=False).ravel()
    first.imshow(image)
    first.set_axis_off()
    _name(first, "photograph")
    grey = image.mean(axis=2)
    for axes, (name, weights) in zip(others, maps.items(), strict=False):
        if weights.ndim == 1:
            _draw_channels(axes, weights)
        else:
            _draw_places(axes, grey, weights)
        _name(axes, name)
    for axes in others[len(maps) :]:
        axes.set_axis_off()
    return figure


def _draw_places(axes: Axes, grey: NDArray[np.float64], weights: NDArray[np.float32]) -> None:
    low, high = np.nanpercentile(weights, (1, 99)) if np.isfinite(weights).any() else (0.0, 1.0)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255)
    heat = axes.imshow(weights, cmap="inferno", vmin=low, vmax=max(high, low + 1e-6), alpha=0.78)
    bar = axes.get_figure(root=True).colorbar(heat, ax=axes, fraction=0.045, pad=0.02)  # type: ignore[union-attr]
    bar.solids.set_alpha(1)  # type: ignore[union-attr]
    bar.ax.tick_params(labelsize=SMALL_SIZE, length=2)
    axes.set_axis_off()


def _draw_channels(axes: Axes, weights: NDArray[np.float32]) -> None:
    axes.stairs(np.sort(weights)[::-1], fill=True, color=SERIES[0])
    axes.set_xlabel(f"{weights.size} channels, by weight", size=SMALL_SIZE)
    axes.tick_params(labelsize=SMALL_SIZE, length=2)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)


def _name(axes: Axes, text: str) -> None:
    axes.set_title(text, size=TEXT_SIZE, color=INK, loc="left", parse_math=False)
