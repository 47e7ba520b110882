"""`foveate.cross`: every model on every set, whatever it was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.errors import UsageError, needs
from foveate.public.compare import rule_for_measures
from foveate.public.scoring import PredictionFiles, models_of, one_or_more, sets_to_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.datasets import DataSet
    from foveate.evaluation import FovSource, OnCase
    from foveate.evaluation.cross import CrossMatrix
    from foveate.evaluation.named_results import Named
    from foveate.public.scoring import Place, SetToScore
    from foveate.records import Scope


def cross(
    weights: Place | Sequence[Place],
    *,
    data: str | Sequence[str],
    split: str = "test",
    measure: str = "f1",
    scope: Scope = "fov",
    fov: FovSource | None = None,
    threads: int = 0,
    on_case: OnCase | None = None,
) -> list[CrossMatrix]:
    """Score every model on every set: a matrix for each class, which says what a model had seen.

    The options are those of `foveate cross` and do what docs/evaluation.md says; `on_case` is called as by
    `foveate.evaluate`. Needs the extra `evaluate`. Raises `foveate.errors.UsageError` for a measure that has no value
    for all images together and for sets of different classes, and as `foveate.evaluate` does.
    """
    from foveate.runtime import Wish

    chosen = one_or_more(weights)
    with needs("evaluate", "evaluating"):
        from foveate.evaluation.cross import cross as cross_results
        from foveate.evaluation.measures import MEASURES, known_measures
        from foveate.evaluation.named_results import told_apart

    (name,) = known_measures([measure])
    if not MEASURES[name].pooled:
        raise UsageError(f"--measure {name}: has no value for all images together. Choose one that has, such as f1.")
    models = models_of(chosen, Wish(threads=threads))
    sets = sets_to_score(one_or_more(data), split, models, PredictionFiles(), rule_for_measures([name], split, fov))
    for part in sets:
        if MEASURES[name].group not in part.rule.measures:
            raise UsageError(f"--measure {name}: is one of vessels, which {part.data_set.name} has none of.")
    parts = [told_apart([(result.model.name, result) for result in part.results(on_case)], chosen) for part in sets]
    classes = list(parts[0][0][1].classes)
    if any(list(result.classes) != classes for part in parts for _, result in part):
        raise UsageError("the sets have different classes; a matrix needs sets of the same.")
    by_model = _by_model(parts, sets)
    return [cross_results(by_model, of_class, measure=name, scope=scope) for of_class in classes]


def _by_model(parts: Sequence[Named], sets: Sequence[SetToScore]) -> list[tuple[str, Named]]:
    """Models' names, each with its result on every set by the set's title."""
    titles = [_title(part.data_set, [other.data_set for other in sets]) for part in sets]
    return [
        (name, [(title, part[number][1]) for title, part in zip(titles, parts, strict=True)])
        for number, (name, _) in enumerate(parts[0])
    ]


def _title(data_set: DataSet, sets: Sequence[DataSet]) -> str:
    """Its name, with where it lies if two have the same."""
    alone = [other.name for other in sets].count(data_set.name) == 1
    return data_set.name if alone else f"{data_set.name}:{data_set.root}"
