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

from foveate.drawn.trunks import REACH, STEP, Eye, Indices, Points, Shoots, length_of, trunks, unit

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
class Tree:
    """N nodes; a node's parent has the smaller index."""

    points: Points
    """N×2, x and y."""
    parent: Indices
    """N, -1 for a root."""
    radius: NDArray[np.float64]
    """N, 1 for the widest root."""


def grow(eye: Eye, rng: np.random.Generator, *, avoid: Points | None = None) -> Tree:
    """One vascular tree (arteries or veins) of `eye`; fine twigs keep off the points of `avoid` (N×2)."""
    shoots = trunks(eye, rng)
    plenty = rng.uniform(0.6, 1.1)
    for growth in PASSES:
        attractors = _attractors(eye, int(plenty * growth.attractors), rng)
        if avoid is not None:
            attractors = attractors[_nearest(attractors, avoid)[1] > growth.kill]
        shoots = _colonise(eye, shoots, attractors, growth, rng)
    shoots = _prune(shoots)
    return Tree(_relax(shoots), shoots.parent, _murray_radius(shoots))


def _attractors(eye: Eye, count: int, rng: np.random.Generator) -> Points:
    """About `count` attraction points (N×2): even, denser around the macula, none in it or on the disc."""
    points = rng.uniform(-REACH, REACH, (4 * count, 2))
    from_fovea = length_of(points - eye.fovea)
    density = 0.55 + 0.45 * np.exp(-((from_fovea / 0.45) ** 2))
    inside = (length_of(points) < REACH) & (from_fovea > AVASCULAR)
    off_disc = length_of(points - eye.disc) > 0.16
    return points[inside & off_disc & (rng.random(len(points)) < density)][:count]


def _colonise(eye: Eye, shoots: Shoots, attractors: Points, growth: Growth, rng: np.random.Generator) -> Shoots:
    """Grow towards the attraction points until each is reached or out of reach (Runions 2007, section 3)."""
    pull_from = shoots.points + LOOK_AHEAD * shoots.heading
    nearest, distance = _nearest(attractors, pull_from)
    gap = _nearest(attractors, shoots.points)[1]
    for _ in range(MOST_STEPS):
        alive = gap > growth.kill
        attractors, nearest, distance, gap = attractors[alive], nearest[alive], distance[alive], gap[alive]
        toward = unit(attractors - shoots.points[nearest])
        ahead = (toward * shoots.heading[nearest]).sum(axis=1) > LEAST_COSINE
        pulled = (distance < growth.influence) & ahead
        pull = np.zeros_like(shoots.points)
        np.add.at(pull, nearest[pulled], toward[pulled])
        nodes = _may_grow(shoots, np.unique(nearest[pulled]), growth.spacing, rng)
        if not len(nodes):
            break
        drift = DRIFT * _flow_direction(eye, shoots.points[nodes])
        first = len(shoots.points)
        shoots = _extend(shoots, nodes, unit(unit(pull[nodes]) + drift), rng)
        # Only what grew just now can be nearer than before: distances are updated, not computed anew.
        points, heading = shoots.points[first:], shoots.heading[first:]
        gap = np.minimum(gap, _nearest(attractors, points)[1])
        newest, newest_distance = _nearest(attractors, points + LOOK_AHEAD * heading)
        nearest = np.where(newest_distance < distance, newest + first, nearest)
        distance = np.minimum(distance, newest_distance)
    return shoots


def _flow_direction(eye: Eye, points: Points) -> Points:
    """The tropism (N×2, unit) at `points`: away from the disc, and near the macula towards the fovea."""
    to_fovea = eye.fovea - points
    near = np.exp(-((length_of(to_fovea) / 0.45) ** 2))
    return unit(unit(points - eye.disc) + 1.5 * near[:, None] * unit(to_fovea))


def _may_grow(shoots: Shoots, nodes: Indices, spacing: float, rng: np.random.Generator) -> Indices:
    """Those of `nodes` that are tips, or that may fork without crowding another fork."""
    children = np.bincount(shoots.parent[shoots.parent >= 0], minlength=len(shoots.points))
    allowed = list(nodes[children[nodes] == 0])
    forks = shoots.points[children > 1]
    for node in rng.permutation(nodes[children[nodes] == 1]):
        here = shoots.points[node]
        if not len(forks) or length_of(forks - here).min() > spacing:
            allowed.append(node)
            forks = np.vstack([forks, here])
    return np.array(allowed, dtype=np.int64)


def _extend(shoots: Shoots, nodes: Indices, pull: Points, rng: np.random.Generator) -> Shoots:
    """One step from each of `nodes`: along the pull (N×2), but with inertia and a slow random bend."""
    bend = 0.85 * shoots.bend[nodes] + rng.normal(0, 0.10, len(nodes))
    heading = unit(pull + 0.9 * shoots.heading[nodes])
    cos, sin = np.cos(bend), np.sin(bend)
    heading = np.column_stack([cos * heading[:, 0] - sin * heading[:, 1], sin * heading[:, 0] + cos * heading[:, 1]])
    return Shoots(
        np.vstack([shoots.points, shoots.points[nodes] + STEP * heading]),
        np.concatenate([shoots.parent, nodes]),
        np.vstack([shoots.heading, heading]),
        np.concatenate([shoots.bend, bend]),
        np.concatenate([shoots.supply, np.zeros(len(nodes))]),
    )


def _prune(shoots: Shoots) -> Shoots:
    """Without side branches that are too short to be vessels."""
    parent = shoots.parent.tolist()
    # Parents come before their children, so that one way back gives the heights, and one way forth what is kept.
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
    return Shoots(
        shoots.points[keep],
        np.where(kept < 0, -1, index[kept]),
        shoots.heading[keep],
        shoots.bend[keep],
        shoots.supply[keep],
    )


def _relax(shoots: Shoots, *, rounds: int = 3) -> Points:
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


def _murray_radius(shoots: Shoots) -> NDArray[np.float64]:
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
