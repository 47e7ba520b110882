"""How a predictor is scored on a data set: what `evaluate`, `report`, `compare` and `cross` share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.cli.console import say_progress
from foveate.cli.extras import needs
from foveate.cli.predictors import Made, of_vessels
from foveate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.datasets import DataSet
    from foveate.evaluation import Counting, FovSource, Report, Way
    from foveate.evaluation.measures import Group


def measures_of(data_set: DataSet, *, vessels: bool | None, boundary: bool) -> tuple[Group, ...]:
    """The groups of measures to take; with `vessels` None those of vessels where the set's classes are vessels."""
    groups: list[Group] = ["mask", "probability"]
    if of_vessels(data_set) if vessels is None else vessels:
        groups.append("vessels")
    return (*groups, "boundary") if boundary else tuple(groups)


def size_of(text: str) -> tuple[int, int] | None:
    """Height and width of 'HEIGHTxWIDTH', None for 'native'. Raises UsageError for anything else."""
    if text == "native":
        return None
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isdecimal() and width.isdecimal() and min(int(height), int(width)) >= 16):
        raise UsageError(f"--size {text}: write HEIGHTxWIDTH in pixels, e.g. 704x1056, or native.")
    return int(height), int(width)


def counting_of(data_set: DataSet, split: str, fov: FovSource | None) -> Counting:
    """Which pixels count on a set, for whatever predicts: as asked, or the set's own field of view, else an estimated
    one where the set shows eyes. Of one's own folder, which may show anything, the images themselves say that."""
    from foveate.evaluation import Counting, shows_eyes

    if fov is not None:
        return Counting.only(fov)
    if data_set.name == "folder":
        part = [entry for entry in data_set.entries if entry.split == split]
        eyes = shows_eyes(part or data_set.entries)
    else:
        eyes = of_vessels(data_set)
    return Counting(otherwise="estimated" if eyes else "whole")


def way_of(
    made: Made,
    measures: tuple[Group, ...],
    counting: Counting,
    *,
    size: tuple[int, int] | None = None,
    empty_is_one: bool = False,
) -> Way:
    """How the predictor's masks come about, as it says itself, and how they are counted."""
    from foveate.evaluation import Way

    return Way(
        measures=measures,
        counting=counting,
        size=size,
        empty_is_one=empty_is_one,
        passes=made.passes,
        post_processing=made.post_processing,
        fov_for_preparing=made.fov_for_preparing,
    )


def check(made: Sequence[Made], data_set: DataSet, split: str) -> None:
    """Raise UsageError, before anything is scored, for a split that isn't there or a model of other classes.

    A single class may be called differently by a model and a set; of several, names and order must be the same.
    """
    wanted = data_set.classes.names
    for each in made:
        found = wanted if each.classes is None else each.classes.names
        if found != wanted and (len(found) > 1 or len(wanted) > 1):
            raise UsageError(
                f"{each.model.name} tells {', '.join(found)} apart, {data_set.name} has the classes"
                f" {', '.join(wanted)}. Choose a set with the model's classes."
            )
        each.entries(data_set, split)


def scored(made: Made, data_set: DataSet, split: str, way: Way) -> Report:
    """The report of one predictor on one data set, with a counter on a terminal."""
    from foveate.evaluation import evaluate as score

    def on_case(case_id: str, done: int, total: int) -> None:
        say_progress(f"{done}/{total} {case_id}" if done < total else "")

    # The measures import what they need when they are taken.
    with needs("evaluate"):
        return score(
            made.predict,
            made.entries(data_set, split),
            data_set.classes,
            model=made.model,
            data_set=data_set.name,
            split=split,
            threshold=made.threshold,
            way=way,
            seen=made.seen(data_set),
            on_case=on_case,
        )
