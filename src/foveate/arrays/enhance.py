"""What a network is shown of a photograph: its colours or the green channel, with or without local contrast.

Local contrast is contrast limited adaptive histogram equalisation, CLAHE (Zuiderveld, "Contrast limited adaptive
histogram equalization", Graphics Gems IV, 1994). Vessels differ most from their surroundings in the green channel, and
papers equalise that, or the lightness of a colour image. For the latter this is CIELAB's: a and b, and with them the
hue, stay as they are, where equalising red, green and blue each for itself would change every colour with its place.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foveate.errors import UsageError
from foveate.records import Image, Mask

Channels = Literal["rgb", "green"]

Values = NDArray[np.float32]

HIGHEST_CLAHE = 256
"""Of a clip limit in multiples of the mean of 256 bins: from here on nothing is limited."""

TILES = 8
"""Tiles per axis: the usual number, and an optic disc wide where the image is cropped to the field of view."""

LEVELS = 256

FINE = 1 << 14
"""Entries of a table over 0 to 1: the steepest of the curves moves by a fifth of a grey level from one to the next."""

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
"""Linear sRGB (IEC 61966-2-1) to CIE XYZ."""


def enhance(image: Image, inside: Mask, *, channels: Channels, clahe: float) -> NDArray[np.uint8]:
    """What the network is shown: H×W×3 (0 to 255) to H×W×3 for 'rgb', to H×W×1 for 'green'; 0 outside `inside`.

    `clahe` is the limit on a histogram's bins, in multiples of their mean: 0 is off, 1 changes nothing, 2 is usual,
    and from 256 on nothing is limited. Pixels outside `inside` (H×W) have no part in any histogram. Raises UsageError
    for a limit between 0 and 1, which no histogram can keep, and for a negative one.
    """
    if clahe != 0 and not clahe >= 1:
        raise UsageError(f"clahe {clahe:g}: is no clip limit. Use 0 for none, or a number from 1 on, such as 2.")
    if channels == "green":
        green = image[..., 1]
        shown = np.rint(equalize(green, inside, clahe)).astype(np.uint8) if clahe else green
        return np.where(inside, shown, np.uint8(0))[..., None]
    if not clahe:
        return np.where(inside[..., None], image, np.uint8(0))
    result = np.zeros_like(image)
    result[inside] = _lightness_equalized(image[inside], inside, clahe)
    return result


def equalize(plane: NDArray[np.uint8], inside: Mask, limit: float) -> Values:
    """CLAHE of one channel (H×W, 0 to 255) with 8×8 tiles and 256 bins; not rounded, and 0 outside `inside`.

    Between the tiles' centres their mappings are interpolated. A tile counts for as much as lies inside of it
    (normalized convolution, Knutsson and Westin, 1993), so one that the rim leaves a few pixels of has little to say.
    """
    (rows, above, down), (columns, left, across) = (_places(length) for length in plane.shape)
    # Tile and level as one number: a single count makes the histograms of all tiles.
    tile = rows[:, None] * TILES + columns
    counts = np.bincount((tile * LEVELS + plane)[inside], minlength=TILES**2 * LEVELS).reshape(-1, LEVELS)
    areas = np.outer(np.bincount(rows, minlength=TILES), np.bincount(columns, minlength=TILES))
    share = (counts.sum(axis=1) / np.maximum(areas.ravel(), 1)).astype(np.float32).reshape(TILES, TILES)
    mappings = share[..., None] * _mappings(counts, limit).reshape(TILES, TILES, LEVELS)

    # Bilinear between four tiles, down and then across; weighted mappings are divided by the interpolated weights.
    by_row = (1 - down)[:, None, None] * mappings[above] + down[:, None, None] * mappings[above + 1]
    share = (1 - down)[:, None] * share[above] + down[:, None] * share[above + 1]
    place = (np.arange(len(rows))[:, None] * TILES + left) * LEVELS + plane
    mapped = (1 - across) * by_row.ravel()[place] + across * by_row.ravel()[place + LEVELS]
    weight = (1 - across) * share[:, left] + across * share[:, left + 1]
    result: Values = np.divide(mapped, weight, out=np.zeros_like(mapped), where=inside)
    return result


def _places(length: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Values]:
    """For every pixel along an axis: its tile, the tile whose centre lies before it, and how far it is to the next."""
    position = (np.arange(length) + 0.5) * TILES / length
    before = np.clip(np.floor(position - 0.5), 0, TILES - 2).astype(np.intp)
    return position.astype(np.intp), before, np.clip(position - 0.5 - before, 0, 1).astype(np.float32)


def _mappings(counts: NDArray[np.intp], limit: float) -> Values:
    """Tiles×256: the level (0 to 255) that each level becomes, by the cumulative clipped histogram.

    What exceeds the limit is spread over the bins below it, again and again until none exceeds. A level stands in the
    middle of its own bin: so a limit of 1 is the identity, and a negative is equalised to the negative.
    """
    total = counts.sum(axis=1, keepdims=True)
    highest = limit / LEVELS
    density = np.minimum(counts / np.maximum(total, 1), highest)
    while (excess := 1 - density.sum(axis=1, keepdims=True)).max() > 1e-9:
        below = density < highest
        spread = excess / np.maximum(below.sum(axis=1, keepdims=True), 1)
        density = np.minimum(density + spread * below, highest)
    levels: Values = ((LEVELS - 1) * (density.cumsum(axis=1) - density / 2)).astype(np.float32)
    return levels


def _lightness_equalized(pixels: NDArray[np.uint8], inside: Mask, limit: float) -> NDArray[np.uint8]:
    """CLAHE of CIELAB's L of the N pixels inside (N×3, in the mask's order); a and b stay where sRGB has the colour."""
    white = TO_XYZ.sum(axis=1)
    roots = _cube_roots(_linear()[pixels] @ (TO_XYZ.T / white).astype(np.float32))
    lightness = np.zeros(inside.shape, np.uint8)
    lightness[inside] = np.rint((LEVELS - 1) * (1.16 * roots[:, 1] - 0.16))
    change = equalize(lightness, inside, limit)[inside] - lightness[inside]
    # L is 116 of Y's root less 16, and a and b are differences of roots: moving all three alike moves L alone.
    roots += (change / (1.16 * (LEVELS - 1)))[:, None]
    linear: Values = _cubes(roots) @ np.linalg.inv(TO_XYZ.T / white).astype(np.float32)
    return _encoded()[_steps(linear)]


def _linear() -> Values:
    """256: the light that each level of sRGB stands for, 0 to 1."""
    level = np.arange(LEVELS) / (LEVELS - 1)
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _encoded() -> NDArray[np.uint8]:
    """The level of sRGB for every step of light."""
    light = np.linspace(0, 1, FINE)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    nearest: NDArray[np.uint8] = np.rint((LEVELS - 1) * level).astype(np.uint8)
    return nearest


def _cube_roots(light: Values) -> Values:
    """CIELAB's cube root (CIE 15), which is a straight line near black."""
    steps = np.linspace(0, 1, FINE)
    roots = np.where(steps > (6 / 29) ** 3, np.cbrt(steps), steps / (3 * (6 / 29) ** 2) + 4 / 29)
    return roots.astype(np.float32)[_steps(light)]


def _cubes(roots: Values) -> Values:
    """What CIELAB's cube root was taken of."""
    straight = np.float32(3 * (6 / 29) ** 2) * (roots - np.float32(4 / 29))
    return np.where(roots > 6 / 29, roots * roots * roots, straight)


def _steps(light: Values) -> NDArray[np.intp]:
    """The nearest entry of a table over 0 to 1."""
    return (np.clip(light, 0, 1) * np.float32(FINE - 1) + np.float32(0.5)).astype(np.intp)
