"""Try a recipe out for some seconds: by the very step and the very validation that the training will have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from foveate.errors import TrainingError
from foveate.networks.built import stages
from foveate.recipes.schema import Recipe
from foveate.records import CaseEntry, Classes
from foveate.runtime.freed import freed_memory_kept
from foveate.training.after.validation import Validator
from foveate.training.data.normalisation import channel_statistics
from foveate.training.data.reading import looked_at, prepared
from foveate.training.data.sampling import TrainingSet
from foveate.training.processes.consensus import launched
from foveate.training.processes.place import ALONE, chosen_precision, is_out_of_memory
from foveate.training.step.learner import RunSetup, build_learner, forward_of
from foveate.training.step.step import Stepper, stepper

IMAGES = 4
"""Training images that a rehearsal has: enough that crops come from several."""

SECONDS = 15.0
"""That steps are timed for at least; and at least `STEPS` of them."""

STEPS = 3


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured of a recipe on a machine."""

    crops: float
    """That training takes in a second."""
    validation: float
    """Seconds for one validation image."""


@dataclass(frozen=True, slots=True)
class _Learnt:
    """What steps change, and by what."""

    setup: RunSetup
    network: nn.Module


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a recipe is tried out with; a few images of the training part, on one device."""

    entries: Sequence[CaseEntry]
    classes: Classes
    device: torch.device
    seconds: float = SECONDS
    clock: Callable[[], float] = time.perf_counter

    def weigh(self, recipe: Recipe) -> int:
        """Bytes that the forward pass of one crop of the recipe's keeps for the backward one, beside the weights."""
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with self._begun(recipe) as (learnt, steps):
            weights = {tensor.untyped_storage().data_ptr() for tensor in learnt.network.parameters()}
            with saved_tensors_hooks(keep, lambda tensor: tensor):
                steps.probe(1)
        return sum(size for place, size in kept.items() if place not in weights)

    def time(self, recipe: Recipe) -> Speed:
        """Crops a second, and seconds for a validation image. The first step, which makes things ready, isn't counted.

        Raises TrainingError where a batch, or a whole image, doesn't fit into memory after all.
        """
        with self._begun(recipe) as (learnt, steps):
            steps.step()
            began, done = self.clock(), 0
            while (passed := self.clock() - began) < self.seconds or done < STEPS:
                steps.step()
                done += 1
            return Speed(done * recipe.training.crops_per_step / passed, self._validated(recipe, learnt))

    def _validated(self, recipe: Recipe, learnt: _Learnt) -> float:
        """Seconds for one image, reading not counted; the second of two, as the first makes things ready."""
        network = learnt.network.eval()
        validator = Validator(
            lambda pixels: forward_of(network)(learnt.setup.normalised(pixels)),
            learnt.setup.loss,
            recipe.preparation,
            self.classes,
            self.device,
        )
        case, fov = looked_at(self.entries[0], recipe.preparation)
        validator.predicted(case, fov)
        began = self.clock()
        validator.predicted(case, fov)
        return self.clock() - began

    @contextmanager
    def _begun(self, recipe: Recipe) -> Iterator[tuple[_Learnt, Stepper]]:
        """A training that leaves nothing behind: no folder, and PyTorch's chance as it was."""
        cases = tuple(prepared(entry, recipe.preparation) for entry in self.entries[:IMAGES])
        data = TrainingSet("rehearsal", 1.0, cases, recipe.preparation.channel_count)
        precision = chosen_precision(recipe.training.precision, self.device)
        alone = launched(self.device, precision.name, recipe.training, ALONE)
        with torch.random.fork_rng(), freed_memory_kept(), alone as processes:
            mean, deviation = channel_statistics([data])
            setup = RunSetup(recipe, [data], [], processes.fabric, Path(), {}, mean, deviation, self.classes)
            learner = build_learner(recipe, self.classes)
            steps = stepper(learner, setup)
            stages.train(learner.network)
            try:
                yield _Learnt(setup, learner.network), steps
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                size = f"{recipe.training.batch} crops of {recipe.training.crop}×{recipe.training.crop} pixels"
                raise TrainingError(
                    f"{size}, or a whole image, did not fit into memory. Give a smaller training.batch= or"
                    " preparation.working_maximum=."
                ) from error
