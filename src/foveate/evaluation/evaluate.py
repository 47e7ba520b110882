"""Evaluate a predictor on listed cases, one in memory at a time."""

from __future__ import annotations

import importlib.metadata
import platform
import time
import typing
from dataclasses import dataclass, field
from typing import Literal

from foveate.errors import DataError
from foveate.evaluation.fov import Counting
from foveate.evaluation.measures import Group, Wanted
from foveate.evaluation.pool import Pool, macro
from foveate.evaluation.protocol import DataSummary, FovForCounting, ModelSummary, Protocol, Threshold
from foveate.evaluation.report import ImageRow, ImageScopes, Macro, Report, Scopes, SecondObserver
from foveate.evaluation.size import resized

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foveate.records import Case, CaseEntry, Classes, Mask, Masks, Probabilities

_PACKAGES = ("foveate", "numpy", "onnxruntime", "pillow", "scikit-image", "scipy", "tifffile")

SCOPES: tuple[Literal["fov"], Literal["image"]] = ("fov", "image")


class Prediction(typing.Protocol):
    """What a predictor returns for one image, at the image's own height and width."""

    @property
    def probabilities(self) -> Probabilities | None:
        """K×H×W float32, 0 to 1; None where only masks are known."""

    @property
    def masks(self) -> Masks:
        """K×H×W bool."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Ids of a set's images that a model has learnt from, and of those that chose its epoch and threshold."""

    training: frozenset[str] = frozenset()
    validation: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Way:
    """How images are predicted and counted, beyond what the predictor itself says."""

    measures: tuple[Group, ...] = ("mask", "probability", "vessels", "boundary")
    counting: Counting = field(default_factory=Counting)
    """Which pixels the scope 'fov' holds."""
    size: tuple[int, int] | None = None
    """Height and width at which cases are predicted and counted; None: their own."""
    empty_is_one: bool = False
    tolerance: float = 2.0
    passes: str = "one forward pass"
    post_processing: str = "none"
    fov_for_preparing: str = "estimated from the photograph"

    def wanted(self, *, probabilities: bool) -> Wanted:
        """The measures to take, where there are probabilities, or masks alone."""
        groups = frozenset(self.measures) - (frozenset() if probabilities else {"probability"})
        return Wanted(groups, self.tolerance, self.empty_is_one)


@dataclass(slots=True)
class _Pools:
    """By class and scope; the second observer's are made when one is met."""

    classes: Classes
    way: Way
    model: dict[str, dict[str, Pool]] | None = None
    observer: dict[str, dict[str, Pool]] | None = None

    def fresh(self, *, probabilities: bool) -> dict[str, dict[str, Pool]]:
        wanted = self.way.wanted(probabilities=probabilities)
        return {name: {scope: Pool.of(wanted) for scope in SCOPES} for name in self.classes.names}


