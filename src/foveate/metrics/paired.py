"""Whether several models differ, image by image, on the same images.

Images of one patient are alike, so a test that takes them for independent finds differences where there are none. As
the intervals resample whole patients, the test exchanges two models on whole patients.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ENUMERATED = 16
"""Groups of which all assignments of signs are written out."""
MOST_STEPS = 10**8
"""Additions that the distribution for more groups may take; beyond it is taken for normal."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two models on the images where both have a value."""

    first: str
    second: str
    images: int
    """How many those are."""
    left_out: int
    """How many images have no value for one of them, or for both."""
    ties: int
    """On how many of the images the two are equal; these say nothing and are dropped from the test."""
    groups: int
    """How many groups have an image that tells the two apart."""
    difference: float | None
    """Mean of first minus second over images; None without images."""
    p: float | None
    """Of the test, two-sided; None where no image tells the two apart."""
    smallest: float | None
    """What p can't fall below with so many groups, however large the differences; None where `p` is."""
    corrected: float | None = None
    """The same after Holm's correction for all comparisons that were made; None where `p` is."""


def compare_paired(
    values: Mapping[str, Sequence[float | None]], groups: Sequence[str] | None = None
) -> list[PairedTest]:
    """Compare every two models: the signed-rank test for images in groups, with Holm's correction.

    `values` has, by the model's name, one value per image, None where undefined, the images in the same order;
    `groups` names each image's patient, and without it every image is a group. Images on which two models are equal are
    dropped, as Wilcoxon does; the others' absolute differences are ranked, and a group's signed ranks are summed and
    change their sign together (Rosner, Glynn and Lee, Biometrics 62(1), 2006). For groups of one image this is
    Wilcoxon's test (Biometrics Bulletin 1(6), 1945). The distribution over all signs is exact for up to 16 groups, and
    for more where it takes at most 10**8 additions, as for 500 single images; otherwise it is taken for normal.
    Comparisons come in the models' order. Raises ValueError if the numbers of values or of groups differ.
    """
    numbers = {len(column) for column in values.values()} | ({len(groups)} if groups is not None else set())
    if len(numbers) > 1:
        raise ValueError("different numbers of values or groups; give one per image, None where a value is undefined")
    pairs = [_compare(*pair, groups) for pair in itertools.combinations(values.items(), 2)]
    corrected = holm([pair.p for pair in pairs])
    return [replace(pair, corrected=value) for pair, value in zip(pairs, corrected, strict=True)]


def smallest_p(groups: int) -> float:
    """What the test can't fall below: all of so many groups lean to one side, or to the other. 1 for none."""
    return math.ldexp(1.0, 1 - groups) if groups else 1.0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's correction (Scandinavian Journal of Statistics 6(2), 1979), in the given order; None doesn't count."""
    defined = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(defined):
        largest = max(largest, min(1.0, (len(defined) - rank) * p))
        corrected[index] = largest
    return corrected


def _compare(
    first: tuple[str, Sequence[float | None]],
    second: tuple[str, Sequence[float | None]],
    groups: Sequence[str] | None,
) -> PairedTest:
    names = range(len(first[1])) if groups is None else groups
    both = zip(first[1], second[1], names, strict=True)
    defined = [(a - b, name) for a, b, name in both if a is not None and b is not None]
    differences = np.array([difference for difference, _ in defined], dtype=np.float64)
    telling = differences != 0
    _, group = np.unique([str(name) for _, name in defined], return_inverse=True)
    sums = _signed_ranks(differences[telling], group[telling])
    return PairedTest(
        first=first[0],
        second=second[0],
        images=differences.size,
        left_out=len(first[1]) - differences.size,
        ties=int(np.count_nonzero(~telling)),
        groups=sums.size,
        difference=float(differences.mean()) if differences.size else None,
        p=_p_over_signs(sums) if sums.size else None,
        smallest=smallest_p(sums.size) if sums.size else None,
    )


def _signed_ranks(differences: NDArray[np.float64], group: NDArray[np.intp]) -> NDArray[np.int64]:
    """The sum of each group's signed ranks, doubled, so that the mean ranks of equal differences are whole numbers."""
    _, place, count = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    # Equal values take the ranks from cumsum - count + 1 to cumsum: first and last are twice their mean.
    doubled = 2 * np.cumsum(count) - count + 1
    _, number = np.unique(group, return_inverse=True)
    sums = np.zeros(number.max(initial=-1) + 1, np.int64)
    np.add.at(sums, number, np.sign(differences).astype(np.int64) * doubled[place])
    return sums


def _p_over_signs(sums: NDArray[np.int64]) -> float:
    """How often the sums, each with either sign, add up to a number as far from 0 as theirs."""
    # In units of their greatest common divisor the sums compare alike, and the table of chances is shorter.
    sizes = np.abs(sums) // max(1, int(np.gcd.reduce(sums)))
    observed = abs(int(np.sum(sums))) // max(1, int(np.gcd.reduce(sums)))
    total = int(sizes.sum())
    if sizes.size <= MOST_ENUMERATED:
        sums_by_signs = np.zeros(1, np.int64)
        for size in sizes:
            sums_by_signs = np.concatenate([sums_by_signs + size, sums_by_signs - size])
        return float(np.mean(np.abs(sums_by_signs) >= observed))
    if sizes.size * total > MOST_STEPS:
        deviation = math.sqrt(float(sizes.astype(np.float64) @ sizes))
        return 2 * NormalDist().cdf(-observed / deviation)
    # The chance of each sum of the sizes that are taken as negative, one size after the other.
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for size in sizes[sizes > 0]:
        chances[size:] += chances[:-size].copy()
        chances /= 2
    far = np.abs(total - 2 * np.arange(total + 1)) >= observed
    return min(1.0, float(chances[far].sum()))
