"""What a data set asks of its evaluation: which measures, which field of view, which classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.datasets import OWN
from foveate.errors import UsageError, unknown
from foveate.evaluation.counting import FovRule, FovSource, shows_eyes
from foveate.evaluation.measures import GROUPS, MEASURES, MeasureGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.datasets import DataSet
    from foveate.evaluation.predictor import Predictor

VESSELS = frozenset({"vessel", "artery", "vein", "crossing"})
"""Classes that lie in fundus photographs, and are measured as vessels unasked."""


def has_vessels(data_set: DataSet) -> bool:
    """Whether a set's classes are vessels."""
    return set(data_set.classes.names) <= VESSELS


def groups_for(data_set: DataSet, *, vessels: bool | None, boundary: bool) -> tuple[MeasureGroup, ...]:
    """The groups of measures to take; with `vessels` None those of vessels where the set's classes are vessels."""
    groups: list[MeasureGroup] = ["mask", "probability"]
    if has_vessels(data_set) if vessels is None else vessels:
        groups.append("vessels")
    return (*groups, "boundary") if boundary else tuple(groups)


def groups_of_measures(measures: Sequence[str], data_set: DataSet) -> tuple[MeasureGroup, ...]:
    """The groups that these measures are in; vessels' only where the set's classes are vessels."""
    asked = {MEASURES[name].group for name in measures} | {"mask"}
    if not has_vessels(data_set):
        asked.discard("vessels")
    return tuple(group for group in GROUPS if group in asked)


def fov_rule_for(data_set: DataSet, split: str, fov: FovSource | None) -> FovRule:
    """Which pixels count on a set, for whatever predicts: as asked, or the set's own field of view, else an estimated
    one where the set shows eyes. Of one's own folder, which may show anything, the images themselves say that."""
    if fov is not None:
        return FovRule.only(fov)
    if data_set.name == OWN:
        by_split = {name: [entry for entry in data_set.entries if entry.split == name] for name in (split, "train")}
        # Validation images that a training held out are of its training part: the test part is none of its business.
        part = by_split[split] or (by_split["train"] if split == "validation" else [])
        eyes = shows_eyes(part or data_set.entries)
    else:
        eyes = has_vessels(data_set)
    return FovRule(otherwise="estimated" if eyes else "whole")


def check_left_out(left_out: Sequence[str], data_set: DataSet) -> None:
    """Raise UsageError for a class that the set hasn't, or one that it has alone."""
    names = data_set.classes.names
    for name in left_out:
        if name not in names:
            raise UsageError(unknown("class", name, names))
        if len(names) == 1:
            raise UsageError(f"{data_set.name} has the class {name} alone: without its pixels nothing is counted.")


def check_predictors(predictors: Sequence[Predictor], data_set: DataSet, split: str) -> None:
    """Raise UsageError, before anything is scored, for a split that isn't there or a model of other classes.

    A single class may be called differently by a model and a set; of several, names and order must be the same.
    """
    expected = data_set.classes.names
    for predictor in predictors:
        names = expected if predictor.classes is None else predictor.classes.names
        if names != expected and (len(names) > 1 or len(expected) > 1):
            raise UsageError(
                f"{predictor.model.name} tells {', '.join(names)} apart, {data_set.name} has the classes"
                f" {', '.join(expected)}. Choose a set with the model's classes."
            )
        predictor.entries(data_set, split)
