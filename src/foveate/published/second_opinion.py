"""The same questions, put to the library mlscorecheck (Fazekas and Kovács), which counts in whole pixels.

It knows neither images nor vessels: it gets the numbers of foreground and background pixels from `counts`. It takes
more than a second to import, so only the functions that ask it do.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

from foveate.published.one_count import Bounds, true_positives_of

NAMES = {"sensitivity": "sens", "specificity": "spec", "precision": "ppv", "accuracy": "acc", "f1": "f1p"}
"""Ours to the library's. Its test of IoU takes half a minute, so that is asked as the F1 that it amounts to."""

AVERAGED = ("sensitivity", "specificity", "accuracy")
"""The rates of which the library can average over images."""

SECONDS = 5
"""The longest that the library's solver may take; a question that it leaves open is answered by None."""

MOST = 20_000
"""The most numbers of true positives that the library is made to try one by one, in two seconds or so. Rates of two
digits leave more."""

SMALLEST = 1e-9
"""What the library is given as the uncertainty of an exact number; it accepts none of zero."""

Counted = tuple[int, int]
"""Foreground and background pixels."""


def one_matrix(bounds: Bounds, counted: Counted) -> bool | None:
    """Whether some confusion matrix of so many pixels has the rates; None where that takes the library too long."""
    asked = _as_f1(bounds)
    if asked is None:
        return False
    pixels = sum(counted)
    tried = true_positives_of(asked, Fraction(counted[0], pixels))
    if tried is not None and (tried[1] - tried[0]) * pixels > MOST:
        return None
    from mlscorecheck.check.binary import check_1_testset_no_kfold  # type: ignore[import-untyped]

    scores, uncertainty = _scores(asked)
    with _silent():
        answer = check_1_testset_no_kfold(
            {"p": counted[0], "n": counted[1]},
            scores,
            uncertainty,
            numerical_tolerance=min(1e-6, min(uncertainty.values()) / 20),
        )
    return not answer["inconsistency"]


def means(bounds: Bounds, counted: Sequence[Counted]) -> bool | None:
    """Whether images of so many pixels can have the rates as means, however good or bad each is.

    None where fewer than two rates are among those that the library can average, or where it finds no answer in time.
    """
    asked = {measure: bounds[measure] for measure in AVERAGED if measure in bounds}
    if len(asked) < 2:
        return None
    from mlscorecheck.check.binary import check_n_testsets_mos_no_kfold

    scores, uncertainty = _scores(asked)
    images = [{"identifier": str(place), "p": p, "n": n} for place, (p, n) in enumerate(counted)]
    widest = max(uncertainty.values())
    with _silent():
        answer = check_n_testsets_mos_no_kfold(
            images, scores, widest, timeout=SECONDS, verbosity=0, numerical_tolerance=min(1e-6, widest / 20)
        )
    return None if answer["lp_status"] == "timeout" else not answer["inconsistency"]


def _as_f1(bounds: Bounds) -> dict[str, tuple[Fraction, Fraction]] | None:
    """The bounds with IoU said as F1; None where the two exclude each other."""
    asked = {measure: bound for measure, bound in bounds.items() if measure in NAMES}
    if "iou" in bounds:
        low, high = (2 * iou / (1 + iou) for iou in bounds["iou"])
        others = bounds.get("f1", (low, high))
        asked["f1"] = max(low, others[0]), min(high, others[1])
        if asked["f1"][0] > asked["f1"][1]:
            return None
    return asked


def _scores(bounds: Bounds) -> tuple[dict[str, float], dict[str, float]]:
    """The middle of each interval and half its width, by the library's names."""
    middle = {NAMES[measure]: float(low + high) / 2 for measure, (low, high) in bounds.items()}
    half = {NAMES[measure]: max(SMALLEST, float(high - low) / 2) for measure, (low, high) in bounds.items()}
    return middle, half


@contextmanager
def _silent() -> Iterator[None]:
    """The library reports every step at a logger of its own, on stderr, and uses what its solver calls outdated."""
    logger = logging.getLogger("mlscorecheck")
    before, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        logger.disabled = before
