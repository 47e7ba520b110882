"""Drawn fundus photographs whose vessel mask is known exactly: for demonstrations, tests and dry runs.

The vessels come from `tree`; light crosses them by the Beer-Lambert law, so that contrast follows from
calibre. Lengths are in radii of the field of view unless they are said to be in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveate.drawn.painting import Blood, Plane, View, paint
from foveate.drawn.tree import Tree, grow
from foveate.drawn.trunks import Eye, draw_eye
from foveate.errors import UsageError
from foveate.records import Image, Mask

SMALLEST_SIDE = 64
"""Pixels; below it the finest vessels leave no trace."""

ARTERY_RADIUS, VEIN_RADIUS = 0.0104, 0.0140
"""Of the widest vessel: at an image width of 565 px it is 6 or 8 px wide."""
ARTERY_DENSITY = np.array([32.0, 58.0, 40.0], np.float32)
VEIN_DENSITY = np.array([44.0, 76.0, 52.0], np.float32)
"""Optical density per length of blood in red, green and blue."""
SCATTERED = np.array([0.80, 0.56, 0.68], np.float32)
"""Share of the retina's light that reaches the camera without crossing blood."""


@dataclass(frozen=True, slots=True, eq=False)
class Fundus:
    """A drawn photograph, its true vessels and its field of view."""

    image: Image
    mask: Mask
    fov: Mask


def draw(seed: int, *, height: int = 584, width: int = 565) -> Fundus:
    """Draw the photograph of `seed`: the same seed and size give the same pixels.

    Everything scales with the field of view; where it is less than about 300 pixels wide, the finest vessels
    are thinner than a pixel and leave the mask.
    Raises UsageError for a negative seed or a side below 64 pixels.
    """
    if seed < 0 or min(height, width) < SMALLEST_SIDE:
        raise UsageError(
            f"can't draw a {height}×{width} fundus of seed {seed}: "
            f"give sides of at least {SMALLEST_SIDE} pixels and a seed from 0 on."
        )
    rng = np.random.default_rng(seed)
    eye = draw_eye(rng)
    artery = grow(eye, rng)
    vein = grow(eye, rng, avoid=artery.points)
    view = _look(height, width, rng)
    arterial = paint(artery, ARTERY_RADIUS, view)
    venous = paint(vein, VEIN_RADIUS, view)
    distance = np.hypot(view.x, view.y)
    inside = np.minimum(1 - distance, view.cut - np.abs(view.y)) * view.scale
    fov = inside >= 0
    mask = (np.maximum(arterial.coverage, venous.coverage) >= 0.5) & fov
    retina = _retina(eye, vein, view, rng)
    colour = _shine_through(retina, _disc(retina, eye, view, rng), arterial, venous)
    return Fundus(_expose(colour, np.clip(inside + 0.5, 0, 1), view, rng), mask, fov)


def _look(height: int, width: int, rng: np.random.Generator) -> View:
    """The camera: its field of view fills the width, or is cut by the sensor at the top and bottom."""
    to_temple = float(rng.choice([-1.0, 1.0]))
    cut = float(rng.uniform(0.88, 0.96)) if rng.random() < 0.2 else 1.0
    scale = 0.476 * min(width, 1.12 * height)
    centre = ((width - 1) / 2 - 0.002 * width, (height - 1) / 2)
    x = ((np.arange(width) - centre[0]) / scale)[None].astype(np.float32)
    y = ((np.arange(height) - centre[1]) / scale)[:, None].astype(np.float32)
    return View(x, y, scale, centre, to_temple, cut)


def _retina(eye: Eye, vein: Tree, view: View, rng: np.random.Generator) -> Plane:
    """The retina without its vessels and the disc, H×W×3 in grey levels."""
    red, green_share, blue_share = rng.uniform([150, 0.42, 0.52], [238, 0.60, 0.70])
    base = np.array([red, red * green_share, red * green_share * blue_share], np.float32)
    x = view.x * np.float32(view.to_temple)
    colour = base * _illumination(view, rng) * _choroid(view, rng) * _macula(eye, x, view.y, rng)
    colour += _sheen(vein, view, rng)
    if rng.random() < 0.35:
        _add_spots(colour, eye, x, view.y, rng)
    return colour


