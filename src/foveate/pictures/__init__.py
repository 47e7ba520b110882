"""Pictures of an evaluation: from arrays and results to Matplotlib figures and RGB arrays.

Every picture says in small print what was counted, and that it is for research. Nothing here is shown or kept: a figure
is turned into bytes by `encoded`, and whoever asked for it writes them. Needs Matplotlib, which the extra `evaluate`
brings.
"""

from foveate.pictures.analytic import analytic_mask, missed, missed_words, words
from foveate.pictures.attention import attention_sheet
from foveate.pictures.colours import OUTCOMES, Palette
from foveate.pictures.confusion import confusion_matrices, counts_of, label_counts
from foveate.pictures.counted import counted, labels
from foveate.pictures.expected import expected_against_true
from foveate.pictures.figure import encoded
from foveate.pictures.learning import LearningCurve, learning_curves, read_learning_curve
from foveate.pictures.operating import precision_recall, roc
from foveate.pictures.panels import Panel, panels
from foveate.pictures.reliability import reliability
from foveate.pictures.risk import risk_coverage
from foveate.pictures.scores import scores_by_image
from foveate.pictures.strip import strip

__all__ = [
    "OUTCOMES",
    "LearningCurve",
    "Palette",
    "Panel",
    "analytic_mask",
    "attention_sheet",
    "confusion_matrices",
    "counted",
    "counts_of",
    "encoded",
    "expected_against_true",
    "label_counts",
    "labels",
    "learning_curves",
    "missed",
    "missed_words",
    "panels",
    "precision_recall",
    "read_learning_curve",
    "reliability",
    "risk_coverage",
    "roc",
    "scores_by_image",
    "strip",
    "words",
]
