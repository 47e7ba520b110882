"""Can a printed row be true, and if so, which pixels did it count?

A row is tried as one confusion matrix of all pixels and as means over images, each inside the field of view and over
the whole image, on the images of its data set that papers score. Whether one matrix of so many pixels has the rates is
decided by mlscorecheck; the shares that the rates imply, and the means, are worked out here (`one_count`, `means`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from foveate.published import means, second_opinion
from foveate.published.counts import ImageSet, image_sets
from foveate.published.one_count import Bounds, ShareInterval, bounds_of, independent, share_of, shares_of_parts
from foveate.published.rows import PublishedRow
from foveate.records import SCOPES, Scope

Verdict = Literal["consistent", "consistent as means", "not these images", "inconsistent", "too few rates"]
"""One confusion matrix has all rates; only means over images have them; one matrix has them, but at a share of
foreground that the set's images don't have; neither; fewer than two rates are printed."""

EMPTY_IOU = Fraction(45, 100), Fraction(1, 2)
"""Between these an IoU may be the mean of foreground and background of an empty prediction: at most a tenth of the
pixels is foreground."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One way in which a row may have been counted, and whether it fits. None: the question had no answer."""

    images: ImageSet
    scope: Scope
    one_count: bool | None
    """One confusion matrix of exactly these pixels has the rates, by mlscorecheck."""
    share_fits: bool
    """Their share of foreground is among those at which one confusion matrix has the rates."""
    means: bool | None
    """These images can have the rates as means, none being much worse than another (`means.SPREAD`)."""
    means_at_all: bool | None
    """The same, without that condition and without precision, F1 and IoU, by mlscorecheck."""

    @property
    def pooled(self) -> bool:
        """One confusion matrix has the rates: by mlscorecheck, and where that had no answer by the share."""
        return self.share_fits if self.one_count is None else self.one_count

    @property
    def share(self) -> float:
        """Foreground among the pixels that count, 0 to 1."""
        return float(self.images.share(self.scope))


@dataclass(frozen=True, slots=True)
class Audit:
    """What can be said of a row."""

    row: PublishedRow
    verdict: Verdict
    scopes: tuple[Scope, ...]
    """Which pixels may have been counted as the verdict says; none where that can't be told."""
    share: ShareInterval | None
    """The shares of foreground at which one confusion matrix has all rates; None where there is none."""
    shares: Mapping[tuple[str, ...], ShareInterval]
    """The same for three rates at a time."""
    trials: tuple[Trial, ...]
    background_iou: Fraction | None
    """Where the IoU is explained by an empty prediction: the background's, of which it is the half."""


def audit(row: PublishedRow) -> Audit:
    """Try the row in every way; sets whose pixels weren't counted, and F1 with IoU alone, are judged by the rates."""
    bounds = bounds_of(row.values)
    share = share_of(bounds) if bounds else None
    trials = _trials(row, bounds, share)
    verdict = _verdict(bounds, share, trials)
    fitting = [
        trial.scope
        for trial in trials
        if (verdict == "consistent" and trial.pooled) or (verdict == "consistent as means" and trial.means)
    ]
    return Audit(
        row=row,
        verdict=verdict,
        scopes=tuple(scope for scope in SCOPES if scope in fitting),
        share=share,
        shares=shares_of_parts(bounds),
        trials=trials,
        background_iou=_background_iou(row, verdict),
    )


def _trials(row: PublishedRow, bounds: Bounds, share: ShareInterval | None) -> tuple[Trial, ...]:
    if independent(tuple(bounds)) < 2:
        return ()
    return tuple(_trial(bounds, share, images, scope) for images in image_sets(row.set) for scope in SCOPES)


def _trial(bounds: Bounds, share: ShareInterval | None, images: ImageSet, scope: Scope) -> Trial:
    counted = [image.counted(scope) for image in images.images]
    at_all = second_opinion.means(bounds, counted)
    return Trial(
        images=images,
        scope=scope,
        one_count=second_opinion.one_matrix(bounds, images.counted(scope)),
        share_fits=share is not None and share[0] <= images.share(scope) <= share[1],
        means=at_all is not False and means.may_be_means(bounds, [p / (p + n) for p, n in counted]),
        means_at_all=at_all,
    )


def _verdict(bounds: Bounds, share: ShareInterval | None, trials: tuple[Trial, ...]) -> Verdict:
    if len(bounds) < 2:
        return "too few rates"
    if any(trial.pooled for trial in trials) or (share is not None and not trials):
        return "consistent"
    if any(trial.means for trial in trials) or (not trials and not means.contradicts_means(bounds)):
        return "consistent as means"
    return "inconsistent" if share is None else "not these images"


def _background_iou(row: PublishedRow, verdict: Verdict) -> Fraction | None:
    """Twice an impossible IoU of nearly one half: what Keras' mean IoU gives if every probability is rounded down."""
    iou = row.values.get("iou")
    if verdict != "inconsistent" or iou is None or not EMPTY_IOU[0] <= iou.exact < EMPTY_IOU[1]:
        return None
    return 2 * iou.exact
