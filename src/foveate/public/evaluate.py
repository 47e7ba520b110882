"""`foveate.evaluate`: scores of models, or of masks made elsewhere, on data sets."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foveate.errors import UsageError, needs
from foveate.public.load import opened
from foveate.public.scoring import PredictionFiles, one_or_more, predictor_of, procedure_for, sets_to_score

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
    leave_out: str | Sequence[str] = (),
    tta: Literal[1, 2, 4, 8] = 1,
    hysteresis: float | None = None,
    reconnect: int = 0,
    min_size: int | None = None,
    largest: bool = False,
    fill_holes: int = 0,
    surest_size: bool = False,
    to_card: bool = False,
    choose_threshold: bool = False,
    choose_size: bool = False,
    backend: Backend | Literal["auto"] = "auto",
    device: Device | Literal["auto"] = "auto",
    precision: Precision | Literal["auto"] = "auto",
    threads: int = 0,
    on_case: OnCase | None = None,
    on_result: Callable[[EvaluationResult], None] | None = None,
) -> list[EvaluationResult]:
    """Score models, or masks that any tool made, on data sets: a result for each of them on each set, set by set.

    The options are those of `foveate evaluate` and do what docs/evaluation.md says; `weights`, `data` and `predictions`
    may be one or several. `on_case` is called after each image with its id, the number done and their total, first for
    what images choose; `on_result` with each result as it is there. Needs the extra `evaluate`. Raises
    `foveate.errors.UsageError` for a call that is wrong or an extra that is missing, `DataError` and `ModelError` for
    data and models that are.
    """
    from foveate.runtime import Wish

    chosen, sets = one_or_more(weights), one_or_more(data)
    files = PredictionFiles(tuple(map(Path, one_or_more(predictions))), threshold, suffix)
    if not sets or not (chosen or files.folders):
        raise UsageError("evaluate needs WEIGHTS or --predictions FOLDER, and at least one --data NAME:FOLDER.")
    if to_card and (len(chosen) != 1 or not chosen[0].endswith(".onnx") or files.folders):
        raise UsageError(
            "--to-card needs the path of one .onnx file, whose card.json it changes, and no --predictions."
        )
    fits = to_card and split == "validation"
    choosing = "--choose-size" if choose_size else "--choose-threshold" if choose_threshold else ""
    if choose_size and surest_size:
        raise UsageError("--choose-size finds one size for all images, --surest-size one for each: leave one out.")
    if choosing and not fits:
        raise UsageError(f"{choosing} goes with --to-card --split validation: no other images may choose it.")
    rule = rule_maker(split, fov, size, vessels=vessels, boundary=boundary, empty=empty, leave_out=leave_out)
    procedure = procedure_for(chosen, tta, hysteresis, reconnect, min_size, largest, fill_holes, surest_size)
    wish = Wish(backend, device, precision, threads)
    segmenters = [opened(place, wish, procedure) for place in chosen]
    models = [predictor_of(segmenter, place) for segmenter, place in zip(segmenters, chosen, strict=True)]
    scoring = sets_to_score(sets, split, models, files, rule)
    fitted = None
    if fits and (choosing or min_size is None):
        from foveate.evaluation.card.min_size import with_min_size_for
        from foveate.evaluation.card.threshold import with_threshold_for
        from foveate.evaluation.card.working_size import with_working_size_for

        parts = [(part.data_set, models[0].entries(part.data_set, split)) for part in scoring]
        (segmenter,) = segmenters
        if choosing:
            choose = with_working_size_for if choose_size else with_threshold_for
            segmenter = choose(segmenter, parts, on_case=on_case)
        if min_size is None:
            segmenter = with_min_size_for(segmenter, [entries for _, entries in parts])
        fitted = segmenter.card
        predictor = predictor_of(segmenter, chosen[0])
        scoring = [replace(part, predictors=(predictor,)) for part in scoring]
    results = []
    for part in scoring:
        for result in part.results(on_case):
            results.append(result)
            if on_result is not None:
                on_result(result)
    if to_card:
        from foveate.evaluation.card.scores import write_to_card

        places = [word for part in scoring for word in ("--data", f"{part.data_set.name}:{part.data_set.root}")]
        by = [choosing] if choosing else []
        command = shlex.join(["foveate", "evaluate", models[0].model.name, *places, "--split", split, *by])
        write_to_card(Path(chosen[0]), results, command, fitted=fitted)
    return results


def rule_maker(
    split: str,
    fov: FovSource | None,
    size: str,
    *,
    vessels: bool | None,
    boundary: bool,
    empty: Literal["out", "one"],
    leave_out: str | Sequence[str],
) -> Callable[[DataSet], CountingRule]:
    """How a set is counted, by the options of `evaluate` and `report`. Raises UsageError for a size that is none."""
    with needs("evaluate", "evaluating"):
        from foveate.evaluation import CountingRule
        from foveate.evaluation.counting import size_of
        from foveate.evaluation.data_set import check_left_out, fov_rule_for, groups_for

    counted_at, left_out = size_of(size), one_or_more(leave_out)

    def rule(data_set: DataSet) -> CountingRule:
        check_left_out(left_out, data_set)
        return CountingRule(
            measures=groups_for(data_set, vessels=vessels, boundary=boundary),
            fov=fov_rule_for(data_set, split, fov),
            size=counted_at,
            empty_is_one=empty == "one",
            left_out=left_out,
        )

    return rule
