"""Where a run computes and in which precision, and what it says of that."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from foveate.datasets import DataSet
from foveate.errors import UsageError
from foveate.recipes.schema import Recipe
from foveate.training.processes import consensus as processes_module
from foveate.training.processes import place
from foveate.training.processes.consensus import launched
from foveate.training.processes.place import ALONE, Rank, chosen_device, chosen_precision
from foveate.training.run.progress import Listener
from foveate.training.run.tensors import load_state
from foveate.training.start import start
from small_run import small_recipe

CPU = torch.device("cpu")
SHORT = ("training.epochs=1", "training.samples_per_epoch=2")


def processor_with(*names: str) -> Callable[[], dict[str, bool]]:
    return lambda: dict.fromkeys(names, True) | {"avx2": True, "avx512_f": True}


def gpus(monkeypatch: pytest.MonkeyPatch, count: int, *, bf16: bool = True) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_: bf16)


@pytest.mark.parametrize(
    ("has", "precision"), [(["avx512_bf16"], "bf16-mixed"), (["amx_bf16"], "bf16-mixed"), ([], "32-true")]
)
def test_auto_is_bf16_on_processors_that_have_it_and_says_why(
    has: list[str], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", processor_with(*has), raising=False)
    monkeypatch.setattr(place, "time_in_bf16", lambda: 0.5)
    found = chosen_precision("auto", CPU)
    assert found.name == precision
    assert found.note.startswith(f"precision {precision}: this processor has {has[0] if has else 'neither'}")


def test_auto_is_not_bf16_where_a_convolution_is_slower_in_it_but_for_several_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", processor_with("avx512_bf16"), raising=False)
    monkeypatch.setattr(place, "time_in_bf16", lambda: 1.9)
    found = chosen_precision("auto", CPU)
    assert found.name == "32-true"
    assert "avx512_bf16" in found.note
    assert "1.90 times as long in bf16" in found.note
    assert chosen_precision("auto", CPU, rank=Rank(1, 2, 1, 2)).name == "bf16-mixed"
    assert chosen_precision("bf16-mixed", CPU).name == "bf16-mixed"


@pytest.mark.parametrize(("slower", "above"), [(torch.bfloat16, True), (torch.float32, False)])
def test_the_time_in_bf16_is_that_of_a_convolution(
    slower: torch.dtype, above: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    convolution = torch.nn.functional.conv2d

    def delayed(image: torch.Tensor, weight: torch.Tensor, padding: int) -> torch.Tensor:
        time.sleep(0.2 if image.dtype == weight.dtype == slower else 0.0)
        return convolution(image, weight, padding=padding)

    monkeypatch.setattr("torch.nn.functional.conv2d", delayed)
    monkeypatch.setattr(place, "TRIALS", 3)
    assert (place.time_in_bf16.__wrapped__() > 1) == above


@pytest.mark.parametrize(("bf16", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_auto_is_bf16_on_gpus_that_have_it(bf16: bool, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 1, bf16=bf16)
    assert chosen_precision("auto", chosen_device("auto")).name == precision
    assert ("will be slow" in chosen_precision("bf16-mixed", chosen_device("cuda")).note) != bf16


def test_what_is_asked_for_is_done_and_told_where_it_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", processor_with(), raising=False)
    found = chosen_precision("bf16-mixed", CPU)
    assert found.name == "bf16-mixed"
    assert "will be slow" in found.note
    assert "\n" not in found.note
    monkeypatch.setattr("torch.cpu.get_capabilities", processor_with("amx_bf16"), raising=False)
    assert chosen_precision("bf16-mixed", CPU).note == chosen_precision("32-true", CPU).note == ""


def run_on(has: list[str], recipe: Recipe, data: list[DataSet], folder: Path, *, resume: bool) -> list[str]:
    said: list[str] = []
    silent = Listener(said.append, lambda *_: None, lambda _: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.cpu.get_capabilities", processor_with(*has), raising=False)
        start(recipe, data, folder=folder, resume=resume, device="cpu", command="a test", listener=silent)
    return said


def test_a_run_keeps_on_another_machine_the_precision_that_it_began_with(
    tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[str] = []

    def fabric(**given: str) -> Fabric:
        used.append(given["precision"])
        return Fabric(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(processes_module, "Fabric", fabric)
    recipe, longer = (small_recipe(*SHORT, f"training.epochs={n}", "training.precision=auto") for n in (1, 2))
    said = run_on([], recipe, small_data, tmp_path / "run", resume=False)
    assert [line for line in said if line.startswith("precision 32-true: ")]
    run_on(["avx512_bf16"], longer, small_data, tmp_path / "run", resume=True)
    assert used == ["32-true", "32-true"]
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts["precision"] == facts["resumed"][0]["precision"] == "32-true"
    assert len(load_state(tmp_path / "run")["progress"]["rows"]) == 2
    assert "precision 32-true: " in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("asked", "count", "message"),
    [
        ("gpu", 1, "choose auto, cpu, cuda"),
        ("cuda:", 1, "choose auto, cpu, cuda"),
        ("cuda", 0, "no CUDA device"),
        ("cuda:1", 0, "no CUDA device"),
        ("cuda:2", 2, "Choose cuda:0, cuda:1, or cpu"),
        ("mps", 2, "no Apple GPU"),
    ],
)
def test_a_device_that_is_not_there_is_an_error(
    asked: str, count: int, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_data: list[DataSet]
) -> None:
    gpus(monkeypatch, count)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    silent = Listener(lambda _: None, lambda *_: None, lambda _: None)
    with pytest.raises(UsageError, match=message):
        start(
            small_recipe(*SHORT),
            small_data,
            folder=tmp_path / "run",
            resume=False,
            device=asked,
            command="a test",
            listener=silent,
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("asked", "device"),
    [("auto", "cuda"), ("cuda", "cuda"), ("cuda:1", "cuda:1"), ("cpu", "cpu"), ("mps", "mps")],
)
def test_a_device_that_is_there_is_the_one_asked_for(asked: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 2)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert chosen_device(asked) == torch.device(device)


@pytest.mark.parametrize(("device", "devices"), [("cuda:1", [1]), ("cuda", 1)])
def test_a_gpu_by_its_number_is_the_one_that_computes(
    device: str, devices: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, object] = {}

    def fabric(**given: object) -> Fabric:
        asked.update(given)
        return Fabric(accelerator="cpu", devices=1)

    gpus(monkeypatch, 2)
    monkeypatch.setattr(processes_module, "Fabric", fabric)
    with launched(torch.device(device), "32-true", small_recipe().training, ALONE):
        assert (asked["accelerator"], asked["devices"]) == ("cuda", devices)


def test_several_processes_share_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 2)
    options = small_recipe("training.batch=4").training
    with (
        pytest.raises(UsageError, match="each takes a device of its own"),
        launched(torch.device("cuda:1"), "32-true", options, Rank(0, 2, 0, 2)),
    ):
        pass
