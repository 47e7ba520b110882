"""What observers' masks of the same photographs have taught.

It is read from reliability.json, which scripts/write_measures.py writes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of the measures of vessels."""

    margins: dict[str, float]
    """Measure to the share by which an interval's upper end grows, and its lower one shrinks."""
    unreliable: frozenset[str]
    """Measures on which two observers' masks don't agree."""


@cache
def reliability() -> Reliability:
    """The table that is shipped."""
    found = json.loads(files("foveate.morphometry").joinpath("reliability.json").read_text("utf-8"))
    return Reliability(found["margins"], frozenset(found["unreliable"]))
