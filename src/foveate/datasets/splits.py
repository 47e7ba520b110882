"""Validation cases out of a training part, whole groups at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foveate.errors import DataError
from foveate.records import CaseEntry


def hold_out(
    entries: Sequence[CaseEntry], share: float, *, seed: int
) -> tuple[tuple[CaseEntry, ...], tuple[CaseEntry, ...]]:
    """(training, validation): `share` of the groups, at least one, chosen by `seed`; order is kept.

    Raises DataError where there are fewer than two groups.
    """
    groups = sorted({entry.group for entry in entries})
    if len(groups) < 2:
        raise DataError(
            f"training needs images of at least two groups (patients or eyes), one to validate on; found {len(groups)}."
        )
    count = min(max(1, round(share * len(groups))), len(groups) - 1)
    held = {groups[index] for index in np.random.default_rng(seed).permutation(len(groups))[:count]}
    return (
        tuple(entry for entry in entries if entry.group not in held),
        tuple(entry for entry in entries if entry.group in held),
    )
