"""Retina-like vessel trees, grown by space colonisation.

Runions, Lane and Prusinkiewicz, "Modeling Trees with a Space Colonization Algorithm", Eurographics Workshop
on Natural Phenomena 2007. Calibres: Murray, "The Physiological Principle of Minimum Work", PNAS 12, 1926.

Lengths are in radii of the field of view, whose centre is the origin; x runs from the disc to the temple,
y downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Indices = NDArray[np.int64]

STEP = 0.016
"""Length of one growth step."""
REACH = 1.06
"""How far from the centre attraction points lie: trees go on beyond the edge of the field of view."""
AVASCULAR = 0.11
"""Radius of the vessel-free zone around the fovea."""
MOST_STEPS = 90
"""Steps of one pass, by which every vessel has long arrived."""
LOOK_AHEAD = 0.05
"""A point pulls the node whose place this far ahead is nearest: vessels fork at acute angles."""
LEAST_COSINE = 0.0
"""A node sees only the points ahead of it, so that vessels don't turn back."""
DRIFT = 0.3
"""Weight of the tropism beside the pull."""
SHORTEST_TWIG = 5
"""Side branches with fewer nodes are cut: the leftovers of twigs that lost the race for their points."""
CAPILLARIES = 0.2
"""Flow lost to unseen capillaries in one step: vessels taper between their forks, too."""
TIP = 0.3
"""Flow that is left at the end of a twig."""


class Growth(NamedTuple):
    """One pass of the growth: first the large branches, then ever finer ones."""

    attractors: int
    influence: float
    kill: float
    spacing: float
    """Least distance between two forks."""


PASSES = (
    Growth(attractors=70, influence=0.50, kill=0.07, spacing=0.17),
    Growth(attractors=240, influence=0.25, kill=0.045, spacing=0.075),
    Growth(attractors=620, influence=0.15, kill=0.028, spacing=0.035),
)


@dataclass(frozen=True, slots=True)
class Eye:
    """Where the landmarks of one eye lie."""

    disc: Points
    fovea: Points


@dataclass(frozen=True, slots=True)
class Tree:
    """N nodes; a node's parent has the smaller index."""

    points: Points
    """N×2, x and y."""
    parent: Indices
    """N, -1 for a root."""
    radius: NDArray[np.float64]
    """N, 1 for the widest root."""


@dataclass(frozen=True, slots=True)
class _Shoots:
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


def grow(eye: Eye, rng: np.random.Generator, *, avoid: Points | None = None) -> Tree:
    """One vascular tree (arteries or veins) of `eye`; fine twigs keep off the points of `avoid` (N×2)."""
    shoots = _trunks(eye, rng)
    plenty = rng.uniform(0.6, 1.1)
    for growth in PASSES:
        attractors = _attractors(eye, int(plenty * growth.attractors), rng)
        if avoid is not None:
            attractors = attractors[_nearest(attractors, avoid)[1] > growth.kill]
        shoots = _colonise(eye, shoots, attractors, growth, rng)
    shoots = _prune(shoots)
    return Tree(_relax(shoots), shoots.parent, _murray_radius(shoots))


def _trunks(eye: Eye, rng: np.random.Generator) -> _Shoots:
    """The vessels that leave the disc: arcades with their large forks, and thin ones to the macula."""
    shoots = _Shoots(np.empty((0, 2)), np.empty(0, np.int64), np.empty((0, 2)), np.empty(0), np.empty(0))
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


