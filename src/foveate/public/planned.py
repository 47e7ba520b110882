"""What stands around a training that was planned: the plan before it, a model and a report after it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.datasets import open_set
from foveate.errors import FoveateError, UsageError
from foveate.public.export import export
from foveate.public.plan import plan
from foveate.public.report import report
from foveate.training.processes.place import Rank
from foveate.training.run.existing import check_free
from foveate.training.run.folder import PLAN

if TYPE_CHECKING:
    from foveate.planning.plan import TrainingPlan

AUTO = "auto"
"""What stands in place of a recipe's name where one is to be planned."""

NO_HOURS = "train auto needs --hours, how long planning and training may take, such as 3 or 0.5."

MODEL, REPORT = "model.onnx", "report"
"""What a planned run leaves in its folder beside all that a run does."""

Say = Callable[[str], None]


def plan_for(
    data: Sequence[str],
    hours: float | None,
    overrides: Mapping[str, object] | Sequence[str],
    folder: Path,
    device: str | None,
    rank: Rank,
    say: Say,
) -> TrainingPlan:
    """The plan of a run that is to begin in `folder`; its place is looked at first, as planning takes a minute.

    Raises UsageError where hours are missing, the folder isn't free, or several processes would make a plan each.
    """
    if hours is None:
        raise UsageError(NO_HOURS)
    if rank.count > 1:
        raise UsageError(
            "each of several processes would make a plan of its own. Make one by `foveate train auto … --plan-only"
            " > plan.toml`, and train by that."
        )
    check_free(folder)
    made = plan(data, hours, overrides, device=device, say=say)
    training = made.recipe.training
    say(
        f"planned: {made.recipe.network.name}, {training.epochs} epochs of {training.samples_per_epoch} crops, about"
        f" {made.seconds / 3600:.2f} hours in all. {folder / PLAN} will say why"
    )
    return made


def finish(folder: Path, data: Sequence[str], say: Say) -> None:
    """Export a planned run's best weights, and report on the images that validated them: a test part stays unread."""
    model = folder / MODEL
    export(folder, model, overwrite=True)
    say(f"segment with it: foveate segment photo.jpg -o masks/ --model {shlex.quote(str(model))}")
    tested = [each for each in data if open_set(each).has_truth("test")]
    try:
        report(model, data=data, out=folder / REPORT, split="validation", boundary=False, overwrite=True)
    except FoveateError as error:
        again = _report_on(model, data, "--split validation")
        say(f"no report was written ({error}). `{again}` makes one.")
    else:
        page = folder / REPORT / "index.html"
        on_test = f" On the test part: {_report_on(model, tested)}" if tested else ""
        say(f"{page}: how good it is on the images that chose its threshold.{on_test}")


def _report_on(model: Path, data: Sequence[str], *options: str) -> str:
    return " ".join(
        ["foveate report", shlex.quote(str(model)), *(f"--data {shlex.quote(each)}" for each in data), *options]
    )
