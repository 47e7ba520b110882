"""The landmarks of a drawn eye and its vessel trunks: arcades and other vessels that leave the optic disc.

Lengths are in radii of the field of view, whose centre is the origin; x runs from the disc to the temple,
y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

STEP = 0.016
"""Length of one growth step."""
REACH = 1.06
"""How far from the centre attraction points lie: trees go on beyond the edge of the field of view."""


@dataclass(frozen=True, slots=True)
class Eye:
    """Where the landmarks of one eye lie."""

    disc: Points
    fovea: Points


@dataclass(frozen=True, slots=True)
class Shoots:
    """A tree while it grows."""

    points: Points
    parent: Indices
    heading: Points
    """N×2, unit vector of the last step."""
    bend: NDArray[np.float64]
    """N, radians by which the next step turns aside: a slowly changing angle makes vessels tortuous."""
    supply: NDArray[np.float64]
    """N, the flow that leaves at this node for parts that are not drawn."""


def draw_eye(rng: np.random.Generator) -> Eye:
    """An eye whose macula lies near the centre of the photograph, with the disc a little above it."""
    fovea = np.array([rng.uniform(-0.04, 0.08), rng.uniform(-0.05, 0.07)])
    disc = fovea + np.array([-rng.uniform(0.70, 0.80), -rng.uniform(0.02, 0.11)])
    return Eye(disc, fovea)


def trunks(eye: Eye, rng: np.random.Generator) -> Shoots:
    """The vessels that leave the disc: arcades with their large forks, and thin ones to the macula."""
    shoots = Shoots(np.empty((0, 2)), np.empty(0, np.int64), np.empty((0, 2)), np.empty(0), np.empty(0))
    for side in (-1.0, 1.0):
        arcade = _temporal_arcade(eye, side, rng)
        first = len(shoots.points)
        shoots = _plant(shoots, arcade, supply=4.0)
        for low, high, end, supply in _fork_plan(eye, side, rng):
            station = int(rng.uniform(low, high) * len(arcade))
            path = _fork(arcade[station], shoots.heading[first + station], end, rng)
            shoots = _plant(shoots, path, supply=supply, parent=first + station)
        for angle in rng.uniform((0.12, 0.42), (0.30, 0.60)) * np.pi:
            shoots = _plant(shoots, _nasal_arcade(eye, side, angle, rng), supply=2.0)
        if rng.random() < 0.7:
            shoots = _plant(shoots, _macular_path(eye, side, rng), supply=0.0)
    return shoots


def _plant(shoots: Shoots, path: Points, *, supply: float, parent: int = -1) -> Shoots:
    """`shoots` and a vessel along `path` (N×2), which starts at node `parent` or is a root."""
    first = len(shoots.points)
    supplies = np.zeros(len(path))
    supplies[-1] = supply
    return Shoots(
        np.vstack([shoots.points, path]),
        np.concatenate([shoots.parent, [parent], first + np.arange(len(path) - 1)]),
        np.vstack([shoots.heading, unit(np.gradient(path, axis=0))]),
        np.concatenate([shoots.bend, np.zeros(len(path))]),
        np.concatenate([shoots.supply, supplies]),
    )


def _fork_plan(
    eye: Eye, side: float, rng: np.random.Generator
) -> list[tuple[float, float, NDArray[np.float64], float]]:
    """The large forks of a temporal arcade: from and to which part of it, where they end, their supply."""
    early, late = rng.uniform(0.56, 0.70) * np.pi, rng.uniform(0.30, 0.46) * np.pi
    inner = eye.fovea + np.array([rng.uniform(0.35, 0.95), side * rng.uniform(0.10, 0.32)])
    plan = [
        (0.10, 0.24, REACH * np.array([np.cos(early), side * np.sin(early)]), 3.0),
        (0.32, 0.55, REACH * np.array([np.cos(late), side * np.sin(late)]), 4.0),
        (0.25, 0.50, inner, 1.0),
    ]
    return [fork for fork in plan if rng.random() < 0.85]


def _fork(start: Points, heading: Points, end: Points, rng: np.random.Generator) -> Points:
    """A vessel that leaves another one at `start`, at first along its `heading`, and arches to `end`."""
    reach = float(length_of(end - start))
    toward = unit((end - start)[None])[0]
    leave = unit((heading + 0.9 * toward)[None])[0]
    controls = np.array([start, start + 0.33 * reach * leave, start + (0.66 * reach) * toward, end])
    return _tortuous(_bezier(controls), rng)[1:]


def _temporal_arcade(eye: Eye, side: float, rng: np.random.Generator) -> Points:
    """The arch above (side -1) or below (side 1) the macula, out of the picture at the temple."""
    height = rng.uniform(0.52, 0.72)
    start = eye.disc + rng.normal((-0.025, 0), 0.012)
    controls = np.array(
        [
            start,
            start + np.array([rng.uniform(-0.02, 0.12), side * height * rng.uniform(0.60, 0.85)]),
            [rng.uniform(-0.40, -0.10), eye.fovea[1] + side * height * rng.uniform(1.10, 1.25)],
            [rng.uniform(0.75, 1.00), eye.fovea[1] + side * rng.uniform(0.35, 0.75)],
        ]
    )
    return _tortuous(_bezier(controls), rng)


def _nasal_arcade(eye: Eye, side: float, angle: float, rng: np.random.Generator) -> Points:
    """A shorter vessel from the disc towards the nose, `angle` radians up or down (by `side`)."""
    start = eye.disc + rng.normal((-0.03, 0), 0.012)
    aside = np.array([-np.cos(angle), side * np.sin(angle)])
    controls = np.array([start, start + np.array([0, 0.10 * side]), start + 0.25 * aside, start + 0.60 * aside])
    return _tortuous(_bezier(controls), rng)


def _macular_path(eye: Eye, side: float, rng: np.random.Generator) -> Points:
    """A thin vessel from the disc's temporal rim towards the fovea, ending before its vessel-free zone."""
    start = eye.disc + np.array([-0.02, side * rng.uniform(0.0, 0.03)])
    end = eye.fovea + np.array([-rng.uniform(0.16, 0.30), side * rng.uniform(0.04, 0.16)])
    sag = np.array([0.0, side * rng.uniform(0.04, 0.12)])
    controls = np.array([start, start + (end - start) / 3 + sag, start + (end - start) * 2 / 3 + sag, end])
    return _tortuous(_bezier(controls), rng)


