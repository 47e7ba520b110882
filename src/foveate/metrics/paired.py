"""Whether several models differ, image by image, on the same images."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

_EXACT_UP_TO = 50


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the images where both have a value."""

    first: str
    second: str
    images: int
    """How many those are."""
    left_out: int
    """How many images have no value for one of them, or for both."""
    ties: int
    """On how many of the images the two are equal; these say nothing and are dropped from the test."""
    difference: float | None
    """Mean of first minus second; None without images."""
    p: float | None
    """Of the test, two-sided; None where no image tells the two apart."""
    corrected: float | None = None
    """The same after Holm's correction for all comparisons that were made; None where `p` is."""


def compare_paired(values: Mapping[str, Sequence[float | None]]) -> list[Comparison]:
    """Compare every two models: Wilcoxon's signed-rank test (Biometrics Bulletin 1(6), 1945), with Holm's correction.

    `values` has, by the model's name, one value per image, None where undefined, the images in the same order. Images
    on which two models are equal are dropped, as Wilcoxon does. The distribution is exact for up to 50 images without
    equal absolute differences, and the normal one, corrected for ties, otherwise. Comparisons come in the models'
    order. Raises ValueError if the numbers of values differ.
    """
    if len({len(column) for column in values.values()}) > 1:
        raise ValueError("the models have different numbers of values; give one per image, None where undefined")
    pairs = [_compare(*pair) for pair in itertools.combinations(values.items(), 2)]
    corrected = holm([pair.p for pair in pairs])
    return [replace(pair, corrected=value) for pair, value in zip(pairs, corrected, strict=True)]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's correction (Scandinavian Journal of Statistics 6(2), 1979), in the given order; None doesn't count."""
    defined = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(defined):
        largest = max(largest, min(1.0, (len(defined) - rank) * p))
        corrected[index] = largest
    return corrected


def _compare(first: tuple[str, Sequence[float | None]], second: tuple[str, Sequence[float | None]]) -> Comparison:
    both = zip(first[1], second[1], strict=True)
    differences = np.array([a - b for a, b in both if a is not None and b is not None], dtype=np.float64)
    telling = differences[differences != 0]
    return Comparison(
        first=first[0],
        second=second[0],
        images=differences.size,
        left_out=len(first[1]) - differences.size,
        ties=differences.size - telling.size,
        difference=float(differences.mean()) if differences.size else None,
        p=_signed_rank(telling) if telling.size else None,
    )


def _signed_rank(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    from scipy.stats import wilcoxon  # type: ignore[import-untyped]

    distinct = np.unique(np.abs(differences)).size == differences.size
    exact = distinct and differences.size <= _EXACT_UP_TO
    return float(wilcoxon(differences, method="exact" if exact else "asymptotic").pvalue)