def evaluate(
    predict: Callable[[Case], Prediction],
    entries: Sequence[CaseEntry],
    classes: Classes,
    *,
    model: ModelSummary,
    data_set: str,
    split: str,
    threshold: Threshold | None,
    way: Way | None = None,
    seen: Seen | None = None,
    on_case: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Score `predict` on every case of `entries`, whose masks tell `classes` apart.

    `predict` may look at a case's image and name alone; it makes its masks with `threshold` and in the way that `way`
    states, which the report repeats. They are counted as they are, in the pixels that `way.counting` chooses. `seen`
    are the set's images that the model knows. `on_case` is called after each case with its id, the number of cases done
    and their total. Memory does not grow with the images' pixels.

    Raises DataError if there are no entries or an image's counted pixels aren't known, and ValueError if a prediction
    hasn't its image's size.
    """
    if not entries:
        raise DataError(f"no image in split '{split}' of '{data_set}'; choose a split that has images.")
    pools, images = _Pools(classes, way or Way()), []
    for done, entry in enumerate(entries, start=1):
        # The case lives in the called function only, so that the next one isn't read beside it.
        images.append(_score(predict, entry, pools))
        if on_case is not None:
            on_case(entry.id, done, len(entries))
    assert pools.model is not None
    found = _scopes(pools.model)
    curves = {name: of_class["fov"].curves() for name, of_class in pools.model.items()}
    return Report(
        model=model,
        data=_data(data_set, split, images, seen),
        protocol=_protocol(pools.way, threshold, images, pools.model),
        classes=found,
        macro=_macro(found),
        second_observer=_second_observer(pools),
        curves={name: curve for name, curve in curves.items() if curve is not None},
        confidence={name: pools.model[name]["fov"].confidence() for name in curves if curves[name] is not None},
        images=tuple(images),
        versions=_versions(),
    )


def _data(data_set: str, split: str, images: Sequence[ImageRow], seen: Seen | None) -> DataSummary:
    ids = {row.id for row in images}
    return DataSummary(
        set=data_set,
        split=split,
        count=len(images),
        groups=len({row.group for row in images}),
        seen_in_training=None if seen is None else len(ids & seen.training),
        seen_in_validation=None if seen is None else len(ids & seen.validation),
    )


def _score(predict: Callable[[Case], Prediction], entry: CaseEntry, pools: _Pools) -> ImageRow:
    """Predict one case and count it into the pools."""
    case = entry.load() if pools.way.size is None else resized(entry.load(), pools.way.size)
    start = time.perf_counter()
    prediction = predict(case)
    seconds = time.perf_counter() - start
    _check_size(case, prediction, len(pools.classes.names))
    within, source = pools.way.counting.within(case)
    if pools.model is None:
        pools.model = pools.fresh(probabilities=prediction.probabilities is not None)
    if case.second_masks is not None:
        if pools.observer is None:
            pools.observer = pools.fresh(probabilities=False)
        _add(pools.observer, case, None, case.second_masks, within)
    return ImageRow(
        id=case.id,
        group=case.group,
        fov_source=source,
        size=case.mask.shape,
        seconds=seconds,
        classes=_add(pools.model, case, prediction.probabilities, prediction.masks, within),
    )


def _add(
    pools: Mapping[str, Mapping[str, Pool]],
    case: Case,
    probabilities: Probabilities | None,
    masks: Masks,
    within: Mask,
) -> dict[str, ImageScopes]:
    scores = {}
    for number, (name, of_class) in enumerate(pools.items()):
        probability = None if probabilities is None else probabilities[number]
        of_scopes = {
            scope: of_class[scope].add(case.group, probability, masks[number], case.masks[number], counted)
            for scope, counted in (("fov", within), ("image", None))
        }
        scores[name] = ImageScopes(**of_scopes)
    return scores


def _check_size(case: Case, prediction: Prediction, count: int) -> None:
    native = case.image.shape[:2]
    expected = (count, *native)
    for name, found in (("probabilities", prediction.probabilities), ("masks", prediction.masks)):
        if found is not None and found.shape != expected:
            raise ValueError(f"the prediction's {name} of '{case.id}' has the shape {found.shape}, expected {expected}")


def _scopes(pools: Mapping[str, Mapping[str, Pool]]) -> dict[str, Scopes]:
    return {
        name: Scopes(fov=of_class["fov"].scope(), image=of_class["image"].scope()) for name, of_class in pools.items()
    }


def _macro(classes: Mapping[str, Scopes]) -> Macro | None:
    if len(classes) == 1:
        return None
    return Macro(
        fov=macro([scopes.fov for scopes in classes.values()]),
        image=macro([scopes.image for scopes in classes.values()]),
    )


def _protocol(
    way: Way, threshold: Threshold | None, images: Sequence[ImageRow], pools: Mapping[str, Mapping[str, Pool]]
) -> Protocol:
    taken = next(iter(pools.values()))["fov"].wanted.groups
    return Protocol(
        size="native" if way.size is None else f"{way.size[0]}×{way.size[1]}",
        threshold=threshold,
        passes=way.passes,
        post_processing=way.post_processing,
        fov_for_counting=_fov_for_counting(images),
        fov_for_preparing=way.fov_for_preparing,
        measures=tuple(group for group in way.measures if group in taken),
        empty="one" if way.empty_is_one else "left out",
        tolerance=way.tolerance,
    )


def _fov_for_counting(images: Sequence[ImageRow]) -> FovForCounting:
    sources = {row.fov_source for row in images}
    if sources == {"set"}:
        return "the set's own masks"
    if "set" not in sources:
        return "estimated" if "estimated" in sources else "the whole image"
    if "estimated" in sources:
        return "the set's own masks, estimated where one is missing"
    return "the set's own masks, the whole image where one is missing"


def _second_observer(pools: _Pools) -> SecondObserver | None:
    if pools.observer is None:
        return None
    count = len(next(iter(pools.observer.values()))["fov"].rows)
    return SecondObserver(count=count, classes=_scopes(pools.observer))


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}
