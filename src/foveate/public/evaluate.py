"""`foveate.evaluate`: scores of models, or of masks made elsewhere, on data sets."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foveate.errors import UsageError, needs
from foveate.public.scoring import PredictionFiles, models_of, one_or_more, procedure_for, sets_to_score

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foveate.datasets import DataSet
    from foveate.evaluation import CountingRule, EvaluationResult, FovSource, OnCase
    from foveate.public.scoring import Place
    from foveate.runtime import Backend, Device, Precision


def evaluate(
    weights: Place | Sequence[Place] = (),
    *,
    data: str | Sequence[str],
    split: str = "test",
    predictions: Place | Sequence[Place] = (),
    threshold: float | None = None,
    suffix: str = "",
    fov: FovSource | None = None,
    size: str = "native",
    vessels: bool | None = None,
    boundary: bool = True,
    empty: Literal["out", "one"] = "out",
    tta: Literal[1, 2, 4, 8] = 1,
    hysteresis: float | None = None,
    reconnect: int = 0,
    min_size: int = 0,
    largest: bool = False,
    fill_holes: int = 0,
    to_card: bool = False,
    backend: Backend | Literal["auto"] = "auto",
    device: Device | Literal["auto"] = "auto",
    precision: Precision | Literal["auto"] = "auto",
    threads: int = 0,
    on_case: OnCase | None = None,
    on_result: Callable[[EvaluationResult], None] | None = None,
) -> list[EvaluationResult]:
    """Score models, or masks that any tool made, on data sets: a result for each of them on each set, set by set.

    The options are those of `foveate evaluate` and do what docs/evaluation.md says; `weights`, `data` and `predictions`
    may be one or several. `on_case` is called after each image with its id, the number done and their total,
    `on_result` with each result as it is there. Needs the extra `evaluate`. Raises `foveate.errors.UsageError` for a
    call that is wrong or an extra that is missing, `DataError` and `ModelError` for data and models that are.
    """
    from foveate.runtime import Wish

    chosen, sets = one_or_more(weights), one_or_more(data)
    files = PredictionFiles(tuple(map(Path, one_or_more(predictions))), threshold, suffix)
    if not sets or not (chosen or files.folders):
        raise UsageError("evaluate needs WEIGHTS or --predictions FOLDER, and at least one --data NAME:FOLDER.")
    if to_card and not (len(chosen) == 1 and chosen[0].endswith(".onnx")):
        raise UsageError("--to-card needs the path of one .onnx file, whose card.json it changes.")
    with needs("evaluate", "evaluating"):
        from foveate.evaluation.counting import size_of

    rule = rule_maker(split, fov, size_of(size), vessels=vessels, boundary=boundary, empty_is_one=empty == "one")
    procedure = procedure_for(chosen, tta, hysteresis, reconnect, min_size, largest, fill_holes)
    models = models_of(chosen, Wish(backend, device, precision, threads), procedure)
    scoring = sets_to_score(sets, split, models, files, rule)
    results = []
    for part in scoring:
        for result in part.results(on_case):
            results.append(result)
            if on_result is not None:
                on_result(result)
    if to_card:
        from foveate.evaluation.card_scores import write_to_card

        places = [word for part in scoring for word in ("--data", f"{part.data_set.name}:{part.data_set.root}")]
        command = shlex.join(["foveate", "evaluate", models[0].model.name, *places, "--split", split])
        write_to_card(Path(chosen[0]), results, command)
    return results


def rule_maker(
    split: str,
    fov: FovSource | None,
    size: tuple[int, int] | None,
    *,
    vessels: bool | None,
    boundary: bool,
    empty_is_one: bool,
) -> Callable[[DataSet], CountingRule]:
    """How a set is counted, by the options of `evaluate` and `report`."""
    from foveate.evaluation import CountingRule
    from foveate.evaluation.data_set import fov_rule_for, groups_for

    return lambda data_set: CountingRule(
        measures=groups_for(data_set, vessels=vessels, boundary=boundary),
        fov=fov_rule_for(data_set, split, fov),
        size=size,
        empty_is_one=empty_is_one,
    )
