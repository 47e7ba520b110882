"""Running sums over images of one class in one scope, and each image's own scores."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from foveate.evaluation.measures import MEASURES, Tally, Values, Wanted, measure
from foveate.evaluation.report import (
    Averaged,
    Bin,
    Confidence,
    Counts,
    Curves,
    ImageScore,
    Interval,
    Intervals,
    MacroScope,
    PointsOnCurve,
    Pooled,
    RiskCurve,
    Scope,
)
from foveate.evaluation.sums import OF_SUMS
from foveate.metrics.areas import LevelsOfImages, area_intervals
from foveate.metrics.bootstrap import interval, mean_interval, rate_intervals
from foveate.metrics.points import precision_recall_points, roc_points
from foveate.metrics.risk_coverage import risk_coverage_of_images

if TYPE_CHECKING:
    from foveate.metrics import Confusion
    from foveate.metrics.bootstrap import Interval as Bootstrapped
    from foveate.metrics.points import Points
    from foveate.metrics.risk_coverage import RiskCoverage
    from foveate.records import Mask, Probability


@dataclass(slots=True)
class Pool:
    """What is known of one class in one scope. Of every image only numbers are kept, and of every group of images
    that is larger than one, a tally until the end."""

    wanted: Wanted
    together: Tally
    groups: list[str] = field(default_factory=list)
    rows: list[Values] = field(default_factory=list)
    confusions: list[Confusion] = field(default_factory=list)
    added: dict[str, list[list[float]]] = field(default_factory=dict)
    """What every image adds to the sums that a measure of `OF_SUMS` follows from."""
    levels: LevelsOfImages = field(default_factory=LevelsOfImages)
    """Every image's probabilities, counted."""
    by_group: dict[str, Tally] = field(default_factory=dict)
    """Tallies of groups; without histograms, which are a megabyte each."""

    @classmethod
    def of(cls, wanted: Wanted) -> Pool:
        """An empty one."""
        return cls(wanted, Tally.empty(wanted.groups))

    def add(
        self, group: str, probability: Probability | None, mask: Mask, truth: Mask, within: Mask | None
    ) -> ImageScore:
        """Count one image (all arrays H×W) where `within` is True, or everywhere; return its own scores."""
        tally, values = measure(probability, mask, truth, within, self.wanted)
        self.together.merge(tally)
        of_group = self.by_group.setdefault(group, Tally.empty(self.wanted.groups - {"probability"}))
        of_group.merge(tally)
        self.groups.append(group)
        self.rows.append(values)
        self.confusions.append(tally.confusion)
        for name, measure_of_sums in OF_SUMS.items():
            if own := measure_of_sums.added(tally):
                self.added.setdefault(name, []).append(own)
        if tally.levels is not None:
            self.levels.add(tally.levels)
        return ImageScore(counts=Counts(**asdict(tally.confusion)), values=values)

    def scope(self) -> Scope:
        """The scores of all that was added."""
        return Scope(
            pooled=Pooled(
                counts=Counts(**asdict(self.together.confusion)),
                values=self.together.values(self.wanted),
                intervals=self._pooled_intervals(),
            ),
            per_image=averaged(self.rows, self.groups),
            per_group=self._per_group(),
        )

    def _pooled_intervals(self) -> Intervals:
        found = rate_intervals(self.confusions, self.groups)
        found |= {name: interval(rows, OF_SUMS[name].score, self.groups) for name, rows in self.added.items()}
        if self.together.levels is not None:
            found |= area_intervals(self.together.levels, self.levels, self.groups)
        return {name: _pair(found[name]) for name in self.wanted.names if name in found}

    def _per_group(self) -> Averaged | None:
        if len(self.by_group) == len(self.rows):
            return None
        rows = [tally.values(self.wanted) for tally in self.by_group.values()]
        return averaged(rows, list(self.by_group))

    def curves(self) -> Curves | None:
        """What is drawn of the probabilities; None where there were masks alone."""
        histogram, reliability, certainty = (
            self.together.histogram,
            self.together.reliability,
            self.together.certainty,
        )
        if histogram is None or reliability is None or certainty is None or not reliability.total:
            return None
        errors = [None if (f1 := row["f1"]) is None else 1 - f1 for row in self.rows]
        return Curves(
            roc=_points(roc_points(histogram)),
            precision_recall=_points(precision_recall_points(histogram)),
            reliability=tuple(Bin(pixels=n, probability=p, share=share) for n, p, share in reliability.diagram()),
            pixel_risk=_risk(certainty.curve()),
            image_risk=_risk(risk_coverage_of_images([row.get("expected_f1") for row in self.rows], errors)),
        )

    def confidence(self) -> Confidence:
        """How well each image's expected F1 agrees with its true one."""
        pairs = [
            (before, after)
            for row in self.rows
            if (before := row.get("expected_f1")) is not None and (after := row["f1"]) is not None
        ]
        expected, true = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        told = len(pairs) > 2 and len(set(expected)) > 1 and len(set(true)) > 1
        return Confidence(
            images=len(pairs),
            expected=statistics.fmean(expected) if pairs else None,
            true=statistics.fmean(true) if pairs else None,
            mean_absolute_error=statistics.fmean(abs(a - b) for a, b in pairs) if pairs else None,
            correlation=statistics.correlation(expected, true) if told else None,
        )


def averaged(rows: Sequence[Mapping[str, float | None]], groups: Sequence[str]) -> Averaged:
    """Mean, standard deviation, interval and number of undefined values of each measure over rows of values."""
    names = [name for name in MEASURES if any(name in row for row in rows)]
    columns = {name: [row.get(name) for row in rows] for name in names}
    defined = {name: [value for value in column if value is not None] for name, column in columns.items()}
    return Averaged(
        count=len(rows),
        mean={name: statistics.fmean(values) if values else None for name, values in defined.items()},
        std={name: statistics.stdev(values) if len(values) > 1 else None for name, values in defined.items()},
        intervals={name: _pair(mean_interval(column, groups)) for name, column in columns.items()},
        undefined={name: len(rows) - len(values) for name, values in defined.items()},
    )


def macro(scopes: Sequence[Scope]) -> MacroScope:
    """The mean over classes, every one counting the same; one where a measure is undefined is left out of it."""
    pooled, per_image = ([scope.pooled.values for scope in scopes], [scope.per_image.mean for scope in scopes])
    return MacroScope(pooled=_mean_of(pooled), per_image=_mean_of(per_image))


def _mean_of(rows: Sequence[Mapping[str, float | None]]) -> Values:
    columns = {name: [value for row in rows if (value := row.get(name)) is not None] for name in rows[0]}
    return {name: statistics.fmean(values) if values else None for name, values in columns.items()}


def _pair(found: Bootstrapped | None) -> Interval | None:
    return None if found is None else (found.low, found.high)


def _points(points: Points | None) -> PointsOnCurve | None:
    return None if points is None else PointsOnCurve(x=points.x, y=points.y)


def _risk(curve: RiskCoverage | None) -> RiskCurve | None:
    return None if curve is None else RiskCurve(x=curve.coverage, y=curve.risk, area=curve.area)
