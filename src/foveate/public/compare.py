"""`foveate.compare`: models on the same images, with paired tests and published rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import UsageError, needs
from foveate.public.scoring import PredictionFiles, models_of, one_or_more, scored, sets_to_score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foveate.datasets import DataSet
    from foveate.evaluation import CountingRule, EvaluationResult, FovSource, OnCase
    from foveate.evaluation.compare import Comparison
    from foveate.evaluation.named_results import Named
    from foveate.public.scoring import Place
    from foveate.records import Scope


def compare(
    models: Place | Sequence[Place] = (),
    *,
    data: str | Sequence[str] = (),
    split: str = "test",
    predictions: Place | Sequence[Place] = (),
    threshold: float | None = None,
    suffix: str = "",
    measure: str | Sequence[str] = (),
    scope: Scope = "fov",
    fov: FovSource | None = None,
    published: bool = True,
    threads: int = 0,
    on_case: OnCase | None = None,
) -> list[Comparison]:
    """Compare models on the same images: a comparison for each set and class, the first model with each other one.

    `models` are shipped names, runs' folders, .onnx files, or .json files by `foveate evaluate --json`; they, `data`,
    `predictions` and `measure` may be one or several. The options are those of `foveate compare` and do what
    docs/evaluation.md says; `on_case` is called as by `foveate.evaluate`. Needs the extra `evaluate`. Raises
    `foveate.errors.UsageError` for what can't be compared, and as `foveate.evaluate` does.
    """
    chosen, sets, names = one_or_more(models), one_or_more(data), one_or_more(measure)
    files = PredictionFiles(tuple(map(Path, one_or_more(predictions))), threshold, suffix)
    weights = [place for place in chosen if not place.endswith(".json")]
    if not (chosen or files.folders):
        raise UsageError("compare needs models, .json files by `foveate evaluate --json`, or --predictions FOLDER.")
    if (weights or files.folders) and not sets:
        raise UsageError("compare needs at least one --data NAME:FOLDER to score models on.")
    if fov is not None and not sets:
        raise UsageError("--fov is for what is scored now, on --data; .json files were counted when they were made.")
    with needs("evaluate", "comparing"):
        from foveate.evaluation.compare import MEASURES, compare_classes
        from foveate.evaluation.measures import known_measures
        from foveate.evaluation.named_results import by_set
        from foveate.evaluation.result import read_results
        from foveate.published import rows

        measures = known_measures(names) or MEASURES
        read = {place: read_results(Path(place)) for place in chosen if place.endswith(".json")}
        if sets:
            rule = rule_for_measures(measures, split, fov)
            parts = _scored_or_read(chosen, files, sets, split, rule, read, threads, on_case)
        else:
            parts = by_set([(place, read[place]) for place in chosen])
        printed = rows() if published else ()
        return [comparison for part in parts for comparison in compare_classes(dict(part), measures, scope, printed)]


def rule_for_measures(measures: Sequence[str], split: str, fov: FovSource | None) -> Callable[[DataSet], CountingRule]:
    """How a set is counted where only these measures are asked for."""
    from foveate.evaluation import CountingRule
    from foveate.evaluation.data_set import fov_rule_for, groups_of_measures

    return lambda data_set: CountingRule(
        measures=groups_of_measures(measures, data_set), fov=fov_rule_for(data_set, split, fov)
    )


def _scored_or_read(
    models: Sequence[str],
    files: PredictionFiles,
    data: Sequence[str],
    split: str,
    rule: Callable[[DataSet], CountingRule],
    read: dict[str, list[EvaluationResult]],
    threads: int,
    on_case: OnCase | None,
) -> list[Named]:
    """For each data set every model's result, in the order given: measured now, or from its file."""
    from foveate.evaluation.named_results import result_on, told_apart
    from foveate.runtime import Wish

    weights = [place for place in dict.fromkeys(models) if place not in read]
    loaded = dict(zip(weights, models_of(weights, Wish(threads=threads)), strict=True))
    parts = []
    for part in sets_to_score(data, split, list(loaded.values()), files, rule):
        data_set = part.data_set
        results = [
            scored(loaded[place], data_set, split, part.rule, on_case)
            if place in loaded
            else result_on(read[place], place, data_set.name, split)
            for place in models
        ]
        others = part.predictors[len(loaded) :]
        results += [scored(predictor, data_set, split, part.rule, on_case) for predictor in others]
        named = [(result.model.name, result) for result in results]
        parts.append(told_apart(named, [*models, *(predictor.source for predictor in others)]))
    return parts
