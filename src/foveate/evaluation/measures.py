"""Every measure of a mask, or of the probabilities behind it, and what of an image is kept to pool it with others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from foveate.errors import UsageError, unknown
from foveate.metrics import Confusion, Histogram, Levels, count, rates
from foveate.metrics.boundaries import boundary
from foveate.metrics.calibration import CalibrationSums
from foveate.metrics.confidence import expected_f1
from foveate.metrics.counts import thresholded_jaccard
from foveate.metrics.risk_coverage import Certainty
from foveate.metrics.vessels import VesselCounts, count_vessels

if TYPE_CHECKING:
    from foveate.records import Mask, Probability

MeasureGroup = Literal["mask", "probability", "vessels", "boundary"]
"""What is measured together: of masks, of probabilities, of vessels, of the masks' borders."""

GROUPS: tuple[MeasureGroup, ...] = ("mask", "probability", "vessels", "boundary")

MeasureValues = dict[str, float | None]
"""Measure to value; None is undefined."""


@dataclass(frozen=True, slots=True)
class EvaluationMeasure:
    """What a number is."""

    group: MeasureGroup
    description: str
    pooled: bool = True
    """Whether there is one number for all images together, too."""
    digits: int = 4
    """Decimals in a table."""
    counted: bool = False
    """Whether the number for all images together is a number of things."""

    @property
    def pooled_digits(self) -> int:
        """Decimals of the number for all images together."""
        return 0 if self.counted else self.digits


MEASURES: Mapping[str, EvaluationMeasure] = MappingProxyType(
    {
        "f1": EvaluationMeasure("mask", "2 TP / (2 TP + FP + FN), the Dice coefficient"),
        "iou": EvaluationMeasure("mask", "TP / (TP + FP + FN), the Jaccard index"),
        "sensitivity": EvaluationMeasure("mask", "TP / (TP + FN)"),
        "specificity": EvaluationMeasure("mask", "TN / (TN + FP)"),
        "precision": EvaluationMeasure("mask", "TP / (TP + FP)"),
        "accuracy": EvaluationMeasure("mask", "(TP + TN) / all"),
        "balanced_accuracy": EvaluationMeasure("mask", "mean of sensitivity and specificity"),
        "mcc": EvaluationMeasure("mask", "Matthews correlation coefficient, -1 to 1"),
        "thresholded_jaccard": EvaluationMeasure(
            "mask", "the Jaccard index, 0 where it is below .65 (ISIC 2018)", pooled=False
        ),
        "roc_auc": EvaluationMeasure("probability", "area under the ROC curve"),
        "average_precision": EvaluationMeasure(
            "probability", "average precision, not interpolated: the area under the PR curve"
        ),
        "focal_loss": EvaluationMeasure("probability", "mean focal loss, gamma 2 and alpha .25"),
        "log_loss": EvaluationMeasure("probability", "mean of minus the logarithm of the probability of what is true"),
        "brier": EvaluationMeasure("probability", "mean squared difference of probability and truth"),
        "calibration_error": EvaluationMeasure("probability", "expected calibration error, 15 bins"),
        "expected_f1": EvaluationMeasure("probability", "F1 as the probabilities alone would have it", pooled=False),
        "cldice": EvaluationMeasure("vessels", "centreline Dice"),
        "components": EvaluationMeasure(
            "vessels", "connected components of the prediction; pooled: their sum", digits=1, counted=True
        ),
        "true_components": EvaluationMeasure(
            "vessels", "connected components of the truth; pooled: their sum", digits=1, counted=True
        ),
        "component_error": EvaluationMeasure(
            "vessels", "difference of the two, without its sign", pooled=False, digits=1
        ),
        "thin_sensitivity": EvaluationMeasure(
            "vessels", "sensitivity for true vessels of a calibre of at most 3 pixels"
        ),
        "thick_sensitivity": EvaluationMeasure("vessels", "sensitivity for wider ones"),
        "thin_precision": EvaluationMeasure(
            "vessels", "precision for predicted vessels of a calibre of at most 3 pixels"
        ),
        "thick_precision": EvaluationMeasure("vessels", "precision for wider ones"),
        "hausdorff_95": EvaluationMeasure(
            "boundary", "95th percentile of the distances between the borders, pixels", pooled=False, digits=2
        ),
        "surface_distance": EvaluationMeasure(
            "boundary", "mean distance between the borders, pixels", pooled=False, digits=2
        ),
        "missed": EvaluationMeasure(
            "boundary", "1 where there is something and nothing was found; pooled: their number", counted=True
        ),
        "false_alarm": EvaluationMeasure(
            "boundary", "1 where there is nothing and something was found; pooled: their number", counted=True
        ),
        "surface_dice": EvaluationMeasure(
            "boundary", "share of the borders within the tolerance of each other", pooled=False
        ),
    }
)
"""Name to what it is, in the order of tables."""

ALSO_CALLED: Mapping[str, str] = MappingProxyType({"dice": "f1", "jaccard": "iou"})
"""Other names that are taken for a measure's own."""


def known_measures(names: Sequence[str]) -> tuple[str, ...]:
    """The measures' own names, each once; dice and jaccard are f1 and iou. Raises UsageError for an unknown one."""
    own = [ALSO_CALLED.get(name.lower(), name) for name in names]
    for name in own:
        if name not in MEASURES:
            raise UsageError(unknown("measure", name, MEASURES))
    return tuple(dict.fromkeys(own))


AGREEMENT = ("f1", "iou", "thresholded_jaccard", "cldice", "surface_dice")
"""The measures that are 0/0 where truth and prediction are both empty, and 1 if one calls that agreement."""


