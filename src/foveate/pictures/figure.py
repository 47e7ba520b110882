"""A figure with room for its small print, and its bytes."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Literal

from foveate.pictures.colours import GRID, INK, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form = Literal["png", "svg", "pdf"]

Corner = Literal["upper left", "upper right", "lower left", "lower right"]

DPI = 200
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 10.5, 8.5, 8.0
_LETTERS_PER_INCH = 17.0
_LINE_INCHES = 0.15


def new_figure(width: float, height: float, note: str) -> Figure:
    """An empty figure of that size in inches, to which lines for the small print are added at the bottom."""
    from matplotlib.figure import Figure

    lines = textwrap.wrap(note, int(width * _LETTERS_PER_INCH))
    print_height = _LINE_INCHES * (len(lines) + 1)
    whole = height + print_height
    figure = Figure(figsize=(width, whole), layout="constrained", facecolor="white")
    engine = figure.get_layout_engine()
    if engine is not None:
        share = print_height / whole
        engine.set(rect=(0.0, share, 1.0, 1.0 - share))  # type: ignore[call-arg]
    figure.text(
        0.012,
        0.4 * _LINE_INCHES / whole,
        "\n".join(lines),
        size=SMALL_SIZE,
        color=MUTED,
        va="bottom",
        gid="small-print",
        parse_math=False,
    )
    return figure


def style(axes: Axes, title: str, across: str, up: str) -> None:
    """Title, labels, a grid behind everything, and no frame on the right and above."""
    axes.set_title(title, size=TITLE_SIZE, color=INK, loc="left", parse_math=False)
    axes.set_xlabel(across, size=TEXT_SIZE, color=INK)
    axes.set_ylabel(up, size=TEXT_SIZE, color=INK)
    axes.tick_params(labelsize=TEXT_SIZE, colors=INK, length=3)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(axes: Axes, place: Corner) -> None:
    """What the lines and points mean; names are shown as they are."""
    drawn = axes.legend(loc=place, fontsize=TEXT_SIZE - 1, frameon=True, framealpha=0.9, edgecolor=GRID)
    for text in drawn.get_texts():
        text.set_parse_math(False)


def encoded(figure: Figure, form: Form) -> bytes:
    """The figure as a file: the same bytes for the same figure, and no date in it."""
    from matplotlib import rc_context

    dateless = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[form]
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": "foveate", "pdf.fonttype": 42}):
        figure.savefig(file, format=form, dpi=DPI, metadata=dateless)
    return file.getvalue()