def _plant(shoots: _Shoots, path: Points, *, supply: float, parent: int = -1) -> _Shoots:
    """`shoots` and a vessel along `path` (N×2), which starts at node `parent` or is a root."""
    first = len(shoots.points)
    supplies = np.zeros(len(path))
    supplies[-1] = supply
    return _Shoots(
        np.vstack([shoots.points, path]),
        np.concatenate([shoots.parent, [parent], first + np.arange(len(path) - 1)]),
        np.vstack([shoots.heading, _unit(np.gradient(path, axis=0))]),
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
    reach = float(_length(end - start))
    toward = _unit((end - start)[None])[0]
    leave = _unit((heading + 0.9 * toward)[None])[0]
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
    along = np.concatenate([[0], np.cumsum(_length(np.diff(curve, axis=0)))])
    stations = np.arange(0, along[-1], STEP)
    return np.column_stack([np.interp(stations, along, curve[:, 0]), np.interp(stations, along, curve[:, 1])])


def _tortuous(path: Points, rng: np.random.Generator) -> Points:
    """`path` (N×2) moved sideways by two slow waves that start at nothing."""
    along = np.arange(len(path)) * STEP
    aside: NDArray[np.float64] = sum(
        rng.uniform(0.3, 1.0) * size * np.sin(2 * np.pi * (along / length + rng.random()))
        for size, length in ((0.016, rng.uniform(0.45, 0.7)), (0.007, rng.uniform(0.12, 0.22)))
    )
    tangent = _unit(np.gradient(path, axis=0))
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    moved: Points = path + normal * (aside * np.minimum(along / 0.2, 1))[:, None]
    return moved


def _attractors(eye: Eye, count: int, rng: np.random.Generator) -> Points:
    """About `count` attraction points (N×2): even, denser around the macula, none in it or on the disc."""
    points = rng.uniform(-REACH, REACH, (4 * count, 2))
    from_fovea = _length(points - eye.fovea)
    density = 0.55 + 0.45 * np.exp(-((from_fovea / 0.45) ** 2))
    inside = (_length(points) < REACH) & (from_fovea > AVASCULAR)
    off_disc = _length(points - eye.disc) > 0.16
    return points[inside & off_disc & (rng.random(len(points)) < density)][:count]


def _colonise(eye: Eye, shoots: _Shoots, attractors: Points, growth: Growth, rng: np.random.Generator) -> _Shoots:
    """Grow towards the attraction points until each is reached or out of reach (Runions 2007, section 3)."""
    pull_from = shoots.points + LOOK_AHEAD * shoots.heading
    nearest, distance = _nearest(attractors, pull_from)
    gap = _nearest(attractors, shoots.points)[1]
    for _ in range(MOST_STEPS):
        alive = gap > growth.kill
        attractors, nearest, distance, gap = attractors[alive], nearest[alive], distance[alive], gap[alive]
        toward = _unit(attractors - shoots.points[nearest])
        ahead = (toward * shoots.heading[nearest]).sum(axis=1) > LEAST_COSINE
        pulled = (distance < growth.influence) & ahead
        pull = np.zeros_like(shoots.points)
        np.add.at(pull, nearest[pulled], toward[pulled])
        nodes = _may_grow(shoots, np.unique(nearest[pulled]), growth.spacing, rng)
        if not len(nodes):
            break
        drift = DRIFT * _flow_direction(eye, shoots.points[nodes])
        first = len(shoots.points)
        shoots = _extend(shoots, nodes, _unit(_unit(pull[nodes]) + drift), rng)
        points, heading = shoots.points[first:], shoots.heading[first:]
        gap = np.minimum(gap, _nearest(attractors, points)[1])
        newest, newest_distance = _nearest(attractors, points + LOOK_AHEAD * heading)
        nearest = np.where(newest_distance < distance, newest + first, nearest)
        distance = np.minimum(distance, newest_distance)
    return shoots


def _flow_direction(eye: Eye, points: Points) -> Points:
    """The tropism (N×2, unit) at `points`: away from the disc, and near the macula towards the fovea."""
    to_fovea = eye.fovea - points
    near = np.exp(-((_length(to_fovea) / 0.45) ** 2))
    return _unit(_unit(points - eye.disc) + 1.5 * near[:, None] * _unit(to_fovea))


def _may_grow(shoots: _Shoots, nodes: Indices, spacing: float, rng: np.random.Generator) -> Indices:
    """Those of `nodes` that are tips, or that may fork without crowding another fork."""
    children = np.bincount(shoots.parent[shoots.parent >= 0], minlength=len(shoots.points))
    allowed = list(nodes[children[nodes] == 0])
    forks = shoots.points[children > 1]
    for node in rng.permutation(nodes[children[nodes] == 1]):
        here = shoots.points[node]
        if not len(forks) or _length(forks - here).min() > spacing:
            allowed.append(node)
            forks = np.vstack([forks, here])
    return np.array(allowed, dtype=np.int64)


def _extend(shoots: _Shoots, nodes: Indices, pull: Points, rng: np.random.Generator) -> _Shoots:
    """One step from each of `nodes`: along the pull (N×2), but with inertia and a slow random bend."""
    bend = 0.85 * shoots.bend[nodes] + rng.normal(0, 0.10, len(nodes))
    heading = _unit(pull + 0.9 * shoots.heading[nodes])
    cos, sin = np.cos(bend), np.sin(bend)
    heading = np.column_stack([cos * heading[:, 0] - sin * heading[:, 1], sin * heading[:, 0] + cos * heading[:, 1]])
    return _Shoots(
        np.vstack([shoots.points, shoots.points[nodes] + STEP * heading]),
        np.concatenate([shoots.parent, nodes]),
        np.vstack([shoots.heading, heading]),
        np.concatenate([shoots.bend, bend]),
        np.concatenate([shoots.supply, np.zeros(len(nodes))]),
    )


def _prune(shoots: _Shoots) -> _Shoots:
    """Without side branches that are too short to be vessels."""
    parent = shoots.parent.tolist()
    height, tallest = [1] * len(parent), [-1] * len(parent)
    for node in range(len(parent) - 1, -1, -1):
        above = parent[node]
        if above >= 0 and height[node] + 1 > height[above]:
            height[above], tallest[above] = height[node] + 1, node
    keep = np.ones(len(parent), dtype=bool)
    for node, above in enumerate(parent):
        if above >= 0:
            keep[node] = keep[above] and (node == tallest[above] or height[node] >= SHORTEST_TWIG)
    index = np.cumsum(keep) - 1
    kept = shoots.parent[keep]
    return _Shoots(
        shoots.points[keep],
        np.where(kept < 0, -1, index[kept]),
        shoots.heading[keep],
        shoots.bend[keep],
        shoots.supply[keep],
    )


def _relax(shoots: _Shoots, *, rounds: int = 3) -> Points:
    """Node positions (N×2) drawn towards their neighbours, which rounds corners and narrows forks."""
    points, parent = shoots.points.copy(), shoots.parent
    inner = parent >= 0
    inner[np.setdiff1d(np.arange(len(parent)), parent)] = False
    for _ in range(rounds):
        total, count = np.zeros_like(points), np.zeros(len(points))
        np.add.at(total, parent[parent >= 0], points[parent >= 0])
        np.add.at(count, parent[parent >= 0], 1)
        below = total[inner] / count[inner][:, None]
        points[inner] = 0.5 * points[inner] + 0.25 * (points[parent[inner]] + below)
    return points


def _murray_radius(shoots: _Shoots) -> NDArray[np.float64]:
    """Radius (N) whose cube is the sum of the cubes below it plus what capillaries take on the way."""
    flow = np.full(len(shoots.parent), CAPILLARIES) + shoots.supply
    flow[np.setdiff1d(np.arange(len(flow)), shoots.parent)] += TIP
    for node in range(len(flow) - 1, -1, -1):
        if shoots.parent[node] >= 0:
            flow[shoots.parent[node]] += flow[node]
    radius: NDArray[np.float64] = np.cbrt(flow / flow.max())
    return radius


def _nearest(points: Points, nodes: Points) -> tuple[Indices, NDArray[np.float64]]:
    """For each of `points` (P×2) the index of the nearest of `nodes` (N×2) and the distance to it."""
    squared = (points[:, :1] - nodes[:, 0]) ** 2 + (points[:, 1:] - nodes[:, 1]) ** 2
    nearest = squared.argmin(axis=1)
    return nearest, np.sqrt(squared[np.arange(len(points)), nearest])


def _unit(vectors: Points) -> Points:
    """`vectors` (N×2) of length 1; a null vector stays one."""
    return vectors / np.maximum(_length(vectors), 1e-12)[:, None]


def _length(vectors: Points) -> NDArray[np.float64]:
    """Lengths of `vectors` (…×2)."""
    length: NDArray[np.float64] = np.hypot(vectors[..., 0], vectors[..., 1])
    return length
