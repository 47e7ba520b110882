"""Agreement of a binary mask, or of a probability map, with the truth: arrays in, numbers out.

A value that is undefined, as 0/0 is, is None: never 0, 1 or NaN. Boundaries, centrelines, components, calibres, paired
tests and risk–coverage curves need SciPy and scikit-image, which the extra `evaluate` brings; the rest needs NumPy.
"""

from foveate.metrics.areas import Levels
from foveate.metrics.bootstrap import BootstrapInterval, interval, mean_interval, rate_intervals
from foveate.metrics.boundary import Boundary, boundary
from foveate.metrics.calibration import CalibrationSums
from foveate.metrics.calibre import Calibres
from foveate.metrics.confidence import Correction, F1Estimate, expected_f1, fit_correction, with_spread
from foveate.metrics.counts import Confusion, Rates, count, rates, thresholded_jaccard
from foveate.metrics.curves import CurvePoints, Histogram, precision_recall_points, roc_points
from foveate.metrics.paired import PairedTest, compare_paired
from foveate.metrics.risk_coverage import Certainty, RiskCoverage, risk_coverage_of_images
from foveate.metrics.topology import Centrelines, Components
from foveate.metrics.vessels import VesselCounts, count_vessels

__all__ = [
    "BootstrapInterval",
    "Boundary",
    "CalibrationSums",
    "Calibres",
    "Centrelines",
    "Certainty",
    "Components",
    "Confusion",
    "Correction",
    "CurvePoints",
    "F1Estimate",
    "Histogram",
    "Levels",
    "PairedTest",
    "Rates",
    "RiskCoverage",
    "VesselCounts",
    "boundary",
    "compare_paired",
    "count",
    "count_vessels",
    "expected_f1",
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
