"""Running sums over images: of the counts, of the histogram, and each image's own scores."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from foveate.evaluation.report import (
    CountedRates,
    CountedScores,
    ObserverScope,
    RatesOverImages,
    RateValues,
    Scope,
    ScoresOverImages,
    ScoreValues,
)
from foveate.metrics import Confusion, Histogram, count, rates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.records import Mask, Probability


@dataclass(slots=True)
class ModelPool:
    """What is known of the model's predictions in one scope; its size hardly grows with the images."""

    confusion: Confusion = field(default_factory=Confusion)
    histogram: Histogram = field(default_factory=Histogram)
    rows: list[CountedScores] = field(default_factory=list)

    def add(self, probability: Probability, prediction: Mask, truth: Mask, within: Mask | None) -> CountedScores:
        """Count one image (all arrays H×W) where `within` is True, or everywhere; return its own scores."""
        confusion = count(prediction, truth, within)
        histogram = Histogram()
        histogram.add(probability, truth, within)
        self.confusion += confusion
        self.histogram.merge(histogram)
        self.rows.append(_counted_scores(confusion, histogram))
        return self.rows[-1]

    def scope(self) -> Scope:
        """The scores of all that was added."""
        return Scope(
            pooled=_counted_scores(self.confusion, self.histogram),
            per_image=ScoresOverImages.model_validate(_over_images(self.rows, tuple(ScoreValues.model_fields))),
        )


@dataclass(slots=True)
class ObserverPool:
    """What is known of the second observer's masks in one scope."""

    confusion: Confusion = field(default_factory=Confusion)
    rows: list[CountedRates] = field(default_factory=list)

    def add(self, prediction: Mask, truth: Mask, within: Mask | None) -> None:
        """Count one image (all arrays H×W bool) where `within` is True, or everywhere."""
        confusion = count(prediction, truth, within)
        self.confusion += confusion
        self.rows.append(_counted_rates(confusion))

    def scope(self) -> ObserverScope:
        """The scores of all that was added."""
        return ObserverScope(
            pooled=_counted_rates(self.confusion),
            per_image=RatesOverImages.model_validate(_over_images(self.rows, tuple(RateValues.model_fields))),
        )


def _counted_rates(confusion: Confusion) -> CountedRates:
    return CountedRates(**asdict(rates(confusion)), **asdict(confusion))


def _counted_scores(confusion: Confusion, histogram: Histogram) -> CountedScores:
    return CountedScores(
        **asdict(rates(confusion)),
        **asdict(confusion),
        roc_auc=histogram.roc_auc,
        average_precision=histogram.average_precision,
    )


def _over_images(rows: Sequence[RateValues], names: Sequence[str]) -> dict[str, Any]:
    """Mean, standard deviation and number of undefined values of each named score."""
    defined = {name: [value for row in rows if (value := getattr(row, name)) is not None] for name in names}
    return {
        "mean": {name: statistics.fmean(values) if values else None for name, values in defined.items()},
        "std": {name: statistics.stdev(values) if len(values) > 1 else None for name, values in defined.items()},
        "undefined": {name: len(rows) - len(values) for name, values in defined.items()},
    }
