"""Images per second of the training engine beside two loops by hand: python benchmarks/training.py --help.

bare    the same network, data, augmentation, batch, precision and optimiser, channels-last, in plain PyTorch: what the
        engine costs.
plain   what one writes first: float32, NCHW, and every image by itself: turned and scaled whole, as float, cut, and its
        colours changed, by kornia on the CPU. What the engine gains.

All draw from the same drawn photographs and take turns, in another order each round, so that whatever else the machine
does meets them alike. A ratio is taken within each round. Nothing but steps is timed: no validation, no files.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, cast

import kornia
import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, Dataset

from foveate.datasets import open_set
from foveate.recipes.read import read_recipe
from foveate.recipes.schema import Recipe
from foveate.records import Classes
from foveate.training.data.normalisation import channel_statistics
from foveate.training.data.reading import prepared
from foveate.training.data.sampling import TrainingSet, draw_batch
from foveate.training.processes.place import chosen_precision
from foveate.training.step.learner import Learner, RunSetup, build_learner, forward_of
from foveate.training.step.step import stepper

Step = Callable[[], float]
"""One step of the optimiser, and the loss before it."""

CLASSES = Classes(("vessel",))

ASKED = {"bare": 0.95, "plain": 3.0}
"""The engine's share of each loop's images per second that it should reach at least."""


@dataclass(frozen=True, slots=True)
class Loop:
    """One way to train."""

    name: str
    precision: str
    step: Step


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one loop, over the rounds."""

    name: str
    precision: str
    images_per_second: float
    """The median."""
    rounds: list[float]


def main() -> None:
    """Measure, print the table, and write the JSON file if one is asked for."""
    asked = _parsed()
    torch.set_num_threads(asked.threads or torch.get_num_threads())
    recipe = _recipe(asked)
    loops = _loops(recipe, asked)
    measured = measure(loops, recipe.training.crops_per_step, asked.seconds, asked.rounds)
    found = {
        "recipe": recipe.name,
        "network": recipe.network.name,
        "crop": recipe.training.crop,
        "batch": recipe.training.batch,
        "device": asked.device,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "loops": [asdict(each) for each in measured],
        "ratios": _ratios(measured),
    }
    sys.stdout.write(_table(found))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measure(loops: list[Loop], crops: int, seconds: float, rounds: int) -> list[Measured]:
    """Let the loops take turns of that many seconds, each beginning a round once."""
    rates: dict[str, list[float]] = {loop.name: [] for loop in loops}
    for loop in loops:
        loop.step()
    for number in range(rounds):
        first = number % len(loops)
        for loop in loops[first:] + loops[:first]:
            rates[loop.name].append(crops * _steps_per_second(loop.step, seconds))
    return [Measured(loop.name, loop.precision, median(rates[loop.name]), rates[loop.name]) for loop in loops]


def _steps_per_second(step: Step, seconds: float) -> float:
    began = time.perf_counter()
    for done in count(1):
        step()  # its loss is a number of the CPU: a GPU is done with the step
        if (spent := time.perf_counter() - began) >= seconds:
            return done / spent
    raise AssertionError


def _ratios(measured: list[Measured]) -> dict[str, dict[str, float]]:
    """The engine's images per second over those of every other loop, round by round: median, smallest, largest."""
    engine, others = measured[0], measured[1:]
    found = {f"{engine.name} / {other.name}": _within_rounds(engine, other) for other in others}
    for full in (other for other in others if other.name == "engine, fp32"):
        found["engine, fp32 / plain"] = _within_rounds(full, next(each for each in others if each.name == "plain"))
    return found


def _within_rounds(one: Measured, other: Measured) -> dict[str, float]:
    ratios = [a / b for a, b in zip(one.rounds, other.rounds, strict=True)]
    return {"median": median(ratios), "smallest": min(ratios), "largest": max(ratios)}


