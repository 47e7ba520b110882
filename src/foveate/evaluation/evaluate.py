"""Evaluate a predictor on listed cases, one in memory at a time."""

from __future__ import annotations

import importlib.metadata
import platform
import time
import typing
from dataclasses import dataclass, field

from foveate.errors import DataError
from foveate.evaluation.pool import ModelPool, ObserverPool
from foveate.evaluation.protocol import DataSummary, FovForCounting, ModelSummary, Protocol, Threshold
from foveate.evaluation.report import ImageRow, ImageScopes, ObserverScopes, Report, Scopes, SecondObserver

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foveate.records import Case, CaseEntry, Image, Mask, Probability

_PACKAGES = ("foveate", "numpy", "onnxruntime", "pillow", "tifffile")


class Prediction(typing.Protocol):
    """What a predictor returns for one image, at the image's own height and width."""

    @property
    def probability(self) -> Probability:
        """H×W float32, 0 to 1."""

    @property
    def mask(self) -> Mask:
        """H×W bool."""

    @property
    def fov(self) -> Mask:
        """H×W bool, the field of view as estimated from the image."""


@dataclass(slots=True)
class _Pools:
    fov: ModelPool = field(default_factory=ModelPool)
    image: ModelPool = field(default_factory=ModelPool)
    observer_fov: ObserverPool = field(default_factory=ObserverPool)
    observer_image: ObserverPool = field(default_factory=ObserverPool)


def evaluate(
    predict: Callable[[Image], Prediction],
    entries: Sequence[CaseEntry],
    *,
    model: ModelSummary,
    data_set: str,
    split: str,
    threshold: Threshold,
    on_case: Callable[[str, int, int], None] | None = None,
) -> Report:
    """Score `predict` on every case of `entries`.

    `predict` gets the image alone, so whatever it knows of the field of view it estimated; it must run the
    model once per pixel and make its mask with `threshold`, which the report repeats. Its masks are
    counted as they are. Where a case has no field of view of its own, the prediction's is counted in.
    `on_case` is called after each case with its id, the number of cases done and their total.

    Raises DataError if there are no entries, and ValueError if a prediction hasn't its image's size.
    """
    if not entries:
        raise DataError(f"no image in split '{split}' of '{data_set}'; choose a split that has images.")
    pools, images = _Pools(), []
    for done, entry in enumerate(entries, start=1):
        # The case lives in the called function only, so that the next one isn't read beside it.
        images.append(_score(predict, entry, pools))
        if on_case is not None:
            on_case(entry.id, done, len(entries))
    return Report(
        model=model,
        data=DataSummary(set=data_set, split=split, count=len(images)),
        protocol=Protocol(threshold=threshold, fov_for_counting=_fov_for_counting(images)),
        scopes=Scopes(fov=pools.fov.scope(), image=pools.image.scope()),
        second_observer=_second_observer(pools),
        images=tuple(images),
        versions=_versions(),
    )


def _score(predict: Callable[[Image], Prediction], entry: CaseEntry, pools: _Pools) -> ImageRow:
    """Predict one case and count it into the pools."""
    case = entry.load()
    start = time.perf_counter()
    prediction = predict(case.image)
    seconds = time.perf_counter() - start
    _check_size(case, prediction)
    within = prediction.fov if case.fov is None else case.fov
    if case.second_mask is not None:
        pools.observer_fov.add(case.second_mask, case.mask, within)
        pools.observer_image.add(case.second_mask, case.mask, None)
    return ImageRow(
        id=case.id,
        group=case.group,
        fov_source="estimated" if case.fov is None else "set",
        seconds=seconds,
        scopes=ImageScopes(
            fov=pools.fov.add(prediction.probability, prediction.mask, case.mask, within),
            image=pools.image.add(prediction.probability, prediction.mask, case.mask, None),
        ),
    )


def _check_size(case: Case, prediction: Prediction) -> None:
    native = case.image.shape[:2]
    for name in ("probability", "mask", "fov"):
        shape = getattr(prediction, name).shape
        if shape != native:
            raise ValueError(f"the prediction's {name} of '{case.id}' is {shape}, its image {native}")


def _fov_for_counting(images: Sequence[ImageRow]) -> FovForCounting:
    sources = {row.fov_source for row in images}
    if sources == {"set"}:
        return "the set's own masks"
    if sources == {"estimated"}:
        return "estimated"
    return "the set's own masks, estimated where one is missing"


def _second_observer(pools: _Pools) -> SecondObserver | None:
    count = len(pools.observer_fov.rows)
    if not count:
        return None
    scopes = ObserverScopes(fov=pools.observer_fov.scope(), image=pools.observer_image.scope())
    return SecondObserver(count=count, scopes=scopes)


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), **packages}
