"""The figures of one data set's results, each with words for those who don't see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from foveate.pictures import (
    confusion_matrices,
    counted,
    counts_of,
    expected_against_true,
    labels,
    learning_curves,
    precision_recall,
    reliability,
    risk_coverage,
    roc,
    scores_by_image,
)
from foveate.pictures.confusion import BACKGROUND
from foveate.reports.page_tables import WHERE, counts_everything

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from foveate.evaluation import EvaluationResult
    from foveate.evaluation.result import MeasureValues
    from foveate.pictures import LearningCurve

Matrices = Mapping[str, "NDArray[np.int64]"]

FigureKind = tuple[Callable[[Sequence["EvaluationResult"], str], "Figure | None"], tuple[str, ...]]
"""What draws a figure, and the measures that tell its words."""

CURVES: Mapping[str, FigureKind] = MappingProxyType(
    {
        "roc": (roc, ("roc_auc", "sensitivity", "specificity")),
        "precision_recall": (precision_recall, ("average_precision", "sensitivity", "precision")),
        "scores": (scores_by_image, ("f1",)),
        "reliability": (reliability, ("calibration_error", "brier")),
        "expected_f1": (expected_against_true, ("f1",)),
    }
)
RISK: Mapping[str, FigureKind] = MappingProxyType({"risk_coverage": (risk_coverage, ("accuracy", "f1"))})
"""Two plots beside each other: as wide as the page."""


@dataclass(frozen=True, slots=True)
class DrawnFigure:
    """A figure."""

    name: str
    """For a file, such as 'roc'."""
    figure: Figure
    words: str
    """What it shows, with its numbers."""
    wide: bool = False


def figures(results: Sequence[EvaluationResult], label_matrices: Sequence[Matrices]) -> Iterator[DrawnFigure]:
    """Everything that can be drawn of the results of one set, class by class, then the confusions of classes.

    `label_matrices` are, for each result, the (K+1)×(K+1) counts by title; empty where there are none.
    """
    for name in results[0].classes:
        after = f"_{name}" if len(results[0].classes) > 1 else ""
        yield from _drawn(results, name, after, CURVES)
        yield from _confusions(results, name, after)
        yield from _drawn(results, name, after, RISK)
    names = [BACKGROUND, *results[0].classes]
    for label, result, matrices in zip(labels(results), results, label_matrices, strict=True):
        if matrices:
            titled = {f"{label}, {where}": matrix for where, matrix in matrices.items()}
            figure = confusion_matrices(titled, names, counted([result], None, "pixels of all images together"))
            yield DrawnFigure(f"confusion_classes_{label}", figure, _in_words(titled, names), wide=True)


def learning(runs: Sequence[LearningCurve]) -> DrawnFigure:
    """How one or more runs learned, in one plot."""
    best = (f"{run.name}: best validation F1 {run.mean_f1[run.best]:.4f}" for run in runs)
    return DrawnFigure("learning", learning_curves(runs), f"Learning curves. {'; '.join(best)}.", wide=True)


def _drawn(
    results: Sequence[EvaluationResult], name: str, after: str, chosen: Mapping[str, FigureKind]
) -> Iterator[DrawnFigure]:
    for kind, (draw, measures) in chosen.items():
        figure = draw(results, name)
        if figure is not None:
            title = kind.replace("_", " ")
            words = f"{title} of {name}. {_values_in_words(results, name, measures)}"
            yield DrawnFigure(f"{kind}{after}", figure, words, wide=chosen is RISK)


def _confusions(results: Sequence[EvaluationResult], name: str, after: str) -> Iterator[DrawnFigure]:
    for label, result in zip(labels(results), results, strict=True):
        scopes = result.classes[name]
        matrices = {
            f"{label}, {WHERE[where].lower()}": counts_of(scope.pooled.counts)
            for where, scope in scopes.told_apart.items()
        }
        names = [BACKGROUND, name]
        figure = confusion_matrices(matrices, names, counted([result], None, "pixels of all images together"))
        several = f"_{label}" if len(results) > 1 else ""
        yield DrawnFigure(f"confusion{after}{several}", figure, _in_words(matrices, names))


def _values_in_words(results: Sequence[EvaluationResult], name: str, measures: Sequence[str]) -> str:
    def told(who: str, values: MeasureValues) -> str:
        known = ((measure.replace("_", " "), values.get(measure)) for measure in measures)
        return f"{who}: {', '.join(f'{measure} {value:.4f}' for measure, value in known if value is not None)}"

    rows = [told(who, r.classes[name].fov.pooled.values) for who, r in zip(labels(results), results, strict=True)]
    second = results[0].second_observer
    if second is not None:
        rows.append(told("second observer", second.classes[name].fov.pooled.values))
    where = "over the whole image" if counts_everything(results) else "inside the field of view"
    return f"Pooled {where}: {'; '.join(rows)}."


def _in_words(matrices: Matrices, names: Sequence[str]) -> str:
    told = [
        f"{title}: "
        + "; ".join(
            f"{int(count)} pixels of {names[row]} called {names[column]}"
            for row, counts in enumerate(matrix)
            for column, count in enumerate(counts)
        )
        for title, matrix in matrices.items()
    ]
    return f"Confusion matrix. {'. '.join(told)}."
