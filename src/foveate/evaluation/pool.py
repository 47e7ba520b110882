"""Running sums over images of one class in one scope, and each image's own scores."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foveate.evaluation.measures import MEASURES, ChosenMeasures, MeasureValues, Tally, measure
from foveate.evaluation.result import (
    Averaged,
    Confidence,
    Curves,
    ImageScore,
    Interval,
    Intervals,
    MacroScores,
    PixelCounts,
    PointsOnCurve,
    Pooled,
    ReliabilityBin,
    RiskCurve,
    ScopeScores,
)
from foveate.metrics.areas import LevelsOfImages, area_intervals
from foveate.metrics.bootstrap import interval, mean_interval, rate_intervals
from foveate.metrics.calibration import CalibrationSums
from foveate.metrics.curves import precision_recall_points, roc_points
from foveate.metrics.risk_coverage import risk_coverage_of_images
from foveate.metrics.vessels import VesselCounts

if TYPE_CHECKING:
    from foveate.metrics import Confusion
    from foveate.metrics.bootstrap import BootstrapInterval
    from foveate.metrics.curves import CurvePoints
    from foveate.metrics.risk_coverage import RiskCoverage
    from foveate.records import Mask, Probability

Sums = NDArray[np.float64]
"""R×m: m sums in R resamples."""


@dataclass(frozen=True, slots=True)
class SumMeasure:
    """A pooled measure that follows from what every image adds."""

    added: Callable[[Tally], list[float]]
    """By one image; empty where the image has nothing of the kind."""
    score: Callable[[Sums], NDArray[np.float64]]


def _calibrated(added: Callable[[CalibrationSums], list[float]]) -> Callable[[Tally], list[float]]:
    return lambda tally: [] if tally.reliability is None else added(tally.reliability)


def _of_vessels(added: Callable[[VesselCounts], list[float]]) -> Callable[[Tally], list[float]]:
    return lambda tally: [] if tally.vessels is None else added(tally.vessels)


def _ratio(sums: Sums) -> NDArray[np.float64]:
    """The first sum as a share of the second."""
    return sums[:, 0] / sums[:, 1]


def _cldice(sums: Sums) -> NDArray[np.float64]:
    predicted, right, true, covered = sums.T
    precision, sensitivity = right / predicted, covered / true
    cldice: NDArray[np.float64] = 2 * precision * sensitivity / (precision + sensitivity)
    return cldice


def _calibration_error(sums: Sums) -> NDArray[np.float64]:
    """The first sum is of pixels, then come each bin's foreground less its probabilities."""
    error: NDArray[np.float64] = np.abs(sums[:, 1:]).sum(axis=1) / sums[:, 0]
    return error


SUM_MEASURES: Mapping[str, SumMeasure] = MappingProxyType(
    {
        "focal_loss": SumMeasure(_calibrated(lambda all_of: [all_of.focal_losses, all_of.total]), _ratio),
        "log_loss": SumMeasure(_calibrated(lambda all_of: [all_of.log_losses, all_of.total]), _ratio),
        "brier": SumMeasure(_calibrated(lambda all_of: [all_of.squares, all_of.total]), _ratio),
        "calibration_error": SumMeasure(
            _calibrated(lambda all_of: [all_of.total, *(all_of.positives - all_of.probabilities).tolist()]),
            _calibration_error,
        ),
        "cldice": SumMeasure(_of_vessels(lambda all_of: list(map(float, astuple(all_of.centrelines)))), _cldice),
        "thin_sensitivity": SumMeasure(
            _of_vessels(lambda all_of: [all_of.calibres.thin_found, all_of.calibres.thin_true]), _ratio
        ),
        "thick_sensitivity": SumMeasure(
            _of_vessels(lambda all_of: [all_of.calibres.thick_found, all_of.calibres.thick_true]), _ratio
        ),
        "thin_precision": SumMeasure(
            _of_vessels(lambda all_of: [all_of.calibres.thin_right, all_of.calibres.thin_predicted]), _ratio
        ),
        "thick_precision": SumMeasure(
            _of_vessels(lambda all_of: [all_of.calibres.thick_right, all_of.calibres.thick_predicted]), _ratio
        ),
    }
)
"""By their name in `MEASURES`."""


