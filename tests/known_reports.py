"""Reports of predictors whose errors are drawn by a seed, on two small drawn photographs with a second observer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from foveate.drawn import draw
from foveate.evaluation import CountingRule, EvaluationResult, ModelSummary, Predictor, Threshold, evaluate
from foveate.records import Case, CaseEntry, Classes, Masks, Probabilities

VESSEL = Classes(("vessel",))
HALVES = Classes(("upper", "lower"))
THRESHOLD = 0.4


@dataclass(frozen=True)
class Guess:
    """A prediction."""

    probabilities: Probabilities | None
    masks: Masks


@cache
def case(seed: int) -> Case:
    """A drawn photograph, 112×120, with a second observer who sees every vessel one pixel further right."""
    drawn, name = draw(seed, height=112, width=120), f"drawn_{seed:02}"
    masks = drawn.mask[None]
    return Case(name, name, drawn.image, masks, fov=drawn.fov, second_masks=np.roll(masks, 1, axis=2))


@cache
def case_of_halves(seed: int) -> Case:
    """The same, with the vessels of the upper and of the lower half as two classes."""
    one = case(seed)
    masks = np.repeat(one.masks, 2, axis=0)
    masks[0, 56:], masks[1, :56] = False, False
    return replace(one, masks=masks, second_masks=None)


def guesser(seed: int, *, masks_alone: bool = False) -> Callable[[Case], Guess]:
    """Probabilities that are the truth's with noise, by the seed and the case's name."""

    def guess(of: Case) -> Guess:
        random = np.random.default_rng([seed, *of.id.encode()])
        noise = random.normal(0, 0.3, of.masks.shape)
        probabilities = (0.15 + 0.6 * of.masks + noise).clip(0, 1).astype(np.float32)
        assert of.fov is not None
        masks = (probabilities >= np.float32(THRESHOLD)) & of.fov
        if len(masks) > 1:
            masks[1] &= ~masks[0]
        return Guess(None if masks_alone else probabilities * of.fov, masks)

    return guess


def report_of(
    name: str,
    seed: int,
    *,
    images: int = 2,
    classes: Classes = VESSEL,
    masks_alone: bool = False,
    set_name: str = "drawn",
) -> EvaluationResult:
    """The report of the predictor with that seed."""
    make = case if classes is VESSEL else case_of_halves
    entries = [CaseEntry(make(n).id, make(n).group, "test", partial(make, n)) for n in range(images)]
    return evaluate(
        Predictor(
            guesser(seed, masks_alone=masks_alone),
            ModelSummary(name=name),
            threshold=None if masks_alone else Threshold(values=(THRESHOLD,), origin="a test"),
        ),
        entries,
        classes,
        data_set=set_name,
        split="test",
        rule=CountingRule(measures=("mask", "probability")),
    )
