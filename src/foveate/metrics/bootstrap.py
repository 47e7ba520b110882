"""How much a score would change with other images: percentile intervals by resampling whole images or patients.

Efron, Annals of Statistics 7(1), 1979; for groups, all images of a drawn group come together (Field and Welsh, JRSS B
69(3), 2007, the cluster bootstrap). Pixels of one image depend on each other, so they are never drawn singly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.counts import ratios

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from foveate.metrics.counts import Confusion

LEVEL = 0.95
RESAMPLES = 10_000
_BLOCK = 500


@dataclass(frozen=True, slots=True)
class BootstrapInterval:
    """The middle 95 % of a score's values over resamples of the images."""

    low: float
    high: float
    undefined: int = 0
    """Resamples where the score is 0/0, which are left out."""


def interval(
    rows: ArrayLike,
    score: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    groups: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> BootstrapInterval | None:
    """The interval of any score that depends on sums over images.

    `rows` is n×m, what one image adds to the m sums; `score` takes R×m sums and returns R scores, NaN or infinite where
    undefined. `groups` names each image's patient; without it every image is a group. None for fewer than two
    groups, which say nothing about others, and where every resample is undefined. Raises ValueError if there isn't
    one group per image.
    """
    sums = _resampled_sums(rows, groups, seed)
    if sums is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return _middle(score(sums))


def mean_interval(
    values: Sequence[float | None], groups: Sequence[str] | None = None, *, seed: int = 0
) -> BootstrapInterval | None:
    """The interval of the mean over images of the images' own values; those that are None take no part."""
    if groups is not None:
        groups = [group for value, group in zip(values, groups, strict=True) if value is not None]
    rows = np.array([(value, 1.0) for value in values if value is not None]).reshape(-1, 2)
    return interval(rows, lambda sums: sums[:, 0] / sums[:, 1], groups, seed=seed)


def rate_intervals(
    confusions: Sequence[Confusion], groups: Sequence[str] | None = None, *, seed: int = 0
) -> dict[str, BootstrapInterval | None]:
    """The intervals of all pooled rates and of balanced accuracy, by name, from the images' counts.

    All see the same resamples. None for fewer than two groups, and where every resample is undefined.
    """
    rows = np.array([astuple(confusion) for confusion in confusions]).reshape(-1, 4)
    sums = _resampled_sums(rows, groups, seed)
    if sums is None:
        return dict.fromkeys(ratios(0, 0, 0, 0))
    pairs = ratios(*np.ascontiguousarray(sums.T))
    with np.errstate(divide="ignore", invalid="ignore"):
        return {name: _middle(part / whole) for name, (part, whole) in pairs.items()}


def _resampled_sums(rows: ArrayLike, groups: Sequence[str] | None, seed: int) -> NDArray[np.float64] | None:
    """R×m: the sums over as many groups as there are, drawn with replacement; None for fewer than two."""
    added = _by_group(np.asarray(rows, dtype=np.float64), groups)
    generator, count = np.random.default_rng(seed), len(added)
    if count < 2:
        return None
    sums = []
    # In blocks, so that thousands of images need little memory.
    for _ in range(RESAMPLES // _BLOCK):
        # Each resample has numbers of its own, so that one count says how often each group was drawn into each.
        drawn = generator.integers(count, size=(_BLOCK, count)) + count * np.arange(_BLOCK)[:, None]
        times = np.bincount(drawn.ravel(), minlength=_BLOCK * count).reshape(_BLOCK, count)
        sums.append(times @ added)
    return np.concatenate(sums)


def _by_group(rows: NDArray[np.float64], groups: Sequence[str] | None) -> NDArray[np.float64]:
    """G×m: the sum of each group's rows."""
    if groups is None:
        return rows
    if len(groups) != len(rows):
        raise ValueError(f"{len(groups)} groups for {len(rows)} images")
    names, index = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, index, rows)
    return sums


def _middle(scores: NDArray[np.float64]) -> BootstrapInterval | None:
    """The interval of the finite scores; None without one."""
    defined = scores[np.isfinite(scores)]
    if not defined.size:
        return None
    low, high = np.percentile(defined, [50 - 50 * LEVEL, 50 + 50 * LEVEL]).tolist()
    return BootstrapInterval(low, high, scores.size - defined.size)