def _illumination(view: View, rng: np.random.Generator) -> Plane:
    """The flash, H×W×3 around 1: less towards the edge, more on one side, greenish at part of the rim."""
    distance = np.minimum(np.hypot(view.x, view.y), 1.1)
    vignetting, tilt, haze = rng.uniform([0.10, 0.04, 0.0], [0.32, 0.16, 0.35])
    tint = rng.uniform(0.7, 1.3, 3).astype(np.float32)
    bright, hazy = rng.uniform(0, 2 * np.pi, 2)
    side = view.x * np.cos(bright) + view.y * np.sin(bright)
    falloff = 1 - vignetting * (distance**2.5)[..., None] * np.array([1.25, 0.8, 0.6], np.float32)
    light = falloff + tilt * side[..., None] * tint
    toward = np.maximum(view.x * np.cos(hazy) + view.y * np.sin(hazy), 0) ** 2
    rim = haze * toward * np.exp((distance - 1) / 0.06)
    result: Plane = (light + rim[..., None] * np.array([0.25, 1.0, 0.8])).astype(np.float32)
    return result


def _choroid(view: View, rng: np.random.Generator) -> Plane:
    """What shines through from below, H×W×3 around 1: blotches of all sizes, streaks of large vessels."""
    blotches = sum(
        size * _noise(view, cell, rng) for size, cell in ((6, 0.5), (2.5, 0.2), (1.5, 0.08), (1.5, 0.03), (2, 0.013))
    )
    streaks = np.exp(-((_noise(view, 0.12, rng) / 0.4) ** 2)) - 0.4
    texture = 0.01 * blotches + max(0.0, rng.uniform(-0.03, 0.06)) * streaks
    result: Plane = (1 + texture[..., None] * np.array([0.5, 1.0, 0.9])).astype(np.float32)
    return result


def _macula(eye: Eye, x: Plane, y: Plane, rng: np.random.Generator) -> Plane:
    """How much the macular pigment lets through, H×W×3: a wide soft shade with a darker middle."""
    squared = (x - eye.fovea[0]) ** 2 + (y - eye.fovea[1]) ** 2
    wide, narrow = np.exp(-squared / 0.24**2), np.exp(-squared / 0.11**2)
    strength = rng.uniform(0.7, 1.2)
    shade = wide[..., None] * np.array([0.13, 0.19, 0.18]) + narrow[..., None] * np.array([0.14, 0.19, 0.18])
    result: Plane = (1 - strength * shade).astype(np.float32)
    return result


def _sheen(vein: Tree, view: View, rng: np.random.Generator) -> Plane:
    """The silvery reflex of the nerve fibres that follow the large vessels, H×W×3 in grey levels."""
    count, cell = 28, 0.09
    edges = -1.1 + cell * (np.arange(count + 1) - 1.5)
    place = vein.points * [view.to_temple, 1]
    weight = np.maximum(vein.radius - 0.35, 0)
    bundle = np.histogram2d(place[:, 1], place[:, 0], bins=(edges, edges), weights=weight)[0]
    fibres = np.minimum(_spline(view, bundle, cell), 2)
    patches = np.maximum(_noise(view, 0.05, rng) + 0.7 * _noise(view, 0.3, rng), 0)
    strength = max(0.0, rng.uniform(-5, 7))
    silver: Plane = (strength * fibres * patches).astype(np.float32)
    return silver[..., None] * np.array([0.7, 1.0, 0.9], np.float32)


def _add_spots(colour: Plane, eye: Eye, x: Plane, y: Plane, rng: np.random.Generator) -> None:
    """Put bright drusen around the macula and small dark haemorrhages anywhere: round, and no vessels."""
    bright, dark = int(rng.integers(0, 45)), max(0, int(rng.integers(-8, 12)))
    places = np.vstack([eye.fovea + rng.normal(0, 0.22, (bright, 2)), rng.uniform(-0.65, 0.65, (dark, 2))])
    sizes = np.concatenate(
        [rng.uniform(0.003, 0.003 + 0.012 * rng.random(bright) ** 2), rng.uniform(0.005, 0.013, dark)]
    )
    tints = np.array([[1.1, 1.45, 1.35]] * bright + [[0.85, 0.6, 0.75]] * dark, np.float32).reshape(-1, 3)
    strengths = rng.uniform(0.2, 0.8, bright + dark)
    for place, size, tint, strength in zip(places, sizes, tints, strengths, strict=True):
        rows = np.flatnonzero(np.abs(y[:, 0] - place[1]) < 3 * size)
        columns = np.flatnonzero(np.abs(x[0] - place[0]) < 3 * size)
        window = np.ix_(rows, columns)
        squared = ((x[:, columns] - place[0]) ** 2 + (y[rows] - place[1]) ** 2) / size**2
        share = strength * np.exp(-(squared**1.5))
        colour[window] *= 1 + share[..., None] * (tint - 1)


