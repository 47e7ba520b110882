"""A run small enough for a test: drawn photographs, a narrow network, a few steps."""

from pathlib import Path

from foveate.datasets import DataSet
from foveate.recipes.read import read_recipe
from foveate.recipes.schema import Recipe
from foveate.training.run.progress import Listener
from foveate.training.start import start

SMALL = (
    "preparation.working_minimum=96",
    "preparation.working_maximum=128",
    "training.crop=64",
    "training.batch=2",
    "training.samples_per_epoch=6",
    "training.warm_up=0",
    "training.precision=32-true",
)


def small_recipe(*overrides: str) -> Recipe:
    widths = [] if any(each.startswith("network.name=") for each in overrides) else ["network.widths=[4, 4, 8, 8]"]
    return read_recipe("region-guided-vessels", [*widths, *SMALL, *overrides])


def run(recipe: Recipe, data: list[DataSet], folder: Path, *, resume: bool = False) -> str:
    silent = Listener(lambda _: None, lambda *_: None, lambda _: None)
    return start(recipe, data, folder=folder, resume=resume, device="cpu", command="a test", listener=silent)
