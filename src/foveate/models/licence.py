"""Under which licence weights may be given on: it follows from the terms of the images that they were made of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from foveate.models.card import TrainingData

OPEN_TERMS = re.compile(r"CC BY 4\.0( \([^()]*\))?\.|Drawn by foveate itself, from no photograph of anybody: .*")
"""Terms of images under which weights made of them may be given on; what isn't known to be so, is not."""

NON_COMMERCIAL_TERMS = re.compile(r"\bCC BY-NC(-SA)? \d\.\d\b|\bNC\b|\bnon-?commercial", re.IGNORECASE)
"""Terms that forbid commercial use: by a licence that weights can be under, too, or in other words."""


def is_open(data: Sequence[TrainingData]) -> bool:
    """Whether the terms of all images that the weights have seen are known to let weights be given on."""
    return bool(data) and all(OPEN_TERMS.fullmatch(part.terms) for part in data)


def licence_of(data: Sequence[TrainingData]) -> str:
    """A card's `licence`: not for commercial use where the images of any set aren't, and under the same licence
    where one asks for that."""
    found = [(part.title, match) for part in data if (match := NON_COMMERCIAL_TERMS.search(part.terms))]
    own = "the training images keep their owners' terms."
    if not found:
        return f"Apache-2.0 for the weights; {own}"
    titles = " and ".join(title for title, _ in found)
    named = [match for _, match in found if match[0].upper().startswith("CC BY-NC")]
    if len(named) < len(found):
        return f"Not for commercial use, as the images of {titles} are, whose terms say more; {own}"
    # The one that asks for its own licence says it; "-SA" comes after an empty text.
    strictest = max(named, key=lambda match: match[1] or "")
    return f"{strictest[0]} for the weights: not for commercial use, as the images of {titles} are; {own}"
