"""A sweep small enough for a test: four trials of a step each."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from foveate.datasets import DataSet
from foveate.recipes.schema import Recipe
from foveate.sweeps.read import read_sweep
from foveate.sweeps.schema import Sweep
from foveate.sweeps.work import Work, work_on
from foveate.training.run.progress import Listener
from small_run import SMALL

FIXED = (*SMALL, "network.widths=[4, 4, 8, 8]", "training.samples_per_epoch=2", "training.epochs=1")
OPTIMISERS = 'training.optimiser = ["sgd", "adamw"]'
ROTATIONS = "augmentation.rotation = [0.0, 180.0]"


def toml(*, top: str = "", fixed: tuple[str, ...] = (), search: tuple[str, ...] = (OPTIMISERS, ROTATIONS)) -> str:
    keys = dict(each.split("=", 1) for each in (*FIXED, *fixed))
    lines = [f'{key} = "32-true"' if key == "training.precision" else f"{key} = {value}" for key, value in keys.items()]
    return "\n".join(['recipe = "region-guided-vessels"', top, "[fixed]", *lines, "[search]", *search, ""])


def write_sweep(
    folder: Path, *, top: str = "", fixed: tuple[str, ...] = (), search: tuple[str, ...] = (OPTIMISERS, ROTATIONS)
) -> Path:
    path = folder / "small.toml"
    path.write_text(toml(top=top, fixed=fixed, search=search), encoding="utf-8")
    return path


def small_sweep(
    folder: Path, *, top: str = "", fixed: tuple[str, ...] = (), search: tuple[str, ...] = (OPTIMISERS, ROTATIONS)
) -> Sweep:
    return read_sweep(os.fspath(write_sweep(folder, top=top, fixed=fixed, search=search)))


@contextmanager
def silent(recipe: Recipe) -> Iterator[Listener]:
    yield Listener(lambda _: None, lambda *_: None, lambda _: None)


def work(
    sweep: Sweep,
    data: list[DataSet],
    folder: Path,
    *,
    storage: str | None = None,
    at_most: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    return work_on(Work(sweep, folder, data, "cpu", "a test", None, say, silent), storage=storage, at_most=at_most)
