"""Agreement of a binary mask, or of a probability map, with the truth: arrays in, numbers out.

A value that is undefined, as 0/0 is, is None: never 0, 1 or NaN. Boundaries, centrelines, components, calibres, paired
tests and risk–coverage curves need SciPy and scikit-image, which the extra `evaluate` brings; the rest needs NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveate.metrics.areas import Levels
    from foveate.metrics.bootstrap import BootstrapInterval, interval, mean_interval, rate_intervals
    from foveate.metrics.boundaries import Boundary, boundary
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

_HOMES = {
    "BootstrapInterval": "foveate.metrics.bootstrap",
    "Boundary": "foveate.metrics.boundaries",
    "CalibrationSums": "foveate.metrics.calibration",
    "Calibres": "foveate.metrics.calibre",
    "Centrelines": "foveate.metrics.topology",
    "Certainty": "foveate.metrics.risk_coverage",
    "Components": "foveate.metrics.topology",
    "Confusion": "foveate.metrics.counts",
    "Correction": "foveate.metrics.confidence",
    "CurvePoints": "foveate.metrics.curves",
    "F1Estimate": "foveate.metrics.confidence",
    "Histogram": "foveate.metrics.curves",
    "Levels": "foveate.metrics.areas",
    "PairedTest": "foveate.metrics.paired",
    "Rates": "foveate.metrics.counts",
    "RiskCoverage": "foveate.metrics.risk_coverage",
    "VesselCounts": "foveate.metrics.vessels",
    "boundary": "foveate.metrics.boundaries",
    "compare_paired": "foveate.metrics.paired",
    "count": "foveate.metrics.counts",
    "count_vessels": "foveate.metrics.vessels",
    "expected_f1": "foveate.metrics.confidence",
    "fit_correction": "foveate.metrics.confidence",
    "interval": "foveate.metrics.bootstrap",
    "mean_interval": "foveate.metrics.bootstrap",
    "precision_recall_points": "foveate.metrics.curves",
    "rate_intervals": "foveate.metrics.bootstrap",
    "rates": "foveate.metrics.counts",
    "risk_coverage_of_images": "foveate.metrics.risk_coverage",
    "roc_points": "foveate.metrics.curves",
    "thresholded_jaccard": "foveate.metrics.counts",
    "with_spread": "foveate.metrics.confidence",
}
"""Where each name is imported from when it is first asked for: to segment takes one of these files."""


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'foveate.metrics' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