@dataclass(slots=True)
class Pool:
    """What is known of one class in one scope. Of every image only numbers are kept, and of every group of images
    that is larger than one, a tally until the end."""

    chosen: ChosenMeasures
    together: Tally
    groups: list[str] = field(default_factory=list)
    rows: list[MeasureValues] = field(default_factory=list)
    confusions: list[Confusion] = field(default_factory=list)
    added: dict[str, list[list[float]]] = field(default_factory=dict)
    """What every image adds to the sums that a measure of `SUM_MEASURES` follows from."""
    levels: LevelsOfImages = field(default_factory=LevelsOfImages)
    """Every image's probabilities, counted."""
    by_group: dict[str, Tally] = field(default_factory=dict)
    """Tallies of groups; without histograms, which are a megabyte each."""

    @classmethod
    def of(cls, chosen: ChosenMeasures) -> Pool:
        """An empty one."""
        return cls(chosen, Tally.empty(chosen.groups))

    def add(
        self, group: str, probability: Probability | None, mask: Mask, truth: Mask, within: Mask | None
    ) -> ImageScore:
        """Count one image (all arrays H×W) where `within` is True, or everywhere; return its own scores."""
        tally, values = measure(probability, mask, truth, within, self.chosen)
        self.together.merge(tally)
        of_group = self.by_group.setdefault(group, Tally.empty(self.chosen.groups - {"probability"}))
        of_group.merge(tally)
        self.groups.append(group)
        self.rows.append(values)
        self.confusions.append(tally.confusion)
        for name, measure_of_sums in SUM_MEASURES.items():
            if own := measure_of_sums.added(tally):
                self.added.setdefault(name, []).append(own)
        if tally.levels is not None:
            self.levels.add(tally.levels)
        return ImageScore(counts=PixelCounts(**asdict(tally.confusion)), values=values)

    def scope(self) -> ScopeScores:
        """The scores of all that was added."""
        return ScopeScores(
            pooled=Pooled(
                counts=PixelCounts(**asdict(self.together.confusion)),
                values=self.together.values(self.chosen),
                intervals=self._pooled_intervals(),
            ),
            per_image=averaged(self.rows, self.groups),
            per_group=self._per_group(),
        )

    def _pooled_intervals(self) -> Intervals:
        intervals = rate_intervals(self.confusions, self.groups)
        intervals |= {name: interval(rows, SUM_MEASURES[name].score, self.groups) for name, rows in self.added.items()}
        if self.together.levels is not None:
            intervals |= area_intervals(self.together.levels, self.levels, self.groups)
        return {name: _pair(intervals[name]) for name in self.chosen.names if name in intervals}

    def _per_group(self) -> Averaged | None:
        if len(self.by_group) == len(self.rows):
            return None
        rows = [tally.values(self.chosen) for tally in self.by_group.values()]
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
            reliability=tuple(
                ReliabilityBin(pixels=n, probability=p, share=share) for n, p, share in reliability.diagram()
            ),
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


def macro(scopes: Sequence[ScopeScores]) -> MacroScores:
    """The mean over classes, every one counting the same; one where a measure is undefined is left out of it."""
    pooled, per_image = ([scope.pooled.values for scope in scopes], [scope.per_image.mean for scope in scopes])
    return MacroScores(
        pooled=_mean_of(pooled),
        per_image=_mean_of(per_image),
        undefined=_undefined_in(pooled),
        per_image_undefined=_undefined_in(per_image),
    )


def _mean_of(rows: Sequence[Mapping[str, float | None]]) -> MeasureValues:
    columns = {name: [value for row in rows if (value := row.get(name)) is not None] for name in rows[0]}
    return {name: statistics.fmean(values) if values else None for name, values in columns.items()}


def _undefined_in(rows: Sequence[Mapping[str, float | None]]) -> dict[str, int]:
    return {name: sum(row.get(name) is None for row in rows) for name in rows[0]}


def _pair(bounds: BootstrapInterval | None) -> Interval | None:
    return None if bounds is None else (bounds.low, bounds.high)


def _points(points: CurvePoints | None) -> PointsOnCurve | None:
    return None if points is None else PointsOnCurve(x=points.x, y=points.y)


def _risk(curve: RiskCoverage | None) -> RiskCurve | None:
    return None if curve is None else RiskCurve(x=curve.coverage, y=curve.risk, area=curve.area)
