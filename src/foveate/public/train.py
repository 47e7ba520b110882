"""What `foveate train` and `foveate runs` do, from Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.datasets import open_sets
from foveate.errors import UsageError, needs
from foveate.public.planned import AUTO, finish, plan_for
from foveate.public.scoring import one_or_more
from foveate.recipes.read import overrides_of, read_recipe
from foveate.recipes.schema import Recipe
from foveate.training.processes.place import ALONE, Rank, check_device_name
from foveate.training.run.existing import Run, plan_of, run_in, runs_below
from foveate.training.run.facts import load_facts
from foveate.training.run.folder import PLAN, Storage
from foveate.training.run.progress import EpochRow, Listener
from foveate.training.run.provenance import command_line

if TYPE_CHECKING:
    from foveate.planning.plan import TrainingPlan

Listening = Callable[[Recipe], AbstractContextManager[Listener]]
"""The recipe that is trained by, to who hears how it goes."""


def train(
    recipe: str | Path | TrainingPlan | None = None,
    overrides: Mapping[str, object] | Sequence[str] = (),
    *,
    data: str | Sequence[str] = (),
    hours: float | None = None,
    out: str | Path | None = None,
    initial: str | Path | None = None,
    resume: str | Path | None = None,
    device: str | None = None,
    cache: Storage | None = None,
    track: bool | None = None,
    tracking_uri: str | None = None,
    on_epoch: Callable[[EpochRow], None] | None = None,
    listening: Listening | None = None,
    say: Callable[[str], None] = lambda _: None,
    rank: Rank = ALONE,
    command: str | None = None,
) -> Run:
    """Train a network by a recipe into the folder `out`, or go on with the run in `resume`; needs the extra `train`.

    `recipe` is a shipped recipe's name, a `.toml` file, what `foveate.plan` returned, or "auto": then one is planned
    for the data, this machine and so many `hours`. A planned run exports its model, and writes a report on its
    validation images, into its folder when it is over; `say` hears what is done before and after.

    `overrides` is a mapping as `{"training.epochs": 4}` or a list as `["training.epochs=4"]`, `data` one or several
    `"NAME:FOLDER"`. `initial` is what `--from` takes; `device`, `cache` and `track` are as of the command, without them
    the run's own or `auto`, and untracked. MLflow hears of a tracked run at `tracking_uri`, else in `mlflow.db` beside
    the run's folder.

    `on_epoch` gets each epoch's row when it is done; `listening` hears of everything in its place. Under `torchrun`
    give `rank=Rank.of(os.environ)`. `command` is what the record says was called, by itself a `foveate train` that
    does the same. Returns the run as `runs` does: `run.f1` is the best validation F1, `run.best` the file of weights.

    Raises UsageError where arguments don't go together or the extra is missing, and its RecipeError for a recipe that
    the schema refuses; DataError for a data set; TrainingError where the run can't begin or go on; OutputError.
    After KeyboardInterrupt the last whole epoch is kept, and `resume` goes on from there.
    """
    if device is not None:
        check_device_name(device)
    keys, sets = overrides_of(overrides), list(one_or_more(data))
    if hours is not None and recipe != AUTO:
        raise UsageError(f"--hours is for `foveate train {AUTO}`. Any other recipe has training.hours={hours:g}.")
    if resume is not None:
        if out is not None or initial is not None:
            raise UsageError("--resume goes on in the run's own folder, from its own weights: no --out, no --from.")
        if recipe == AUTO or not isinstance(recipe, str | Path | None):
            raise UsageError("--resume goes on by the run's own plan: no other one.")
        keys = keys if recipe is None else [str(recipe), *keys]
        call = _going_on(Path(resume), keys, sets, device, cache, track=track)
    elif recipe is None or not sets or out is None:
        raise UsageError(
            "train needs a RECIPE, at least one --data NAME:FOLDER and an --out FOLDER; or --resume FOLDER."
        )
    else:
        planned = plan_for(sets, hours, keys, Path(out), device, rank, say) if recipe == AUTO else recipe
        asked, text = _recipe_of(planned, [] if recipe == AUTO else keys)
        call = _Call(asked, sets, Path(out), initial, False, device or "auto", cache or "auto", bool(track), text)
    named = recipe if isinstance(recipe, str | Path | None) else call.folder / PLAN
    options = {"--hours": hours, "--out": out, "--from": initial}
    options |= {"--resume": resume, "--device": device, "--cache": cache}
    with needs("train"):
        from foveate.training.start import start
    store = tracking_uri or f"sqlite:///{(call.folder.resolve().parent / 'mlflow.db').as_posix()}"
    with (listening or listening_to(on_epoch))(call.recipe) as listener:
        start(
            call.recipe,
            open_sets(call.data),
            folder=call.folder,
            resume=call.resume,
            device=call.device,
            command=command or command_line(_words(named, keys, sets, options)),
            initial=call.initial,
            storage=call.cache,
            track=store if call.track else None,
            listener=listener,
            rank=rank,
            plan=call.plan,
        )
    if (call.folder / PLAN).is_file() and not rank.number:
        finish(call.folder, call.data, say)
    return run_in(call.folder)


def runs(folder: str | Path = "runs") -> list[Run]:
    """All training runs below a folder, by name: data, epochs, best validation F1, and whether they still run.

    Raises UsageError where there is no such folder.
    """
    if not Path(folder).is_dir():
        raise UsageError(f"{folder}: no such folder.")
    return runs_below(Path(folder))


@dataclass(frozen=True, slots=True)
class _Call:
    """What is to be done, with the run's own answers where it goes on and nothing else was asked for."""

    recipe: Recipe
    data: Sequence[str]
    folder: Path
    initial: str | Path | None
    resume: bool
    device: str
    cache: Storage
    track: bool
    plan: str = ""
    """The file of a recipe that was planned."""


def _recipe_of(recipe: str | Path | TrainingPlan, overrides: Sequence[str]) -> tuple[Recipe, str]:
    """The recipe that was asked for, and the file of a planned one."""
    if isinstance(recipe, str | Path):
        return read_recipe(str(recipe), overrides), ""
    if overrides:
        raise UsageError("overrides change what is planned: give them to foveate.plan.")
    return recipe.recipe, recipe.text


def _going_on(
    folder: Path,
    overrides: Sequence[str],
    data: Sequence[str],
    device: str | None,
    cache: Storage | None,
    *,
    track: bool | None,
) -> _Call:
    """Go on with a run; `data` only where its sets lie in another place now."""
    plan = plan_of(folder, overrides)
    return _Call(
        plan.recipe,
        data or plan.places,
        folder,
        initial=None if plan.begun else plan.initial,
        resume=plan.begun,
        device=device or plan.device,
        cache=cache or plan.cache,
        track="track" in load_facts(folder) if track is None else track,
        plan=(folder / PLAN).read_text(encoding="utf-8") if (folder / PLAN).is_file() else "",
    )


def listening_to(on_epoch: Callable[[EpochRow], None] | None) -> Listening:
    """A listener to the epochs alone."""

    @contextmanager
    def listening(_: Recipe) -> Iterator[Listener]:
        yield Listener() if on_epoch is None else Listener(on_epoch=on_epoch)

    return listening


def _words(
    recipe: str | Path | None, overrides: Sequence[str], data: Sequence[str], options: Mapping[str, object]
) -> list[str]:
    """The command line that asks for the same."""
    named = [str(recipe)] if recipe is not None and options["--resume"] is None else []
    words = ["train", *named, *overrides, *(word for name in data for word in ("--data", name))]
    return words + [str(word) for name, value in options.items() if value is not None for word in (name, value)]
