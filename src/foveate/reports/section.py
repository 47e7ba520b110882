"""One data set's section of the page: its results, its figures, and the images to look into."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from foveate.evaluation import evaluate
from foveate.evaluation.counting import resized
from foveate.pictures import label_counts, labels
from foveate.reports.figures import figures
from foveate.reports.files import write_figures, write_images
from foveate.reports.images import ShownImage, chosen, image_f1
from foveate.reports.page import SetSection
from foveate.reports.viewer import viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from foveate.datasets import DataSet
    from foveate.evaluation import CountingRule, EvaluationResult, FovRule, OnCase, Prediction, Predictor
    from foveate.pictures import Palette
    from foveate.pictures.figure import PictureForm
    from foveate.records import Case


@dataclass(slots=True, eq=False)
class LabelCounts:
    """How often which class was called which, over a data set whose classes exclude each other: sums over images."""

    fov: FovRule
    inside: NDArray[np.int64] | None = None
    """(K+1)×(K+1), inside the field of view: rows are the truth, background first. None before the first image."""
    everywhere: NDArray[np.int64] | None = None
    """The same over all pixels."""

    def add(self, case: Case, prediction: Prediction) -> None:
        """Count one image, in place."""
        within, _ = self.fov.within(case)
        inside = label_counts(prediction.masks, case.masks, within)
        everywhere = label_counts(prediction.masks, case.masks, None)
        self.inside = inside if self.inside is None else self.inside + inside
        self.everywhere = everywhere if self.everywhere is None else self.everywhere + everywhere

    @property
    def matrices(self) -> dict[str, NDArray[np.int64]]:
        """By which pixels were counted, in words; all of them alone where none lies outside the field of view."""
        if self.inside is None or self.everywhere is None:
            return {}
        if (self.inside == self.everywhere).all():
            return {"whole image": self.everywhere}
        return {"inside the field of view": self.inside, "whole image": self.everywhere}


def section_of(
    data_set: DataSet,
    split: str,
    predictors: Sequence[Predictor],
    rule: CountingRule,
    on_case: OnCase | None,
    palette: Palette,
    folder: Path,
    form: PictureForm | None,
) -> SetSection:
    """Evaluate every predictor on the set, and draw; with a form the pictures are written into the folder, too.

    Raises what `evaluate` and the predictors raise, and OutputError.
    """
    results: list[EvaluationResult] = []
    matrices: list[LabelCounts] = []
    for predictor in predictors:
        counts = LabelCounts(rule.fov)
        predict = _counting_labels(predictor, counts) if data_set.classes.softmax else predictor.predict
        results.append(
            evaluate(
                replace(predictor, predict=predict),
                predictor.entries(data_set, split),
                data_set.classes,
                data_set=data_set.name,
                split=split,
                rule=rule,
                on_case=on_case,
            )
        )
        matrices.append(counts)
    names, classes, viewers = labels(results), data_set.classes.names, []
    name = f"{data_set.name}_{split}"
    for shown in _shown_images(data_set, split, predictors, rule, results):
        viewers.append(viewer(shown, names, classes, key=f"{name}-{shown.why}", palette=palette))
        if form is not None:
            write_images(folder, name, shown, results, classes, palette)
    drawn = tuple(figures(results, [counts.matrices for counts in matrices]))
    if form is not None:
        write_figures(folder, name, drawn, form)
    return SetSection(data_set.title, data_set.terms, data_set.citation, tuple(results), tuple(viewers), drawn)


def _counting_labels(predictor: Predictor, counts: LabelCounts) -> Callable[[Case], Prediction]:
    """The predictor's function, which on the way counts how often which class is called which."""

    def predict(case: Case) -> Prediction:
        prediction = predictor.predict(case)
        counts.add(case, prediction)
        return prediction

    return predict


def _shown_images(
    data_set: DataSet,
    split: str,
    predictors: Sequence[Predictor],
    rule: CountingRule,
    results: Sequence[EvaluationResult],
) -> Iterator[ShownImage]:
    """The best, median and worst image, read and predicted once more: only one is in memory at a time."""
    entries = {entry.id: entry for entry in predictors[0].entries(data_set, split)}
    for case_id, why in chosen(results):
        case = entries[case_id].load()
        if rule.size is not None:
            case = resized(case, rule.size)
        masks = tuple(predictor.predict(case).masks for predictor in predictors)
        f1 = [image_f1(next(row.classes for row in result.images if row.id == case_id)) for result in results]
        within, _ = rule.fov.within(case)
        yield ShownImage(case_id, why, tuple(f1), case.image, case.masks, within, masks)
