"""Evaluation of a predictor on a data set, with everything said that a number depends on.

docs/evaluation.md has the definition of every number and of every field of the result.
"""

from foveate.evaluation.counting import CountingRule, FovRule, FovSource, shows_eyes
from foveate.evaluation.evaluate import OnCase, evaluate
from foveate.evaluation.predictor import Prediction, Predictor
from foveate.evaluation.protocol import DataSummary, ModelSummary, Protocol, Threshold
from foveate.evaluation.result import EvaluationResult
from foveate.evaluation.words import confidence, statement, warning

__all__ = [
    "CountingRule",
    "DataSummary",
    "EvaluationResult",
    "FovRule",
    "FovSource",
    "ModelSummary",
    "OnCase",
    "Prediction",
    "Predictor",
    "Protocol",
    "Threshold",
    "confidence",
    "evaluate",
    "shows_eyes",
    "statement",
    "warning",
]