def _loops(recipe: Recipe, asked: argparse.Namespace) -> list[Loop]:
    """The engine first."""
    data = _drawn_set(recipe, asked.images)
    full = recipe.model_copy(update={"training": recipe.training.model_copy(update={"precision": "32-true"})})
    loops = [
        Loop("engine", recipe.training.precision, _engine(recipe, data, asked.device)),
        Loop("bare", recipe.training.precision, _bare(recipe, data, asked.device)),
        Loop("plain", "32-true", _plain(full, data, asked.device, asked.workers)),
    ]
    if recipe.training.precision != "32-true":
        loops.append(Loop("engine, fp32", "32-true", _engine(full, data, asked.device)))
    return loops


def _drawn_set(recipe: Recipe, images: int) -> TrainingSet:
    preparation = recipe.preparation
    entries = open_set(f"synthetic:{images}").split("train")
    return TrainingSet("drawn", 1.0, tuple(prepared(each, preparation) for each in entries), preparation.channel_count)


def _setup(recipe: Recipe, data: TrainingSet, device: str) -> RunSetup:
    fabric = Fabric(accelerator=device, devices=1, precision=cast("Any", recipe.training.precision))
    mean, deviation = channel_statistics([data])
    return RunSetup(recipe, [data], [], fabric, Path(), {}, mean, deviation, CLASSES)


def _engine(recipe: Recipe, data: TrainingSet, device: str) -> Step:
    learner = build_learner(recipe, CLASSES)
    learner.network.train()
    return stepper(learner, _setup(recipe, data, device)).step


def _bare(recipe: Recipe, data: TrainingSet, device: str) -> Step:
    setup, learner, options = _setup(recipe, data, device), build_learner(recipe, CLASSES), recipe.training
    place = torch.device(device)
    network = learner.network.train().to(place)
    if learner.average is not None:
        learner.average.to(place)
    forward = forward_of(network)

    def step() -> float:
        batch = draw_batch(
            [data],
            size=options.crops_per_step,
            side=options.crop,
            augmentation=recipe.augmentation,
            generator=learner.generator,
            device=place,
        )
        learner.optimiser.zero_grad()
        total = 0.0
        pieces = (torch.split(each, options.batch) for each in (batch.image, batch.mask, batch.fov))
        for image, mask, fov in zip(*pieces, strict=True):
            with torch.autocast(place.type, torch.bfloat16, enabled=options.precision == "bf16-mixed"):
                outputs = forward(setup.normalised(image * 255))
            loss = setup.loss(outputs, mask, fov) / options.accumulate
            torch.autograd.backward(loss)
            total += loss.item()
        return _updated(learner, recipe, total)

    return step


def _updated(learner: Learner, recipe: Recipe, loss: float) -> float:
    """The end of a step in a loop by hand."""
    if recipe.training.gradient_clip:
        torch.nn.utils.clip_grad_norm_(learner.network.parameters(), recipe.training.gradient_clip)
    learner.optimiser.step()
    if not isinstance(learner.scheduler, ReduceLROnPlateau):
        learner.scheduler.step()
    if learner.average is not None:
        learner.average.update_parameters(learner.network)
    return loss


