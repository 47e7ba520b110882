"""What curves.png shows, read off its axes."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from foveate.training.run.curves import curves
from foveate.training.run.progress import EpochRow

Number = Callable[[int], float]


def rows(loss: Number, f1: Number, rate: Number, epochs: int = 12) -> list[EpochRow]:
    return [
        EpochRow(n, loss(n), 1.1 * loss(n), {"a": {"x": f1(n)}}, (0.5,), rate(n), n == 1, 10.0, 1.0)
        for n in range(1, epochs + 1)
    ]


COURSES = {
    "warm-up from 0": rows(lambda n: 1 / n, lambda n: 0.5 + n / 100, lambda n: 1e-3 * (1 - n / 12.2) * (n > 2)),
    "to 0 at the end": rows(lambda n: 1 / n, lambda n: 0.5 + n / 100, lambda n: 1e-3 * 0.5**n * (n < 12)),
    "nearly level": rows(lambda n: 1 + n * 1e-7, lambda n: 0.81234 + n * 1e-6, lambda n: 6e-4 - n * 1e-7),
    "large losses": rows(lambda n: 12345678.0 / n, lambda n: n / 100, lambda _: 1e-3),
    "nothing moves": rows(lambda _: 0.0, lambda _: 0.0, lambda _: 0.0, epochs=1),
}


@pytest.mark.parametrize("course", COURSES)
def test_every_word_lies_inside_the_picture_and_no_number_is_to_be_added_to_an_axis(course: str) -> None:
    figure = curves(COURSES[course])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    for axes in figure.axes:
        box = axes.get_tightbbox(canvas.get_renderer())  # type: ignore[no-untyped-call]
        assert box is not None
        assert figure.bbox.x0 <= box.x0, axes.get_ylabel()
        assert box.x1 <= figure.bbox.x1, axes.get_ylabel()
        assert figure.bbox.y0 <= box.y0, axes.get_ylabel()
        assert box.y1 <= figure.bbox.y1, axes.get_ylabel()
    assert [axes.yaxis.get_offset_text().get_text() for axes in figure.axes] == [""] * 3
    for axes in figure.axes:
        for place, label in zip(axes.get_yticks(), axes.get_yticklabels(), strict=True):
            assert float(label.get_text().replace("\N{MINUS SIGN}", "-")) == pytest.approx(place, rel=1e-5, abs=1e-12)


@pytest.mark.parametrize("course", COURSES)
def test_every_point_of_every_curve_is_in_sight(course: str) -> None:
    figure = curves(COURSES[course])
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    for axes in figure.axes:
        low, high = axes.get_ylim()
        for line in axes.lines:
            if line.get_marker() == ".":
                values = np.asarray(line.get_ydata(), np.float64)
                assert (low < values).all(), axes.get_ylabel()
                assert (values < high).all(), axes.get_ylabel()


def test_a_rate_of_0_stands_at_the_0_of_its_axis_below_the_powers_of_ten() -> None:
    (*_, axes) = curves(COURSES["warm-up from 0"]).axes
    (line,) = axes.lines
    places = axes.transData.transform(np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())]))
    ticks = dict(
        zip(axes.get_yticks(), (axes.transData.transform((1, tick))[1] for tick in axes.get_yticks()), strict=True)
    )
    assert places[:2, 1] == pytest.approx([ticks[0]] * 2)
    heights = [ticks[tick] for tick in sorted(ticks)]
    assert heights == sorted(set(heights))
    assert all(tick == 0 or np.log10(tick) == pytest.approx(round(np.log10(tick))) for tick in ticks)


def test_an_f1_that_hardly_moves_is_not_drawn_as_a_rise() -> None:
    axes = curves(COURSES["nearly level"]).axes[1]
    low, high = axes.get_ylim()
    assert high - low > 100 * 12e-6
