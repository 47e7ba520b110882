"""The vessels of drawn eyes, whose trees are known: each tree by itself, and both in one mask.

What trees alone don't say is where two vessels touch. They enclose a hole of the background then, so a labelling of
that counts the crossings. On the disc all trunks of a tree begin in one place, and nothing is counted there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from foveate.drawn.fundus import ARTERY_RADIUS, VEIN_RADIUS, _look
from foveate.drawn.painting import View, paint
from foveate.drawn.tree import Tree, grow
from foveate.drawn.trunks import draw_eye
from foveate.morphometry.trace import PINHOLE
from foveate.morphometry.vessels import measure_vessels
from foveate.records import Mask

Points = NDArray[np.float64]

DISC = 0.16
"""Radii of the field of view around the disc's centre."""

CLEAR = 2.0
"""Pixels that a tip must stand out of the other tree's vessels, to be seen."""


@dataclass(frozen=True, slots=True)
class DrawnTree:
    """One tree on the pixel grid; points are x and y."""

    tree: Tree
    points: Points
    radii: NDArray[np.float64]
    mask: Mask
    seen: NDArray[np.bool_]
    """Which of the points lie in the field of view."""

    @property
    def child(self) -> NDArray[np.intp]:
        """The nodes that are seen with their parents."""
        child = np.flatnonzero(self.tree.parent >= 0)
        return child[self.seen[child] & self.seen[self.tree.parent[child]]]

    @property
    def forks(self) -> Points:
        return self.points[np.bincount(self.tree.parent[self.child], minlength=len(self.points)) >= 2]

    def tips(self, others: list[DrawnTree]) -> Points:
        """Those that stand clear of the other trees."""
        parents = self.tree.parent[self.tree.parent >= 0]
        tip = np.flatnonzero(self.seen & (np.bincount(parents, minlength=len(self.points)) == 0))
        for other in others:
            along, radii = other.dense()
            near = cKDTree(along).query_ball_point(self.points[tip], 60)
            gaps = [
                np.min(np.hypot(*(along[each] - point).T) - radii[each], initial=np.inf)
                for point, each in zip(self.points[tip], near, strict=True)
            ]
            tip = tip[np.array(gaps) - self.radii[tip] > CLEAR]
        return self.points[tip]

    def dense(self) -> tuple[Points, NDArray[np.float64]]:
        """Points along its branches, and their radii."""
        child = np.flatnonzero(self.tree.parent >= 0)
        share = np.linspace(0, 1, 9)[1:, None, None]
        along = self.points[self.tree.parent[child]] * (1 - share) + self.points[child] * share
        return along.reshape(-1, 2), np.tile(self.radii[child], len(share))


def drawn_trees(seed: int, height: int, width: int) -> tuple[list[DrawnTree], Mask, Points, float]:
    """Arteries and veins of an eye, its field of view, the disc's centre and radius."""
    rng = np.random.default_rng(seed)
    eye = draw_eye(rng)
    artery = grow(eye, rng)
    vein = grow(eye, rng, avoid=artery.points)
    view = _look(height, width, rng)
    inside = np.minimum(1 - np.hypot(view.x, view.y), view.cut - np.abs(view.y))
    fov = np.asarray(inside >= 0)
    trees = [on_grid(artery, ARTERY_RADIUS, view, fov), on_grid(vein, VEIN_RADIUS, view, fov)]
    return trees, fov, placed(eye.disc, view), DISC * view.scale


def placed(points: Points, view: View) -> Points:
    on_pixels: Points = points * [view.to_temple * view.scale, view.scale] + np.array(view.centre)
    return on_pixels


def on_grid(tree: Tree, widest: float, view: View, fov: Mask) -> DrawnTree:
    points = placed(tree.points, view)
    column, row = np.clip(np.rint(points), 0, np.array(fov.shape)[::-1] - 1).astype(int).T
    seen = fov[row, column] & (np.abs(points - np.stack((column, row), axis=1)) <= 1).all(axis=1)
    mask = (paint(tree, widest, view).coverage >= 0.5) & fov
    return DrawnTree(tree, points, tree.radius * widest * view.scale, mask, seen)


def counts(seed: int, height: int, width: int, kinds: list[int]) -> NDArray[np.float64]:
    """Forks, crossings and ends off the disc, as measured and as they are, of these of the two trees in one mask."""
    both, fov, disc, radius = drawn_trees(seed, height, width)
    trees = [both[kind] for kind in kinds]

    def off_disc(points: Points) -> int:
        return int(np.count_nonzero(np.hypot(*(points.reshape(-1, 2) - disc).T) > radius))

    mask = np.logical_or.reduce([tree.mask for tree in trees])
    found = measure_vessels(mask, fov)
    places = ([found.graph.positions[node] for node in found.junctions.forks], found.junctions.crossings)
    ends = [found.graph.positions[node] for node in found.ends]
    measured = [off_disc(np.array(each, np.float64).reshape(-1, 2)[:, ::-1]) for each in (*places, ends)]
    return np.array(
        [
            measured,
            [
                sum(off_disc(tree.forks) for tree in trees),
                off_disc(holes(mask)),
                sum(off_disc(tree.tips([other for other in trees if other is not tree])) for tree in trees),
            ],
        ]
    )


def holes(mask: Mask) -> Points:
    """The middles of the parts of the background that vessels enclose."""
    parts, _ = ndimage.label(~mask)
    sizes = np.bincount(parts.ravel())
    enclosed = [part for part in range(1, len(sizes)) if sizes[part] > PINHOLE and part != parts[0, 0]]
    return np.array(ndimage.center_of_mass(~mask, parts, enclosed)).reshape(-1, 2)[:, ::-1]


@pytest.mark.parametrize("kind", [0, 1], ids=["arteries", "veins"])
@pytest.mark.parametrize(("height", "width", "eyes"), [(584, 565, 4), (1240, 1200, 2)])
def test_forks_and_ends_of_one_tree_are_within_five_percent(kind: int, height: int, width: int, eyes: int) -> None:
    measured, true = np.sum([counts(seed, height, width, [kind]) for seed in range(eyes)], axis=0)
    assert measured[0] == pytest.approx(true[0], rel=0.05)
    assert measured[2] == pytest.approx(true[2], rel=0.05)
    assert measured[1] <= true[1] + eyes


@pytest.mark.parametrize(("height", "width", "eyes"), [(584, 565, 4), (1240, 1200, 2)])
def test_junctions_and_ends_of_whole_eyes_are_within_five_percent(height: int, width: int, eyes: int) -> None:
    measured, true = np.sum([counts(seed, height, width, [0, 1]) for seed in range(eyes)], axis=0)
    assert measured[:2].sum() == pytest.approx(true[:2].sum(), rel=0.05)
    assert measured[[0, 2]] == pytest.approx(true[[0, 2]], rel=0.05)
    # Where the finest vessels are a pixel wide, some that cross can't be seen to go on.
    assert measured[1] == pytest.approx(true[1], rel=0.15)


def test_length_and_calibre_of_the_arteries_are_within_five_percent() -> None:
    lengths = np.zeros((2, 2))
    for seed in range(2):
        (arteries, _), fov, _, _ = drawn_trees(seed, 1240, 1200)
        values = measure_vessels(arteries.mask, fov).values
        child = arteries.child
        steps = np.hypot(*(arteries.points[child] - arteries.points[arteries.tree.parent[child]]).T)
        lengths += [
            [values["length"], values["calibre_mean"] * values["length"]],
            [steps.sum(), (2 * arteries.radii[child] * steps).sum()],
        ]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.05)