def _bezier(controls: Points) -> Points:
    """A cubic Bézier curve from its 4×2 control points, sampled every STEP."""
    t = np.linspace(0, 1, 400)[:, None]
    a, b, c, d = controls
    curve = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
    along = np.concatenate([[0], np.cumsum(length_of(np.diff(curve, axis=0)))])
    stations = np.arange(0, along[-1], STEP)
    return np.column_stack([np.interp(stations, along, curve[:, 0]), np.interp(stations, along, curve[:, 1])])


def _tortuous(path: Points, rng: np.random.Generator) -> Points:
    """`path` (N×2) moved sideways by two slow waves that start at nothing."""
    along = np.arange(len(path)) * STEP
    aside: NDArray[np.float64] = sum(
        rng.uniform(0.3, 1.0) * size * np.sin(2 * np.pi * (along / length + rng.random()))
        for size, length in ((0.016, rng.uniform(0.45, 0.7)), (0.007, rng.uniform(0.12, 0.22)))
    )
    tangent = unit(np.gradient(path, axis=0))
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    moved: Points = path + normal * (aside * np.minimum(along / 0.2, 1))[:, None]
    return moved


def unit(vectors: Points) -> Points:
    """`vectors` (N×2) of length 1; a null vector stays one."""
    return vectors / np.maximum(length_of(vectors), 1e-12)[:, None]


def length_of(vectors: Points) -> NDArray[np.float64]:
    """Lengths of `vectors` (…×2)."""
    lengths: NDArray[np.float64] = np.hypot(vectors[..., 0], vectors[..., 1])
    return lengths
