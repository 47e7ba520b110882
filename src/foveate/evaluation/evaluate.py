"""Evaluate a predictor on listed cases, one in memory at a time."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import DataError
from foveate.evaluation.counting import CountingRule, counted_for, resized
from foveate.evaluation.pool import Pool, macro
from foveate.evaluation.protocol import SEEN_WHOLE, UNKNOWN, DataSummary, FovForCounting, Protocol
from foveate.evaluation.result import (
    EvaluationResult,
    ImageResult,
    ImageScoresByScope,
    Macro,
    ScoresByScope,
    SecondObserver,
)
from foveate.records import SCOPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foveate.evaluation.predictor import Prediction, Predictor, SeenImages
    from foveate.records import Case, CaseEntry, Classes, Mask, Masks, Probabilities

_PACKAGES = ("foveate", "numpy", "onnxruntime", "pillow", "scikit-image", "scipy", "tifffile")

OnCase = Callable[[str, int, int], None]
"""Is told a case's id, the number of cases done, and their total."""


@dataclass(slots=True)
class _Pools:
    """By class and scope, made when the first prediction, or second observer, is met."""

    classes: Classes
    rule: CountingRule
    model: dict[str, dict[str, Pool]] = field(default_factory=dict)
    observer: dict[str, dict[str, Pool]] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    """By id, of every image."""

    def fresh(self, *, probabilities: bool) -> dict[str, dict[str, Pool]]:
        chosen = self.rule.chosen(probabilities=probabilities)
        return {name: {scope: Pool.of(chosen) for scope in SCOPES} for name in self.classes.names}


def evaluate(
    predictor: Predictor,
    entries: Sequence[CaseEntry],
    classes: Classes,
    *,
    data_set: str,
    split: str,
    rule: CountingRule | None = None,
    on_case: OnCase | None = None,
) -> EvaluationResult:
    """Score a predictor on every case of `entries`, whose masks tell `classes` apart.

    Its `predict` may look at a case's image and name alone; what it says of itself, the result repeats. Its masks are
    counted as they are, in the pixels that `rule.fov` chooses. `on_case` is called after each case with its id, the
    number of cases done and their total. Memory does not grow with the images' pixels.

    Raises DataError if there are no entries or an image's counted pixels aren't known, and ValueError if a prediction
    hasn't its image's size.
    """
    if not entries:
        raise DataError(f"no image in split '{split}' of '{data_set}'; choose a split that has images.")
    pools, images = _Pools(classes, rule or CountingRule()), []
    for done, entry in enumerate(entries, start=1):
        # The case lives in the called function only, so that the next one isn't read beside it.
        images.append(_score(predictor.predict, entry, pools))
        if on_case is not None:
            on_case(entry.id, done, len(entries))
    by_class = _scopes(pools.model)
    curves = {name: of_class["fov"].curves() for name, of_class in pools.model.items()}
    return EvaluationResult(
        model=predictor.model,
        data=_data(data_set, split, images, pools.contents, predictor.seen_of(data_set)),
        protocol=_protocol(predictor, pools.rule, images, pools.model),
        classes=by_class,
        macro=_macro(by_class),
        second_observer=_second_observer(pools),
        curves={name: curve for name, curve in curves.items() if curve is not None},
        confidence={name: pools.model[name]["fov"].confidence() for name in curves if curves[name] is not None},
        images=tuple(images),
        versions=_versions(),
    )


def _data(
    data_set: str, split: str, images: Sequence[ImageResult], contents: Mapping[str, str], seen: SeenImages | None
) -> DataSummary:
    in_training, in_validation = (None, None) if seen is None else seen.among(contents)
    return DataSummary(
        set=data_set,
        split=split,
        count=len(images),
        groups=len({row.group for row in images}),
        seen_in_training=in_training,
        seen_in_validation=in_validation,
    )


