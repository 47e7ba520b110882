"""Evaluation of a model on a data set, with everything said that a number depends on.

docs/evaluation.md has the definition of every number and of every field of the report.
"""

from foveate.evaluation.evaluate import Prediction, Seen, Way, evaluate
from foveate.evaluation.fov import Counting, FovSource, shows_eyes
from foveate.evaluation.protocol import DataSummary, ModelSummary, Protocol, Threshold
from foveate.evaluation.report import Report
from foveate.evaluation.table import confidence, statement, tables, warning

__all__ = [
    "Counting",
    "DataSummary",
    "FovSource",
    "ModelSummary",
    "Prediction",
    "Protocol",
    "Report",
    "Seen",
    "Threshold",
    "Way",
    "confidence",
    "evaluate",
    "shows_eyes",
    "statement",
    "tables",
    "warning",
]
