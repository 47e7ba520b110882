"""What `foveate train auto` plans, from Python."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from foveate.datasets import open_sets
from foveate.errors import UsageError, needs
from foveate.public.scoring import one_or_more
from foveate.recipes.read import overrides_of
from foveate.training.processes.place import check_device_name

if TYPE_CHECKING:
    from foveate.planning.plan import TrainingPlan


def plan(
    data: str | Sequence[str],
    hours: float,
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    device: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> TrainingPlan:
    """Choose a recipe for data, this machine and so many hours; needs the extra `train`. Nothing is trained or written.

    Looks at training images of the sets, and tries the recipe out for some seconds. `data`, `overrides` and `device`
    are those of `foveate.train`. The plan has the `recipe`, the `reasons` by key, and `text`, the recipe's file;
    `foveate.train(plan, data=…, out=…)` trains by it. The hours begin with this call. `say` hears what is being done.

    Raises UsageError for hours that are none or too few for an epoch, and where the extra is missing; RecipeError for
    an override; DataError and ImageError for data that can't be learnt from.
    """
    began = time.monotonic()
    if not (math.isfinite(hours) and hours > 0):
        raise UsageError(f"--hours {hours:g}: give the hours that planning and training may take, such as 3 or 0.5.")
    if device is not None:
        check_device_name(device)
    keys, specs = overrides_of(overrides), list(one_or_more(data))
    if not specs:
        raise UsageError("train auto needs at least one --data NAME:FOLDER.")
    with needs("train"):
        from foveate.planning.fingerprint import fingerprint
        from foveate.planning.plan import Measures, draft
        from foveate.planning.plan import plan as planned
        from foveate.training.data.gather import common_classes, parts_of, training_part
        from foveate.training.machine import this_machine
        from foveate.training.processes.place import chosen_device
        from foveate.training.rehearsal import SECONDS, Rehearsal
    sets, where = open_sets(specs), chosen_device(device or "auto")
    names, classes = [dataset.name for dataset in sets], common_classes(sets)
    learnt = [entry for dataset in sets for entry in training_part(dataset)]
    base = draft(names, len({entry.group for entry in learnt}), keys)
    say("looking at training images")
    seen = fingerprint(sets, base)
    say(f"trying the recipe out, for {SECONDS:.0f} seconds and more")
    rehearsal = Rehearsal([entry for dataset in sets for entry in parts_of(dataset, base)[0]], classes, where)
    measures = Measures(rehearsal.weigh, rehearsal.time, lambda: time.monotonic() - began)
    return planned(seen, this_machine(where), hours, measures, data=base, sets=names, overrides=keys)
