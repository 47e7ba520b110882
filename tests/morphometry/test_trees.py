"""Trees of known branches: junctions, ends, angles, calibres."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage  # type: ignore[import-untyped]

from drawn import ROTATIONS, binary_tree, drawn
from foveate.morphometry.trace import PINHOLE, without_pinholes, without_specks
from foveate.morphometry.vessels import VesselMeasures, measure_vessels


def measured(scale: float, angle: float, levels: int = 4, spread: float = 0.5) -> VesselMeasures:
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = scale * np.array([[cosine, -sine], [sine, cosine]])
    lines = [(points @ turn, scale * width) for points, width in binary_tree(levels, spread)]
    least = np.min([points.min(axis=0) for points, _ in lines], axis=0)
    mask = drawn([(points - least + 20.3, width) for points, width in lines])
    return measure_vessels(mask, np.ones_like(mask))


@pytest.mark.parametrize("scale", [60.0, 100.0, 160.0])
def test_junctions_and_ends_of_a_clean_tree_are_exact_in_every_direction(scale: float) -> None:
    for angle in ROTATIONS:
        values = measured(scale, angle).values
        assert (values["bifurcations"], values["crossings"], values["ends"]) == (7, 0, 9)
        assert (values["segments"], values["components"]) == (15, 1)


@pytest.mark.parametrize("spread", [0.4, 0.6])
def test_branching_angles_are_within_five_degrees(spread: float) -> None:
    for angle in ROTATIONS[::3]:
        found = measured(160, angle, levels=3, spread=spread).values["branching_angle"]
        assert found == pytest.approx(np.degrees(2 * spread), abs=5)


def test_murrays_exponent_and_the_asymmetry_are_those_of_the_drawn_calibres() -> None:
    values = measured(240, 0.4, levels=3).values
    assert values["murray_exponent"] == pytest.approx(np.log(0.5) / np.log(0.8), abs=0.3)
    assert values["asymmetry"] == pytest.approx(1, abs=0.05)


def test_two_vessels_that_cross_are_a_crossing_and_no_pair_of_bifurcations() -> None:
    lines = [(np.array([[30.0, 30.0], [230.0, 210.0]]), 7.0), (np.array([[220.0, 40.0], [40.0, 200.0]]), 6.0)]
    values = measure_vessels(mask := drawn(lines), np.ones_like(mask)).values
    assert (values["bifurcations"], values["crossings"], values["ends"]) == (0, 1, 4)


@pytest.mark.parametrize("degrees", [12, 25, 45])
@pytest.mark.parametrize("turn", [0.05, 0.8, 1.7])
def test_two_vessels_that_run_as_one_for_a_while_cross_once(degrees: float, turn: float) -> None:
    half = np.deg2rad(degrees) / 2
    ways = np.array([[-np.cos(half), -np.sin(half)], [-np.cos(half), np.sin(half)]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    lines = [(np.array([way, -way]) * 200 @ rotation + 250, 7.0) for way in ways]
    values = measure_vessels(mask := drawn(lines), np.ones_like(mask)).values
    assert (values["bifurcations"], values["crossings"], values["ends"]) == (0, 1, 4)
    assert np.isnan(values["branching_angle"])


def test_a_vessel_that_forks_twice_in_a_row_crosses_nothing() -> None:
    ways = [[[40, 250], [400, 250]], [[400, 250], [440, 250]], [[400, 250], [520, 180]], [[440, 250], [560, 320]]]
    lines = [(np.array(way, np.float64), 7.0) for way in [*ways, [[440, 250], [580, 230]]]]
    values = measure_vessels(mask := drawn(lines), np.ones_like(mask)).values
    assert (values["bifurcations"], values["crossings"], values["ends"]) == (2, 0, 4)


def test_a_vessel_that_the_field_of_view_cuts_does_not_end_there() -> None:
    mask = drawn([(np.array([[40.0, 30.0], [40.0, 230.0]]), 6.0)])
    fov = np.ones_like(mask)
    fov[:, 150:] = False
    assert measure_vessels(mask, fov).values["ends"] == 1


def test_an_empty_mask_has_counts_of_zero_and_nothing_else() -> None:
    mask = np.zeros((60, 80), bool)
    values = measure_vessels(mask, ~mask).values
    counts = ("length", "length_density", "area_density", "segments", "bifurcations", "crossings", "ends", "components")
    assert {name: values[name] for name in counts} == dict.fromkeys(counts, 0)
    assert all(np.isnan(value) for name, value in values.items() if name not in counts)


def test_a_loop_at_a_crossing_is_no_bifurcation() -> None:
    """Four arms, of which two are the ends of one vessel that comes back."""
    course = np.array([[20, 100], [60, 140], [100, 180], [140, 140], [100, 100], [60, 140], [20, 180]], np.float64)
    lines = [(course, 5.0)]
    values = measure_vessels(mask := drawn(lines), np.ones_like(mask)).values
    assert (values["bifurcations"], values["crossings"], values["segments"]) == (0, 1, 3)
    assert np.isnan(values["branching_angle"])


@pytest.mark.parametrize("smooth", [0.5, 1.0, 3.0])
def test_specks_and_pinholes_are_the_parts_that_a_labelling_of_all_pixels_finds(smooth: float) -> None:
    mask = ndimage.gaussian_filter(np.random.default_rng(4).normal(size=(83, 120)), smooth) > 0.2 / smooth
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    kept = np.bincount(parts.ravel(), minlength=count + 1)[1:] >= 30
    without, left = without_specks(mask, 30)
    assert left == kept.sum()
    assert np.array_equal(without, np.concatenate(([False], kept))[parts])
    holes, count = ndimage.label(~mask)
    small = np.bincount(holes.ravel(), minlength=count + 1) <= PINHOLE
    assert np.array_equal(without_pinholes(mask), mask | (small & (np.arange(count + 1) > 0))[holes])


def test_a_deep_tree_needs_no_recursion() -> None:
    """A comb of 1500 teeth: more nodes in a row than Python's stack has frames."""
    mask = np.zeros((40, 12020), bool)
    mask[20:23, 5:-5] = True
    mask[4:20, 10:-10:8] = True
    assert measure_vessels(mask, np.ones_like(mask)).values["bifurcations"] == pytest.approx(1500, abs=5)
