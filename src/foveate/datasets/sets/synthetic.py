"""Drawn fundus photographs as a data set: `synthetic:12` takes a number in place of a folder."""

from __future__ import annotations

from foveate.drawn.cases import drawn_cases
from foveate.errors import UsageError
from foveate.records import CaseEntry, Classes

TITLE = "Drawn fundus photographs with their true vessels"
TERMS = "Drawn by foveate itself, from no photograph of anybody: free for any use."
CITATION = (
    "Vessel trees: Runions, Lane, Prusinkiewicz, Modeling Trees with a Space Colonization Algorithm, "
    "Eurographics Workshop on Natural Phenomena, 2007. "
    "Calibres: Murray, The Physiological Principle of Minimum Work, PNAS 12, 1926."
)
SOURCE = "Nowhere: foveate draws it when it is asked for."
EXPECTED = "no folder but a number: synthetic:12 is 12 photographs to learn from and 12 others to test on"
SPLIT = "Official: half train, half test; no photograph in both."
CLASSES = Classes(("vessel",))

DEFAULT_COUNT = 8


def entries(spec: str) -> list[CaseEntry]:
    """The cases of `synthetic:N`: N for training and N others for testing; an empty `spec` means 8.

    Raises UsageError if `spec` is no number from 1 on.
    """
    if spec and not (spec.isascii() and spec.isdigit() and int(spec) > 0):
        raise UsageError(f"'synthetic:{spec}' has no number of cases: write for example 'synthetic:8'.")
    return drawn_cases(int(spec) if spec else DEFAULT_COUNT)
