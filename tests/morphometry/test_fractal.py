"""Fractal dimensions of what has a known one."""

from __future__ import annotations

import numpy as np
import pytest

from drawn import LINE, ROTATIONS, drawn, koch, placed
from foveate.morphometry.fractal import FractalDimensions, fractal_dimensions
from foveate.morphometry.trace import vessel_graph


def dimensions(points: np.ndarray) -> FractalDimensions:
    graph = vessel_graph(drawn([(points, 2.0)]))
    return fractal_dimensions([branch.points for branch in graph.branches.values()])


@pytest.mark.parametrize(("level", "scale"), [(4, 600.0), (5, 900.0), (5, 1300.0)])
def test_all_three_dimensions_of_kochs_curve_are_within_three_hundredths(level: int, scale: float) -> None:
    for angle in ROTATIONS[::3]:
        found = dimensions(placed(koch(level), scale, angle))
        assert [found.d0, found.d1, found.d2] == pytest.approx([np.log(4) / np.log(3)] * 3, abs=0.03)
        assert found.fit > 0.98


def test_a_straight_line_has_the_dimension_one() -> None:
    # Near its ends a radius finds less of the line.
    assert dimensions(placed(LINE, 700, 0.4)).d0 == pytest.approx(1, abs=0.05)


def test_what_is_too_small_has_none() -> None:
    assert np.isnan(fractal_dimensions([np.stack((np.arange(20.0), np.arange(20.0)), axis=1)]).d0)
    assert np.isnan(fractal_dimensions([]).d0)
