"""How vessels fork: angles, Murray's exponent, asymmetry.

Of the three vessels at a fork the widest is the parent. Murray, PNAS 12, 1926, has the exponent x of
d0^x = d1^x + d2^x at 3; Zamir, Journal of General Physiology 72, 1978, the asymmetry as the narrower daughter's calibre
over the wider one's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from foveate.morphometry.graph import Numbers, Points

SPAN = 4.0
"""Radii of the fork over which a vessel's direction is taken, from where it leaves the fork's own disc."""

LEAST_SPAN = 8.0
"""Pixels."""

EXPONENTS = (0.5, 12.0)
"""Beyond these nothing can be told from calibres of pixels, and there is no exponent."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the vessels at a fork."""

    points: Points
    """N×2, away from the fork."""
    calibre: float
    """Pixels; NaN where it isn't known."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Where three vessels meet; NaN for what isn't known."""

    angle: float
    """Degrees between the daughters."""
    murray: float
    asymmetry: float
    """0 to 1."""


def fork(arms: tuple[Arm, Arm, Arm], radius: float) -> Fork:
    """Of three arms that meet in a junction with this radius, in pixels."""
    calibres = np.array([arm.calibre for arm in arms])
    if not np.isfinite(calibres).all():
        return Fork(np.nan, np.nan, np.nan)
    wider, narrower = sorted(np.delete(np.arange(3), calibres.argmax()), key=lambda number: -calibres[number])
    cosine = float(direction(arms[wider].points, radius) @ direction(arms[narrower].points, radius))
    return Fork(
        angle=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))),
        murray=murray(float(calibres.max()), float(calibres[wider]), float(calibres[narrower])),
        asymmetry=float(calibres[narrower] / calibres[wider]),
    )


def direction(points: Points, radius: float) -> Numbers:
    """Unit vector along which a vessel (N×2, away from its fork) leaves the disc of this radius around the fork."""
    steps = points[1:] - points[:-1]
    way = np.concatenate(([0.0], np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))))
    first = min(radius, way[-1] / 2)
    here = (way >= first) & (way <= first + max(SPAN * radius, LEAST_SPAN))
    piece = points[here] if here.sum() >= 2 else points
    centred = piece - piece.mean(axis=0)
    rows, columns = centred.T
    # The longer axis of the points' ellipse of inertia.
    turn = math.atan2(2 * float(rows @ columns), float(rows @ rows - columns @ columns)) / 2
    along = np.array([math.cos(turn), math.sin(turn)])
    return along if along @ (piece[-1] - piece[0]) >= 0 else -along


def murray(parent: float, wider: float, narrower: float) -> float:
    """The exponent x of parent^x = wider^x + narrower^x; NaN where the parent isn't wider, or x is beyond EXPONENTS."""
    if not parent > wider >= narrower > 0:
        return np.nan

    def excess(exponent: float) -> float:
        return float((wider / parent) ** exponent + (narrower / parent) ** exponent) - 1

    low, high = EXPONENTS
    if excess(low) < 0 or excess(high) > 0:
        return np.nan
    from scipy.optimize import brentq  # type: ignore[import-untyped]

    return float(brentq(excess, low, high, xtol=1e-4))
