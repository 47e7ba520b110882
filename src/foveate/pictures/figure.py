"""A figure with room for its small print, and its bytes."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Literal

from foveate.pictures.colours import GRID, INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PictureForm = Literal["png", "svg", "pdf"]

DPI = 200
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 10.5, 8.5, 8.0
_LETTERS_PER_INCH = 17.0
"""Of small print and legends, on average."""
_LINE_INCHES = 0.15
_SMALL_PRINT = "small-print"
_POINTS_BELOW = 36
"""From an axes to its legend: room for the numbers and the name of the axis."""


def new_figure(width: float, height: float, note: str) -> Figure:
    """An empty figure of that size in inches, to which lines for the small print are added at the bottom."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    lines = textwrap.wrap(note, int(width * _LETTERS_PER_INCH))
    words = "\n".join(lines)
    figure.text(0.012, 0, words, size=SMALL_SIZE, color=MUTED, va="bottom", gid=_SMALL_PRINT, parse_math=False)
    _grow(figure, _LINE_INCHES * (len(lines) + 1))
    return figure


def _grow(figure: Figure, inches: float) -> None:
    """Make the figure so much higher, at its bottom; the small print stays below everything."""
    engine = figure.get_layout_engine()
    if engine is None:
        raise ValueError("a figure without a layout has no room for words")
    before, whole = figure.get_figheight(), figure.get_figheight() + inches
    share = (engine.get()["rect"][1] * before + inches) / whole
    figure.set_figheight(whole)
    engine.set(rect=(0.0, share, 1.0, 1.0 - share))  # type: ignore[call-arg]
    for text in figure.texts:
        if text.get_gid() == _SMALL_PRINT:
            text.set_y(0.4 * _LINE_INCHES / whole)


def style(axes: Axes, title: str, across: str, up: str) -> None:
    """Title, labels, a grid behind everything, and no frame on the right and above."""
    axes.set_title(title, size=TITLE_SIZE, color=INK, loc="left", parse_math=False)
    axes.set_xlabel(across, size=TEXT_SIZE, color=INK)
    axes.set_ylabel(up, size=TEXT_SIZE, color=INK)
    axes.tick_params(labelsize=TEXT_SIZE, colors=INK, length=3)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(*row: Axes, of: Axes | None = None) -> None:
    """Below each of these axes, which stand side by side, what its lines and points mean: over the plot it would hide
    some of them. Names are shown as they are, in several lines where they are long, and the figure grows by them all.
    `of` are the axes whose lines are told, where these stand above.
    """
    from matplotlib.transforms import ScaledTranslation

    figure = row[0].get_figure(root=True)
    if figure is None:
        raise ValueError("axes without a figure have no room for a legend")
    letters, lines = int(figure.get_figwidth() / len(row) * _LETTERS_PER_INCH) - 16, [0]
    for axes in row:
        handles, names = (of or axes).get_legend_handles_labels()
        wrapped = [textwrap.fill(name, letters) for name in names]
        down = ScaledTranslation(0, -_POINTS_BELOW / 72, figure.dpi_scale_trans)
        drawn = axes.legend(
            handles,
            wrapped,
            loc="upper left",
            bbox_to_anchor=(0, 0),
            bbox_transform=axes.transAxes + down,
            borderaxespad=0,
            fontsize=SMALL_SIZE,
            frameon=False,
            labelspacing=0.35,
        )
        # The room is made below; were the layout to make it, a long name would squeeze the plot.
        drawn.set_in_layout(False)
        for text in drawn.get_texts():
            text.set_parse_math(False)
        lines.append(sum(1 + name.count("\n") for name in wrapped))
    _grow(figure, max(lines) * _LINE_INCHES * 1.05 + 0.05)


def encoded(figure: Figure, form: PictureForm) -> bytes:
    """The figure as a file: the same bytes for the same figure, and no date in it."""
    from matplotlib import rc_context

    dateless = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    file, layout = io.BytesIO(), figure.get_layout_engine()
    if layout is not None:
        # Begins at a guess, from which one round doesn't bring every title into the picture.
        layout.execute(figure)
    with rc_context({"svg.hashsalt": "foveate", "pdf.fonttype": 42}):
        figure.savefig(file, format=form, dpi=DPI, metadata=dateless)
    return file.getvalue()
