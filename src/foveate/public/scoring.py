"""What `evaluate`, `report`, `compare` and `cross` share: sets, predictors and counting, in the commands' words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foveate.errors import UsageError, needs
from foveate.public.load import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from foveate.datasets import DataSet
    from foveate.evaluation import CountingRule, EvaluationResult, OnCase, Predictor
    from foveate.inference import Segmenter
    from foveate.inference.procedure import Procedure
    from foveate.runtime import Wish

Place = str | Path


@dataclass(frozen=True, slots=True)
class PredictionFiles:
    """Masks, or with a threshold probability maps, that other tools made: what is said of `predictions`.

    Raises UsageError for a threshold or a suffix without folders.
    """

    folders: tuple[Path, ...] = ()
    threshold: float | None = None
    suffix: str = ""
    """What their names end in."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not self.folders:
            raise UsageError("--threshold is for --predictions; that of a model is in its card.")
        if self.suffix and not self.folders:
            raise UsageError("--suffix is for --predictions: it is what the names of their files end in.")

    def predictors(self, data_set: DataSet) -> list[Predictor]:
        """One for each folder. Raises UsageError for one that isn't there."""
        from foveate.evaluation.predictor import folder_predictor

        return [folder_predictor(folder, data_set, self.threshold, self.suffix) for folder in self.folders]


def one_or_more(given: str | Path | Sequence[Place] | None) -> tuple[str, ...]:
    """What may be one or several, as several."""
    if given is None:
        return ()
    return (str(given),) if isinstance(given, str | Path) else tuple(map(str, given))


def procedure_for(
    weights: Sequence[str],
    tta: Literal[1, 2, 4, 8],
    hysteresis: float | None,
    reconnect: int,
    min_size: int | None,
    largest: bool,
    fill_holes: int,
    surest_size: bool,
) -> Procedure:
    """The options as one record. Raises UsageError for a value out of range, and for any that is on where there is no
    model that it could work on: masks are counted as they are."""
    from foveate.arrays.postprocess import PostProcessing
    from foveate.inference.procedure import Procedure

    procedure = Procedure(tta, PostProcessing(hysteresis, reconnect, min_size, largest, fill_holes), surest_size)
    if not weights and procedure != Procedure():
        raise UsageError(
            f"--tta, --surest-size and post-processing (here: {procedure.passes}; {procedure.steps}) are for WEIGHTS;"
            " --predictions are counted as they are."
        )
    return procedure


def models_of(weights: Sequence[str], wish: Wish, procedure: Procedure | None = None) -> list[Predictor]:
    """Shipped models, runs' best weights, or .onnx files, in order."""
    return [predictor_of(opened(place, wish, procedure), place) for place in weights]


def predictor_of(segmenter: Segmenter, weights: str) -> Predictor:
    """An opened model, under the name that it has in results."""
    from foveate.evaluation.predictor import model_predictor
    from foveate.models import shipped

    is_run = weights not in shipped() and Path(weights).is_dir()
    return model_predictor(segmenter, Path(weights).resolve().name if is_run else segmenter.card.name, source=weights)


def scored(
    predictor: Predictor, data_set: DataSet, split: str, rule: CountingRule, on_case: OnCase | None
) -> EvaluationResult:
    """The result of one predictor on one data set."""
    from foveate.evaluation import evaluate

    # The measures import what they need when they are taken.
    with needs("evaluate", "evaluating"):
        return evaluate(
            predictor,
            predictor.entries(data_set, split),
            data_set.classes,
            data_set=data_set.name,
            split=split,
            rule=rule,
            on_case=on_case,
        )


@dataclass(frozen=True, slots=True)
class SetToScore:
    """One data set, who predicts on it, and how that is counted."""

    data_set: DataSet
    split: str
    predictors: tuple[Predictor, ...]
    rule: CountingRule

    def results(self, on_case: OnCase | None) -> Iterator[EvaluationResult]:
        """Of each predictor."""
        for predictor in self.predictors:
            yield scored(predictor, self.data_set, self.split, self.rule, on_case)


def sets_to_score(
    data: Sequence[str],
    split: str,
    models: Sequence[Predictor],
    files: PredictionFiles,
    rule: Callable[[DataSet], CountingRule],
) -> list[SetToScore]:
    """All sets, with every predictor checked before anything is scored; the rules may take a look at images.

    Raises UsageError for a split that isn't there, or a model of other classes.
    """
    from foveate.datasets import open_set
    from foveate.evaluation.data_set import check_predictors

    pairs = [(data_set, (*models, *files.predictors(data_set))) for data_set in map(open_set, data)]
    for data_set, predictors in pairs:
        check_predictors(predictors, data_set, split)
    return [SetToScore(data_set, split, predictors, rule(data_set)) for data_set, predictors in pairs]
