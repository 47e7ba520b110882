"""One optimiser step: of several batches, compiled, and where memory runs out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import Tensor, nn

from foveate.datasets import DataSet
from foveate.errors import TrainingError
from foveate.recipes.schema import Recipe
from foveate.records import Classes
from foveate.training.data.sampling import TrainingSet
from foveate.training.keep import commit, restore
from foveate.training.run.tensors import load_state
from foveate.training.step.learner import Learner, RunSetup, build_learner
from foveate.training.step.step import fitting, stepper
from small_run import run, small_recipe

VESSEL = Classes(("vessel",))


def without_batch_norm(_: Recipe, classes: Classes) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.SiLU(), nn.Conv2d(4, 1, 3, padding=1))


def setup_of(recipe: Recipe) -> RunSetup:
    """Two cases of noise, the second of which has a FOV of a few rows, so that batches count unevenly many pixels."""
    cases = torch.randint(256, (2, 5, 80, 90), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    cases[0, 4], cases[1, 4] = 255, 0
    cases[1, 4, 30:50] = 255
    fabric = Fabric(accelerator="cpu", devices=1)
    sets = [TrainingSet("noise", 1.0, tuple(cases))]
    return RunSetup(recipe, sets, [], fabric, Path(), {}, (127.0,) * 3, (70.0,) * 3, VESSEL)


def one_step(*overrides: str) -> tuple[float, Learner]:
    recipe = small_recipe("training.loss=bce", "training.average=0", "training.side_weight=0", *overrides)
    learner = build_learner(recipe, VESSEL)
    learner.network.train()
    return stepper(learner, setup_of(recipe)).step(), learner


def gradient(learner: Learner) -> Tensor:
    return torch.cat([each.grad.flatten() for each in learner.network.parameters() if each.grad is not None])


@pytest.mark.parametrize(("batch", "accumulate"), [(3, 2), (2, 3), (1, 6)])
def test_the_gradient_of_several_batches_is_that_of_one_as_large(
    batch: int, accumulate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foveate.training.step.learner.fresh_network", without_batch_norm)
    loss, learner = one_step("training.batch=6")
    pieces_loss, pieces = one_step(f"training.batch={batch}", f"training.accumulate={accumulate}")
    assert pieces_loss == pytest.approx(loss, rel=1e-5)  # float32, added up in another order
    torch.testing.assert_close(gradient(pieces), gradient(learner), rtol=1e-4, atol=1e-7)
    alone, smaller = one_step(f"training.batch={batch}")
    assert abs(alone - loss) > 1e-4
    assert not torch.allclose(gradient(smaller), gradient(learner), rtol=1e-2)


def test_an_epoch_has_fewer_steps_where_a_step_has_more_crops() -> None:
    options = small_recipe("training.samples_per_epoch=25", "training.batch=4", "training.accumulate=3").training
    assert options.steps_per_epoch == 3  # 36 crops: the third is as large as the others


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("c++") or shutil.which("cl")), reason="PyTorch's compiler needs one for C++")
def test_a_compiled_step_is_the_same_but_for_rounding() -> None:
    small = ("network.name=unet", "network.widths=[4, 8]", "training.batch=2", "training.crop=32")
    loss, learner = one_step(*small)
    torch._dynamo.reset()
    compiled_loss, compiled = one_step(*small, "training.compile=true")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] >= 1
    assert compiled_loss == pytest.approx(loss, rel=1e-4)  # kernels that are fused round otherwise
    # Of a crop's many equal pixels, rounding may let another one be the largest of its pooling window: that moves a
    # few entries by more than rounding, but the whole gradient hardly.
    expected = gradient(learner)
    assert (gradient(compiled) - expected).norm() < 0.01 * expected.norm()
    assert compiled.network.state_dict().keys() == learner.network.state_dict().keys()


@pytest.mark.parametrize(
    ("batch", "fits", "found", "told"),
    [(8, 3, 2, "training.batch=2 training.accumulate=4"), (6, 1, 1, "training.accumulate=6"), (2, 0, 0, "crop")],
)
@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory: you …")],
    ids=["gpu", "cpu"],
)
def test_out_of_memory_ends_in_one_line_with_a_batch_that_fits(
    batch: int,
    fits: int,
    found: int,
    told: str,
    error: RuntimeError,
    tmp_path: Path,
    small_data: list[DataSet],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    real = RunSetup.loss

    def loss(self: RunSetup, outputs: Sequence[Tensor], mask: Tensor, fov: Tensor) -> Tensor:
        tried.append(len(mask))
        if len(mask) > fits:
            raise error
        return real(self, outputs, mask, fov)

    monkeypatch.setattr(RunSetup, "loss", loss)
    with pytest.raises(TrainingError, match=told) as caught:
        run(small_recipe(f"training.batch={batch}"), small_data, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert tried == [batch, *(batch // 2**n for n in range(1, 9) if batch // 2**n >= max(found, 1))]


def test_an_error_of_another_kind_is_not_taken_for_a_lack_of_memory() -> None:
    def probe(size: int) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        fitting(4, probe)


@pytest.mark.parametrize(("draw", "once"), [("without_replacement", True), ("with_replacement", False)])
def test_an_epoch_of_several_batches_a_step_sees_images_as_the_recipe_says(
    draw: str, once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = torch.full((12, 5, 16, 16), 255, dtype=torch.uint8)
    cases[:, 3] = torch.arange(0, 240, 20, dtype=torch.uint8)[:, None, None]  # the mask tells which one it is
    seen: list[int] = []
    real = RunSetup.loss

    def loss(self: RunSetup, outputs: Sequence[Tensor], mask: Tensor, fov: Tensor) -> Tensor:
        seen.extend(torch.round(mask[:, 0, 8, 8] * 255).int().tolist())
        return real(self, outputs, mask, fov)

    monkeypatch.setattr(RunSetup, "loss", loss)
    small = ("training.crop=16", "training.batch=3", "training.accumulate=2", "training.samples_per_epoch=12")
    recipe = small_recipe(*small, "augmentation.rotation=0", "augmentation.scale=0", f"training.draw={draw}")
    setup = replace(setup_of(recipe), training=[TrainingSet("marked", 1.0, tuple(cases))])
    steps = stepper(build_learner(recipe, VESSEL), setup)
    for _ in range(recipe.training.steps_per_epoch):
        steps.step()
    assert len(seen) == 12
    assert (sorted(seen) == list(range(0, 240, 20))) == once


def half_precision_run(folder: Path) -> tuple[RunSetup, Learner]:
    """As on a GPU with `16-mixed`, with a scaler that grows after every third good step."""
    recipe = small_recipe("training.crop=16", "training.batch=2", "training.average=0")
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=3)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision("16-mixed", "cpu", scaler)])
    return replace(setup_of(recipe), fabric=fabric, folder=folder), build_learner(recipe, VESSEL)


def scales(setup: RunSetup, learner: Learner, count: int) -> list[float]:
    steps, found = stepper(learner, setup), []
    for _ in range(count):
        steps.step()
        found.append(setup.fabric.strategy.precision.state_dict()["scale"])
    return found


def test_half_precision_goes_on_with_what_it_has_learnt_of_how_to_scale_the_loss(tmp_path: Path) -> None:
    expected = scales(*half_precision_run(tmp_path / "whole"), 8)
    assert len(set(expected)) > 2
    setup, learner = half_precision_run(tmp_path / "run")
    before = scales(setup, learner, 4)
    commit(setup, learner)
    setup, learner = half_precision_run(tmp_path / "run")
    restore(setup, learner, load_state(tmp_path / "run"))
    assert before + scales(setup, learner, 4) == expected