def _disc(retina: Plane, eye: Eye, view: View, rng: np.random.Generator) -> Plane:
    """`retina` (H×W×3) with the optic disc: oval, paler in its cup and at the temple, soft at the rim."""
    across = (view.x * view.to_temple - eye.disc[0]) / rng.uniform(0.100, 0.120)
    down = (view.y - eye.disc[1]) / rng.uniform(0.115, 0.135)
    distance = np.hypot(across, down)
    angle = np.arctan2(down, across)
    distance = distance * (1 + 0.04 * np.sin(2 * angle + rng.uniform(0, 6)) + 0.02 * np.sin(3 * angle))
    glow = 1 + rng.uniform(0.05, 0.2) * np.exp(-((distance / 1.7) ** 2))
    rim = _soft_edge(distance, 0.06)
    cup = _soft_edge(np.hypot(across - 0.18, down) / rng.uniform(0.34, 0.56), 0.25)
    pale = np.array([rng.uniform(215, 245), rng.uniform(140, 185), rng.uniform(85, 125)])
    tissue = pale * (1 + 0.12 * np.clip(across, -1, 1))[..., None]
    tissue = tissue + cup[..., None] * (np.array([254, 240, 190]) - tissue) * rng.uniform(0.6, 0.95)
    tissue = np.maximum(tissue, 1.15 * retina)
    share = (0.9 * rim)[..., None]
    result: Plane = (retina * glow[..., None] * (1 - share) + tissue * share).astype(np.float32)
    return result


def _soft_edge(distance: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """1 well inside distance 1, 0 well outside, a sigmoid of about `width` between."""
    steepness = np.minimum((distance - 1) / width, 50)
    edge: NDArray[np.float64] = 1 / (1 + np.exp(steepness))
    return edge


def _shine_through(retina: Plane, ground: Plane, arterial: Blood, venous: Blood) -> Plane:
    """`ground` (H×W×3), the retina with its disc, seen through the blood, and the vessels' light streaks.

    Light from the ground fades by the Beer-Lambert law; light that the retina scatters in front does not.
    """
    density = arterial.thickness[..., None] * ARTERY_DENSITY + venous.thickness[..., None] * VEIN_DENSITY
    scattered = np.minimum(SCATTERED * retina, ground)
    streak = 0.16 * arterial.reflex + 0.06 * venous.reflex
    result: Plane = (scattered + (ground - scattered) * np.exp(-density)) * (1 + streak)[..., None]
    return result


def _expose(colour: Plane, inside: Plane, view: View, rng: np.random.Generator) -> Image:
    """What the sensor records of `colour` (H×W×3): blurred, with shot noise, dark where `inside` is 0."""
    border = rng.uniform([6, 5, 5], [10, 8, 8]).astype(np.float32)
    colour = border + inside[..., None] * (np.clip(colour, 0, 255) - border)
    colour = _blur(colour, 0.0021 * view.scale)
    noise = _blur(rng.standard_normal(colour.shape, np.float32), 0.6)
    deviation = np.sqrt(0.25 + rng.uniform(0.03, 0.06) * colour)
    recorded: Plane = colour + deviation * noise / noise.std()
    return np.clip(np.rint(recorded), 0, 255).astype(np.uint8)


def _blur(plane: Plane, sigma: float) -> Plane:
    """`plane` (H×W×3) under a Gaussian of `sigma` px; the edge is repeated outwards."""
    half = max(1, round(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        length = plane.shape[axis]
        padded = np.pad(plane, [(half, half) if axis == this else (0, 0) for this in range(3)], mode="edge")
        plane = sum(
            (weight * padded.take(range(shift, shift + length), axis) for shift, weight in enumerate(kernel)),
            start=np.zeros_like(plane),
        )
    return plane


def _noise(view: View, cell: float, rng: np.random.Generator) -> Plane:
    """Smooth noise, H×W around 0 with deviation about 1, whose blotches are about `cell` wide."""
    count = int(np.ceil(2.2 / cell)) + 4
    return _spline(view, 2 * rng.standard_normal((count, count)), cell)


def _spline(view: View, grid: NDArray[np.float64], cell: float) -> Plane:
    """The cubic B-spline surface over the square from -1.1 to 1.1 with control points every `cell`, H×W."""
    rows, columns = (_spline_weights(place.ravel(), cell, grid.shape[0]) for place in (view.y, view.x))
    return (rows @ grid.astype(np.float32) @ columns.T).astype(np.float32)


def _spline_weights(place: Plane, cell: float, count: int) -> Plane:
    """What each of `count` control points contributes at each `place` (N): N×count."""
    station = (np.clip(place, -1.1, 1.1) + 1.1) / cell + 1
    offset = np.abs(station[:, None] - np.arange(count))
    inner = 2 / 3 - offset**2 + offset**3 / 2
    outer = np.maximum(2 - offset, 0) ** 3 / 6
    weights: Plane = np.where(offset < 1, inner, outer).astype(np.float32)
    return weights
