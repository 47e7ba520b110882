"""Agreement of a binary mask, or of a probability map, with the truth: arrays in, numbers out.

A value that is undefined, as 0/0 is, is None: never 0, 1 or NaN. Boundaries, centrelines, components, calibres, paired
tests and risk–coverage curves need SciPy and scikit-image, which the extra `evaluate` brings; the rest needs NumPy.
"""

from foveate.metrics.bootstrap import Interval, interval, mean_interval, rate_intervals
from foveate.metrics.boundary import Boundary, boundary
from foveate.metrics.calibration import Reliability
from foveate.metrics.calibre import Calibres
from foveate.metrics.confidence import Correction, ExpectedDice, expected_dice, fit_correction, with_spread
from foveate.metrics.counts import Confusion, count
from foveate.metrics.curves import Histogram
from foveate.metrics.levels import Levels
from foveate.metrics.paired import Comparison, compare_paired
from foveate.metrics.points import Points, precision_recall_points, roc_points
from foveate.metrics.rates import Rates, rates, thresholded_jaccard
from foveate.metrics.risk_coverage import Certainty, RiskCoverage, risk_coverage_of_images
from foveate.metrics.topology import Centrelines, Components
from foveate.metrics.vessels import Vessels, count_vessels

__all__ = [
    "Boundary",
    "Calibres",
    "Centrelines",
    "Certainty",
    "Comparison",
    "Components",
    "Confusion",
    "Correction",
    "ExpectedDice",
    "Histogram",
    "Interval",
    "Levels",
    "Points",
    "Rates",
    "Reliability",
    "RiskCoverage",
    "Vessels",
    "boundary",
    "compare_paired",
    "count",
    "count_vessels",
    "expected_dice",
    "fit_correction",
    "interval",
    "mean_interval",
    "precision_recall_points",
    "rate_intervals",
    "rates",
    "risk_coverage_of_images",
    "roc_points",
    "thresholded_jaccard",
    "with_spread",
]
