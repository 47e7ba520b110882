"""The names of splits; validation cases out of a training part and folds of cross-validation, by whole groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from foveate.errors import DataError
from foveate.records import CaseEntry

SPLIT_NAMED = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the splits of images of their own, in lower case, to the split."""

SPLITS = tuple(dict.fromkeys(SPLIT_NAMED.values()))


def hold_out(
    entries: Sequence[CaseEntry], share: float, *, seed: int
) -> tuple[tuple[CaseEntry, ...], tuple[CaseEntry, ...]]:
    """(training, validation): `share` of the groups, at least one, chosen by `seed`; order is kept.

    Raises DataError where there are fewer than two groups.
    """
    groups = sorted({entry.group for entry in entries})
    if len(groups) < 2:
        raise DataError(too_few(groups))
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    held = {groups[index] for index in np.random.default_rng(seed).permutation(len(groups))[:count]}
    return (
        tuple(entry for entry in entries if entry.group not in held),
        tuple(entry for entry in entries if entry.group in held),
    )


def too_few(groups: Collection[str]) -> str:
    """The sentence for fewer than two groups."""
    return (
        "training needs images of at least two groups (patients or eyes), one to validate on;"
        f" found {len(groups)}{f' ({next(iter(groups))})' if groups else ''}."
    )


def folds(entries: Sequence[CaseEntry], count: int, seed: int) -> tuple[tuple[CaseEntry, ...], ...]:
    """`count` parts of `entries` for cross-validation: every group is in exactly one, order is kept.

    Groups, shuffled by `seed` and then the largest first, go one by one to the part with the fewest cases, so that
    parts differ by at most the cases of the largest group. Raises DataError for fewer than two parts or fewer groups
    than parts.
    """
    sizes = Counter(entry.group for entry in entries)
    if not 2 <= count <= len(sizes):
        raise DataError(
            f"{count} folds need at least two folds and one group (patient or eye) for each; found {len(sizes)} groups."
        )
    groups = sorted(sizes)
    shuffled = [groups[index] for index in np.random.default_rng(seed).permutation(len(groups))]
    held = [0] * count
    fold_of = {}
    for group in sorted(shuffled, key=lambda name: -sizes[name]):
        fold = held.index(min(held))
        fold_of[group] = fold
        held[fold] += sizes[group]
    return tuple(tuple(entry for entry in entries if fold_of[entry.group] == fold) for fold in range(count))