@dataclass(frozen=True, slots=True)
class ChosenMeasures:
    """What to measure, and how."""

    groups: frozenset[MeasureGroup]
    tolerance: float = 2.0
    """Pixels, of `surface_dice`."""
    empty_is_one: bool = False
    """Whether `AGREEMENT` on an empty truth is 1, or undefined."""

    @property
    def names(self) -> tuple[str, ...]:
        """The measures, in order."""
        return tuple(name for name, measure in MEASURES.items() if measure.group in self.groups)


@dataclass(slots=True)
class Tally:
    """What is counted of one image or, merged, of many; its size doesn't grow with them."""

    confusion: Confusion
    vessels: VesselCounts | None
    histogram: Histogram | None
    levels: Levels | None
    reliability: CalibrationSums | None
    certainty: Certainty | None
    missed: int = 0
    """Images with foreground in the truth and none in the prediction."""
    false_alarms: int = 0
    """Images with foreground in the prediction and none in the truth."""

    @classmethod
    def empty(cls, groups: frozenset[MeasureGroup]) -> Tally:
        """Of no image."""
        seen = "probability" in groups
        return cls(
            Confusion(),
            VesselCounts() if "vessels" in groups else None,
            Histogram() if seen else None,
            Levels.empty() if seen else None,
            CalibrationSums() if seen else None,
            Certainty() if seen else None,
        )

    def merge(self, other: Tally) -> None:
        """Add what was counted elsewhere, of the same groups, in place."""
        self.confusion += other.confusion
        self.missed += other.missed
        self.false_alarms += other.false_alarms
        if self.vessels is not None and other.vessels is not None:
            self.vessels += other.vessels
        for own, added in ((self.histogram, other.histogram), (self.reliability, other.reliability)):
            if own is not None and added is not None:
                own.merge(added)  # type: ignore[arg-type]
        if self.levels is not None and other.levels is not None:
            self.levels = self.levels.merged(other.levels)
        if self.certainty is not None and other.certainty is not None:
            self.certainty.merge(other.certainty)

    def values(self, chosen: ChosenMeasures) -> MeasureValues:
        """Every wanted measure that can be pooled."""
        values: MeasureValues = {}
        of_mask = rates(self.confusion)
        values |= asdict(of_mask) | {"balanced_accuracy": of_mask.balanced_accuracy}
        if self.levels is not None and self.reliability is not None:
            values |= _of_probabilities(self.levels, self.reliability)
        if self.vessels is not None:
            values |= _of_vessels(self.vessels)
        values |= {"missed": float(self.missed), "false_alarm": float(self.false_alarms)}
        return _settled(values, self.confusion, chosen)


def measure(
    probability: Probability | None, mask: Mask, truth: Mask, within: Mask | None, chosen: ChosenMeasures
) -> tuple[Tally, MeasureValues]:
    """Count one image (all arrays H×W) where `within` is True, or everywhere, and give every wanted measure of it."""
    tally = Tally.empty(chosen.groups)
    tally.confusion = counts = count(mask, truth, within)
    true, called = counts.true_positive + counts.false_negative, counts.true_positive + counts.false_positive
    tally.missed, tally.false_alarms = int(true > 0 and not called), int(called > 0 and not true)
    if tally.vessels is not None:
        tally.vessels = count_vessels(mask, truth, within)
    if probability is not None and tally.histogram and tally.reliability and tally.certainty:
        tally.histogram.add(probability, truth, within)
        tally.levels = Levels.of(probability, truth, within)
        tally.reliability.add(probability, truth, within)
        tally.certainty.add(probability, mask, truth, within)
    values = tally.values(chosen)
    values["thresholded_jaccard"] = thresholded_jaccard([values["iou"]])
    if probability is not None:
        expected = expected_f1(probability, mask, within)
        values["expected_f1"] = None if expected is None else expected.value
    if tally.vessels is not None:
        values["component_error"] = float(tally.vessels.components.betti_0_error)
    if "boundary" in chosen.groups:
        borders = boundary(mask, truth, within, tolerance=chosen.tolerance)
        values |= {
            "hausdorff_95": borders.hausdorff_95,
            "surface_distance": borders.average_surface_distance,
            "surface_dice": borders.surface_dice,
        }
    return tally, _settled(values, tally.confusion, chosen)


def _of_probabilities(levels: Levels, reliability: CalibrationSums) -> MeasureValues:
    return {
        "roc_auc": levels.roc_auc,
        "average_precision": levels.average_precision,
        "focal_loss": reliability.focal_loss,
        "log_loss": reliability.log_loss,
        "brier": reliability.brier,
        "calibration_error": reliability.expected_calibration_error,
    }


def _of_vessels(vessels: VesselCounts) -> MeasureValues:
    calibres = vessels.calibres
    return {
        "cldice": vessels.centrelines.cldice,
        "components": float(vessels.components.predicted),
        "true_components": float(vessels.components.true),
        "thin_sensitivity": calibres.thin_sensitivity,
        "thick_sensitivity": calibres.thick_sensitivity,
        "thin_precision": calibres.thin_precision,
        "thick_precision": calibres.thick_precision,
    }


def _settled(values: MeasureValues, confusion: Confusion, chosen: ChosenMeasures) -> MeasureValues:
    """In the table's order; where nothing was and nothing was found, agreement is what is chosen."""
    nothing = not (confusion.true_positive or confusion.false_positive or confusion.false_negative)
    if nothing and chosen.empty_is_one:
        values = values | dict.fromkeys(values.keys() & set(AGREEMENT), 1.0)
    return {name: values[name] for name in chosen.names if name in values}
