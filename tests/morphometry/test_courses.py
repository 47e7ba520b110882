"""Arc, chord, curvature and calibre of lines of known course, at ten rotations and three scales."""

from __future__ import annotations

import numpy as np
import pytest

from drawn import ARC, LINE, ROTATIONS, SCALES, SINE, SPIRAL, Points, drawn, koch, length, only_segment, placed

COURSES = {"line": LINE, "sine": SINE, "arc": ARC, "spiral": SPIRAL}

every_course = pytest.mark.parametrize("course", COURSES)
every_scale = pytest.mark.parametrize("scale", SCALES)


def mean_curvature(points: Points) -> float:
    """Of a curve by its turning from piece to piece: |turn| over length."""
    heading = np.unwrap(np.arctan2(*np.diff(points, axis=0).T))
    inner = slice(2, -2)
    return float(np.abs(np.diff(heading))[inner].sum() / length(points[2:-2]))


@every_scale
@every_course
def test_arc_over_chord_is_within_three_percent_in_every_direction(course: str, scale: float) -> None:
    for angle in ROTATIONS:
        points = placed(COURSES[course], scale, angle)
        found = only_segment(drawn([(points, 5.0)])).line
        chord = float(np.hypot(*(points[-1] - points[0])))
        assert found.arc / found.chord == pytest.approx(length(points) / chord, rel=0.03)


def test_no_way_is_shorter_than_its_chord() -> None:
    for angle in ROTATIONS:
        found = only_segment(drawn([(placed(LINE, 60, angle), 4.0)])).line
        assert found.arc >= found.chord


@pytest.mark.parametrize("scale", [300.0, 600.0, 900.0])
def test_arc_over_chord_of_kochs_curve_is_within_six_percent(scale: float) -> None:
    for angle in ROTATIONS[::3]:
        found = only_segment(drawn([(placed(koch(2), scale, angle), 3.0)])).line
        assert found.arc / found.chord == pytest.approx((4 / 3) ** 2, rel=0.06)


@every_scale
@pytest.mark.parametrize("course", ["sine", "arc", "spiral"])
def test_curvature_is_within_ten_percent_in_every_direction(course: str, scale: float) -> None:
    for angle in ROTATIONS:
        points = placed(COURSES[course], scale, angle)
        curvature = only_segment(drawn([(points, 5.0)])).line.curvature[5:-5]
        assert np.abs(curvature).mean() == pytest.approx(mean_curvature(points), rel=0.1)


@every_scale
@pytest.mark.parametrize("width", [2.0, 3.0, 5.5, 9.0])
def test_calibre_is_within_three_percent_and_in_no_direction_worse_than_five(width: float, scale: float) -> None:
    means = []
    for angle in ROTATIONS:
        points = placed(LINE, scale, angle)
        # What the pixels' centres cover of a line of this width at this slope, counted along its whole length.
        mask = drawn([(points, width)])
        means.append(only_segment(mask).calibre / width)
    assert np.mean(means) == pytest.approx(1, abs=0.03)
    assert np.abs(np.array(means) - 1).max() <= 0.05


@pytest.mark.parametrize("course", ["sine", "arc", "spiral"])
def test_a_bent_vessel_is_as_wide_as_a_straight_one(course: str) -> None:
    for angle in ROTATIONS:
        found = only_segment(drawn([(placed(COURSES[course], 300, angle), 7.0)]))
        assert found.calibre == pytest.approx(7, rel=0.03)


def test_a_thin_vessels_calibre_is_unknown_where_its_smooth_line_leaves_the_mask_and_never_zero() -> None:
    for angle in ROTATIONS:
        calibres = only_segment(drawn([(placed(SINE, 200.0, angle), 1.2)])).calibres
        known = calibres[np.isfinite(calibres)]
        assert len(known) > 0.5 * len(calibres)
        assert known.min() > 0


def test_a_closed_circle_has_its_circumference_and_neither_junction_nor_end() -> None:
    turns = np.linspace(0, 2 * np.pi, 181)
    points = placed(np.stack((np.sin(turns), np.cos(turns)), axis=1), 80, 0.0)
    found = only_segment(drawn([(points, 5.0)]))
    assert found.start == found.end
    assert found.line.arc == pytest.approx(2 * np.pi * 80, rel=0.02)
    assert np.isnan(found.tortuosity.arc_chord)


def test_total_and_squared_curvature_of_an_arc_are_its_angle_and_angle_over_radius() -> None:
    radius, angle = 150.0, 0.75 * np.pi
    found = only_segment(drawn([(placed(ARC, 2 * radius, 0.3), 5.0)]))
    share = np.isfinite(found.calibres).mean()  # the discs of both ends are left out
    assert found.tortuosity.total_curvature == pytest.approx(angle * share, rel=0.05)
    assert found.tortuosity.squared_curvature == pytest.approx(angle * share / radius, rel=0.1)
    assert found.tortuosity.tau4 == pytest.approx(1 / radius, rel=0.05)
    assert found.tortuosity.tau5 == pytest.approx(1 / radius**2, rel=0.1)
    assert found.tortuosity.density == 0


def test_the_density_of_a_wave_is_grisans_sum_over_its_half_waves() -> None:
    points = placed(SINE, 400, 0.2)
    halves = [points[start : start + 31] for start in range(0, 120, 30)]
    excess = sum(length(half) / float(np.hypot(*(half[-1] - half[0]))) - 1 for half in halves)
    found = only_segment(drawn([(points, 5.0)]))
    assert found.tortuosity.density == pytest.approx(3 / 4 * excess / length(points), rel=0.1)