def _score(predict: Callable[[Case], Prediction], entry: CaseEntry, pools: _Pools) -> ImageResult:
    """Predict one case and count it into the pools."""
    case = entry.load()
    pools.contents[case.id] = case.content
    if pools.rule.size is not None:
        case = resized(case, pools.rule.size)
    start = time.perf_counter()
    prediction = predict(case)
    seconds = time.perf_counter() - start
    _check_size(case, prediction, len(pools.classes.names))
    within, source = pools.rule.fov.within(case)
    if not pools.model:
        pools.model = pools.fresh(probabilities=prediction.probabilities is not None)
    if case.second_masks is not None:
        if not pools.observer:
            pools.observer = pools.fresh(probabilities=False)
        _add(pools.observer, case, None, case.second_masks, within, pools.rule.left_out)
    return ImageResult(
        id=case.id,
        group=case.group,
        fov_source=source,
        size=case.mask.shape,
        seconds=seconds,
        classes=_add(pools.model, case, prediction.probabilities, prediction.masks, within, pools.rule.left_out),
    )


def _add(
    pools: Mapping[str, Mapping[str, Pool]],
    case: Case,
    probabilities: Probabilities | None,
    masks: Masks,
    within: Mask,
    left_out: Sequence[str],
) -> dict[str, ImageScoresByScope]:
    scores, everywhere = {}, np.ones_like(within) if left_out else None
    for number, (name, of_class) in enumerate(pools.items()):
        probability = None if probabilities is None else probabilities[number]
        of_scopes = {
            scope: of_class[scope].add(
                case.group,
                probability,
                masks[number],
                case.masks[number],
                None if place is None else counted_for(name, list(pools), case.masks, place, left_out),
            )
            for scope, place in (("fov", within), ("image", everywhere))
        }
        scores[name] = ImageScoresByScope(**of_scopes)
    return scores


def _check_size(case: Case, prediction: Prediction, count: int) -> None:
    native = case.image.shape[:2]
    expected = (count, *native)
    for name, planes in (("probabilities", prediction.probabilities), ("masks", prediction.masks)):
        if planes is not None and planes.shape != expected:
            raise ValueError(
                f"the prediction's {name} of '{case.id}' has the shape {planes.shape}, expected {expected}"
            )


def _scopes(pools: Mapping[str, Mapping[str, Pool]]) -> dict[str, ScoresByScope]:
    return {
        name: ScoresByScope(fov=of_class["fov"].scope(), image=of_class["image"].scope())
        for name, of_class in pools.items()
    }


def _macro(classes: Mapping[str, ScoresByScope]) -> Macro | None:
    if len(classes) == 1:
        return None
    return Macro(
        fov=macro([scopes.fov for scopes in classes.values()]),
        image=macro([scopes.image for scopes in classes.values()]),
    )


def _protocol(
    predictor: Predictor,
    rule: CountingRule,
    images: Sequence[ImageResult],
    pools: Mapping[str, Mapping[str, Pool]],
) -> Protocol:
    taken = next(iter(pools.values()))["fov"].chosen.groups
    procedure = predictor.procedure
    prepared = "estimated from the photograph" if predictor.prepared_by == "find" else SEEN_WHOLE
    return Protocol(
        size="native" if rule.size is None else f"{rule.size[0]}×{rule.size[1]}",
        threshold=predictor.threshold,
        passes="predictions read from files" if procedure is None else procedure.passes,
        post_processing=UNKNOWN if procedure is None else predictor.post_processing,
        execution=None if predictor.execution is None else str(predictor.execution),
        fov_for_counting=_fov_for_counting(images),
        fov_for_preparing=UNKNOWN if procedure is None else prepared,
        measures=tuple(group for group in rule.measures if group in taken),
        empty="one" if rule.empty_is_one else "left out",
        tolerance=rule.tolerance,
        left_out=rule.left_out,
    )


def _fov_for_counting(images: Sequence[ImageResult]) -> FovForCounting:
    sources = {row.fov_source for row in images}
    if sources == {"set"}:
        return "the set's own masks"
    if "set" not in sources:
        return "estimated" if "estimated" in sources else "the whole image"
    if "estimated" in sources:
        return "the set's own masks, estimated where one is missing"
    return "the set's own masks, the whole image where one is missing"


def _second_observer(pools: _Pools) -> SecondObserver | None:
    if not pools.observer:
        return None
    count = len(next(iter(pools.observer.values()))["fov"].rows)
    return SecondObserver(count=count, classes=_scopes(pools.observer))


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}