@dataclass(frozen=True, slots=True)
class OneByOne(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """As many augmented crops as are asked for, each made of a whole image by itself."""

    recipe: Recipe
    data: TrainingSet

    def __len__(self) -> int:
        return 2**31

    def __getitem__(self, _: int) -> tuple[Tensor, Tensor, Tensor]:
        keys, side = self.recipe.augmentation, self.recipe.training.crop
        case = self.data.cases[int(torch.randint(len(self.data.cases), ()))].float()[None] / 255
        angle, zoom = _uniform(keys.rotation), _uniform(keys.scale).exp()
        middle = torch.tensor([[case.shape[-1] / 2, case.shape[-2] / 2]])
        matrix = kornia.geometry.get_rotation_matrix2d(middle, angle, zoom[:, None].expand(1, 2))
        case = kornia.geometry.warp_affine(case, matrix, (case.shape[-2], case.shape[-1]))
        if keys.flip and torch.rand(()) < 0.5:
            case = case.flip(-1)
        case = _cut(case, side)
        image, mask, fov = torch.split(case, [self.data.channels, case.shape[1] - self.data.channels - 1, 1], dim=1)
        image = kornia.enhance.adjust_gamma(image.clamp(min=0), _uniform(keys.gamma).exp())
        image = kornia.enhance.adjust_contrast_with_mean_subtraction(image, 1 + _uniform(keys.contrast))
        image = image * (1 + _uniform(keys.colour, self.data.channels)[:, None, None]) + _uniform(keys.brightness)
        return (image.clamp(0, 1) * (fov > 0))[0], mask[0], (fov > 0.5).float()[0]


def _uniform(bound: float, number: int = 1) -> Tensor:
    return (2 * torch.rand(number) - 1) * bound


def _cut(case: Tensor, side: int) -> Tensor:
    """A square of it, anywhere; black is added to an image that is smaller."""
    below, beside = (max(side - length, 0) for length in case.shape[-2:])
    case = torch.nn.functional.pad(case, (0, beside, 0, below))
    top, left = (int(torch.randint(length - side + 1, ())) for length in case.shape[-2:])
    return case[..., top : top + side, left : left + side]


def _plain(recipe: Recipe, data: TrainingSet, device: str, workers: int) -> Step:
    setup, learner, options = _setup(recipe, data, device), build_learner(recipe, CLASSES), recipe.training
    network = learner.network.train().to(device).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    if learner.average is not None:
        learner.average.to(device)
    forward = forward_of(network)
    loader = DataLoader(
        OneByOne(recipe, data), batch_size=options.batch, num_workers=workers, pin_memory=device == "cuda"
    )
    batches = cast("Iterator[list[Tensor]]", iter(loader))
    optimiser: Optimizer = learner.optimiser

    def step() -> float:
        optimiser.zero_grad()
        total = 0.0
        for _ in range(options.accumulate):
            image, mask, fov = (each.to(device, non_blocking=True) for each in next(batches))
            loss = setup.loss(forward(setup.normalised(image * 255)), mask, fov) / options.accumulate
            torch.autograd.backward(loss)
            total += loss.item()
        return _updated(learner, recipe, total)

    return step


def _table(found: dict[str, Any]) -> str:
    what = f"{found['network']} of {found['recipe']}: crops of {found['crop']}², {found['batch']} in a batch"
    lines = [
        f"{what}, {found['device']}, {found['threads']} threads, PyTorch {found['torch']}",
        "",
        f"{'loop':16}{'precision':>12}{'images/s':>12}",
    ]
    lines += [f"{each['name']:16}{each['precision']:>12}{each['images_per_second']:12.2f}" for each in found["loops"]]
    lines += ["", f"{'ratio':24}{'median':>10}{'smallest':>10}{'largest':>10}"]
    for name, ratio in found["ratios"].items():
        goal = next((f"  at least {least} asked" for other, least in ASKED.items() if name == f"engine / {other}"), "")
        lines.append(f"{name:24}{ratio['median']:10.3f}{ratio['smallest']:10.3f}{ratio['largest']:10.3f}{goal}")
    return "\n".join(lines) + "\n"


def _recipe(asked: argparse.Namespace) -> Recipe:
    overrides = list(asked.overrides)
    if asked.network:
        overrides.append(f"network.name={asked.network}")
    if asked.precision:
        overrides.append(f"training.precision={asked.precision}")
    recipe = read_recipe(asked.recipe, overrides)
    precision = chosen_precision(recipe.training.precision, torch.device(asked.device)).name
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"precision": precision})})


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="keys of the recipe, e.g. training.batch=8")
    parser.add_argument("--recipe", default="region-guided-vessels", help="a shipped one, or a file (%(default)s)")
    parser.add_argument("--network", help="another than the recipe's")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--precision", choices=("32-true", "bf16-mixed"), help="of engine and bare loop, not the recipe's"
    )
    parser.add_argument("--threads", type=int, help="of PyTorch; as many as it takes by itself")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that make the plain loop's images (%(default)s)"
    )
    parser.add_argument("--images", type=int, default=4, help="drawn photographs (%(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each loop in a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
