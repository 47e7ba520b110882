"""Can one confusion matrix have all the printed rates, and with which share of foreground?

Divide a confusion matrix by its number of pixels, and three numbers are left: true positives t, false positives f and
the share of foreground s. Every rate is a quotient of two sums of these, so "rate between low and high" is a pair of
linear inequalities. Eliminating t and f (Fourier and Motzkin) leaves the interval of s: exact, in fractions, no search.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations

from foveate.published.rows import PrintedNumber

Bounds = Mapping[str, tuple[Fraction, Fraction]]
"""Measure to the lowest and highest value that the printed one may stand for."""

ShareInterval = tuple[Fraction, Fraction]
"""Lowest and highest share of pixels, 0 to 1."""

Inequality = tuple[Fraction, ...]
"""(a, b, c, d): a t + b f + c s + d >= 0."""

QUOTIENTS = {
    "sensitivity": ((1, 0, 0, 0), (0, 0, 1, 0)),
    "specificity": ((0, -1, -1, 1), (0, 0, -1, 1)),
    "precision": ((1, 0, 0, 0), (1, 1, 0, 0)),
    "accuracy": ((1, -1, -1, 1), (0, 0, 0, 1)),
    "f1": ((2, 0, 0, 0), (1, 1, 1, 0)),
    "iou": ((1, 0, 0, 0), (0, 1, 1, 0)),
}
"""Numerator and denominator of each rate as sums of (t, f, s, 1)."""

POSSIBLE = ((1, 0, 0, 0), (0, 1, 0, 0), (-1, 0, 1, 0), (0, -1, -1, 1))
"""No part of a confusion matrix is negative: t, f, s - t and 1 - s - f."""


def bounds_of(values: Mapping[str, PrintedNumber]) -> dict[str, tuple[Fraction, Fraction]]:
    """What each rate may have been before it was printed: within one unit of the last digit.

    Half a unit would be rounding; a whole one also allows for authors who cut digits off.
    """
    return {
        measure: (max(Fraction(0), values[measure].exact - values[measure].unit), _at_most_one(values[measure]))
        for measure in QUOTIENTS
        if measure in values
    }


def _at_most_one(value: PrintedNumber) -> Fraction:
    return min(Fraction(1), value.exact + value.unit)


def share_of(bounds: Bounds) -> ShareInterval | None:
    """The shares of foreground at which one confusion matrix has all the rates; None where there is no such matrix."""
    share = _interval(2, _without(1, _without(0, _system(bounds))))
    # Without foreground t = f = 0 solves everything that only divides by foreground; nobody scores such images.
    return share if share is not None and share[1] > 0 else None


def true_positives_of(bounds: Bounds, share: Fraction) -> ShareInterval | None:
    """The true positives, as shares of all pixels, that such a matrix can have at that share of foreground."""
    at_share = [(a, b, Fraction(0), c * share + d) for a, b, c, d in _system(bounds)]
    return _interval(0, _without(1, at_share))


def _system(bounds: Bounds) -> list[Inequality]:
    system: list[Inequality] = [tuple(map(Fraction, row)) for row in POSSIBLE]
    for measure, (low, high) in bounds.items():
        above, below = QUOTIENTS[measure]
        system.append(tuple(n - low * d for n, d in zip(above, below, strict=True)))
        system.append(tuple(high * d - n for n, d in zip(above, below, strict=True)))
    return system


def _interval(place: int, system: Sequence[Inequality]) -> ShareInterval | None:
    """Between 0 and 1, what inequalities leave of the one variable that they still hold; None for nothing."""
    lowest, highest = Fraction(0), Fraction(1)
    for row in system:
        slope, rest = row[place], row[3]
        if slope > 0:
            lowest = max(lowest, -rest / slope)
        elif slope < 0:
            highest = min(highest, -rest / slope)
        elif rest < 0:
            return None
    return (lowest, highest) if lowest <= highest else None


def _without(place: int, system: Sequence[Inequality]) -> list[Inequality]:
    """What the inequalities say of the other variables: each lower bound with each upper bound of that one."""
    rising = [row for row in system if row[place] > 0]
    falling = [row for row in system if row[place] < 0]
    # Both factors are positive, so that the sum holds wherever its two parts do; in it the variable cancels.
    combined = {
        tuple(a * -upper[place] + b * lower[place] for a, b in zip(lower, upper, strict=True))
        for lower in rising
        for upper in falling
    }
    return [*(row for row in system if row[place] == 0), *combined]


def independent(measures: Sequence[str]) -> int:
    """How many of the rates say something of their own: F1 and IoU of one count follow from each other."""
    return len(measures) - ({"f1", "iou"} <= set(measures))


def shares_of_parts(bounds: Bounds) -> dict[tuple[str, ...], ShareInterval]:
    """The share that each smallest telling choice of three rates implies by itself, where one matrix has the three."""
    shares: dict[tuple[str, ...], ShareInterval] = {}
    for chosen in combinations(bounds, 3):
        share = share_of({measure: bounds[measure] for measure in chosen}) if independent(chosen) == 3 else None
        if share is not None:
            shares[chosen] = share
    return shares
