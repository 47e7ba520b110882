"""Runs of two processes under `torchrun`, on the CPU: the same training as in one, one folder, one voice."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from test_stop_and_go_on import results
from torch import Tensor, nn

from foveate.cli import app
from foveate.datasets import open_set
from foveate.errors import UsageError
from foveate.recipes.schema import AugmentationSection
from foveate.training.data.sampling import TrainingSet, draw_batch
from foveate.training.processes.consensus import Processes, launched
from foveate.training.processes.place import ALONE, Rank, chosen_device
from foveate.training.run.tensors import load_state, load_weights
from foveate.training.step.step import add_up
from small_run import SMALL, run, small_recipe

OVERRIDES = (
    "network.widths=[4, 4, 8, 8]",
    "training.batch=4",
    "training.samples_per_epoch=12",
    "training.epochs=3",
    "training.average=0.9",
    "training.gradient_clip=0.5",
    "augmentation.noise=0.05",
)

ON_THE_WAY = """
import os, signal
import foveate.training.loop as loop
def step(steps, setup, taken=[]):
    taken.append(0)
    if len(taken) == 5 and setup.processes.rank == 1:     # the second of the second epoch
        {what}
    return real(steps, setup)
real, loop._one_step = loop._one_step, step
from foveate.cli import main
main()
"""
KILLED = ON_THE_WAY.format(what="os.kill(os.getpid(), signal.SIGKILL)")
AFTER = """
import atexit, os
from torch import distributed
from foveate.cli import main
# In one piece: of two prints at the same moment, both words may come before both line ends.
atexit.register(lambda: os.write(1, b"left open\\n" if distributed.is_initialized() else b"closed\\n"))
main()
"""
FAILING = ON_THE_WAY.format(what="type(setup).loss = lambda *_: {}['of a kind that nobody has foreseen']")
FULL = """
import foveate.training.step.learner as setup
def loss(self, outputs, mask, fov):
    if self.processes.rank == 1 and len(mask) > 1:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
    return real(self, outputs, mask, fov)
real, setup.RunSetup.loss = setup.RunSetup.loss, loss
from foveate.cli import main
main()
"""

INTERRUPTED = """
import os, signal
import foveate.training.step.learner as setup
def loss(self, *given):
    try:
        if self.processes.rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(self, *given)
    except KeyboardInterrupt as stop:
        raise RuntimeError("Error calling __set_name__") from stop    # as Python 3.11 in an import
real, setup.RunSetup.loss = setup.RunSetup.loss, loss
from foveate.cli import main
main()
"""


def torchrun(*program: str) -> subprocess.Popen[str]:
    """Two processes of the program on this machine, with one thread each."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*launcher, *program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen[str], status: int) -> tuple[list[str], list[str]]:
    """What it said on stdout, and the errors of ours on stderr; `torchrun` has others of its own."""
    said, errors = process.communicate(timeout=200)
    assert process.returncode == status, errors
    return said.splitlines(), [line for line in errors.splitlines() if line.startswith("foveate:")]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def call(photographs: str) -> tuple[str, ...]:
    """A training's words, without the folder."""
    return ("train", "region-guided-vessels", "--data", photographs, *SMALL, *OVERRIDES)


@pytest.fixture(scope="module")
def of_two(call: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a run of two processes, and what it said."""
    folder = tmp_path_factory.mktemp("processes") / "two"
    (folder.parent / "after.py").write_text(AFTER, encoding="utf-8")
    said, errors = finished(torchrun(str(folder.parent / "after.py"), *call, "--out", str(folder)), 0)
    assert errors == []
    return folder, said


@pytest.fixture(scope="module")
def of_one(photographs: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of one process, whose steps have as many crops in batches as small as those of two."""
    folder = tmp_path_factory.mktemp("processes") / "one"
    halves = ("training.batch=2", "training.accumulate=2")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the two have: more threads add up in another order, which Adam's first steps magnify
    run(small_recipe(*OVERRIDES, *halves), [open_set(photographs)], folder)
    torch.set_num_threads(threads)
    return folder


@pytest.mark.slow
def test_two_processes_train_as_one_does_with_the_same_batches(of_two: tuple[Path, list[str]], of_one: Path) -> None:
    two, one = rows(of_two[0]), rows(of_one)
    assert len(two) == 3
    for row_of_two, row_of_one in zip(two, one, strict=True):
        assert float(row_of_two["loss"]) == pytest.approx(float(row_of_one["loss"]), rel=1e-5)
        # Batch norm's running statistics are averaged over the processes, not taken in one after the other.
        assert float(row_of_two["validation_loss"]) == pytest.approx(float(row_of_one["validation_loss"]), rel=0.02)
    states = [load_state(folder) for folder in (of_two[0], of_one)]
    learnt = dict(load_weights(of_two[0] / "last.safetensors")[0].named_parameters())
    for name in learnt:
        # Sums of float32 in another order; every crop is the same bit by bit.
        torch.testing.assert_close(*(state["network"][name] for state in states), rtol=1e-5, atol=1e-6)
    assert torch.equal(states[0]["generator"], states[1]["generator"])
    assert float(one[0]["loss"]) - float(one[-1]["loss"]) > 1e-3  # they did learn something that could differ


@pytest.mark.slow
def test_of_two_processes_one_speaks_and_writes(of_two: tuple[Path, list[str]], of_one: Path) -> None:
    folder, said = of_two
    assert [line.partition(":")[0] for line in said if line.startswith("epoch")] == [f"epoch {n}/3" for n in (1, 2, 3)]
    assert sum("done" in line for line in said) == 1
    assert said.count("closed") == 2  # both have taken leave before Python ends: else one aborts now and then
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in of_one.iterdir())
    log = (folder / "log.txt").read_text(encoding="utf-8").splitlines()
    assert sum("epoch 2/3" in line for line in log) == 1
    assert "in 2 processes" in log[0]
    of_both, of_one_run = (json.loads((place / "run.json").read_text(encoding="utf-8")) for place in (folder, of_one))
    assert of_both["processes"] == 2
    assert of_both["data"] == of_one_run["data"]  # what either of them has read


@pytest.mark.slow
def test_two_processes_go_on_after_one_was_killed_to_bit_identical_weights(
    call: tuple[str, ...], of_two: tuple[Path, list[str]], tmp_path: Path
) -> None:
    (tmp_path / "killed.py").write_text(KILLED, encoding="utf-8")
    folder = tmp_path / "run"
    _, errors = finished(torchrun(str(tmp_path / "killed.py"), *call, "--out", str(folder)), 1)
    (line,) = errors
    assert "has been ended" in line
    assert len(load_state(folder)["progress"]["rows"]) == 1
    shutil.copytree(folder, tmp_path / "alone")

    finished(torchrun("-m", "foveate", "train", "--resume", str(folder)), 0)
    assert results(folder) == results(of_two[0])
    note = json.loads((folder / "run.json").read_text(encoding="utf-8"))["resumed"][0]
    assert (note["processes"], note["after_epoch"]) == (2, 1)

    app()(["train", "--resume", str(tmp_path / "alone")], standalone_mode=False)
    assert len(rows(tmp_path / "alone")) == 3
    facts = json.loads((tmp_path / "alone" / "run.json").read_text(encoding="utf-8"))
    assert (facts["processes"], facts["resumed"][0]["processes"]) == (2, 1)


@pytest.mark.slow
def test_an_error_of_the_second_process_is_said_once_by_the_first(call: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING, encoding="utf-8")
    _, errors = finished(torchrun(str(tmp_path / "failing.py"), *call, "--out", str(tmp_path / "run")), 1)
    (line,) = errors
    assert "process 1 failed: KeyError: 'of a kind that nobody has foreseen'" in line
    assert line.removeprefix("foveate: ") in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8").splitlines()[-1]


@pytest.mark.slow
def test_memory_that_runs_out_in_the_second_process_names_the_batch_that_fits(
    call: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "full.py").write_text(FULL, encoding="utf-8")
    _, errors = finished(torchrun(str(tmp_path / "full.py"), *call, "--out", str(tmp_path / "run")), 1)
    (line,) = errors
    assert "a batch of 4 crops of 64×64 pixels does not fit into memory; 2 would" in line
    assert line.endswith("training.batch=2 training.accumulate=2.")


@pytest.mark.slow
def test_a_request_to_end_that_its_work_makes_another_error_of_is_still_one(
    call: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "interrupted.py").write_text(INTERRUPTED, encoding="utf-8")
    folder = tmp_path / "run"
    _, errors = finished(torchrun(str(tmp_path / "interrupted.py"), *call, "--out", str(folder)), 1)
    (line,) = errors
    assert line.startswith("foveate: stopped")
    assert (folder / "log.txt").read_text(encoding="utf-8").splitlines()[-1].endswith("stopped")


@pytest.mark.slow
def test_processes_that_are_asked_to_end_say_in_one_line_how_to_go_on(call: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = torchrun("-m", "foveate", *call, "--out", str(folder), "training.epochs=100000")
    end = time.monotonic() + 100
    while not (folder / "log.csv").is_file():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    said = [line for line in errors.splitlines() if line.startswith("foveate:")]
    assert len(said) == 1, errors
    assert said[0].endswith(f"foveate train --resume {folder}")
    assert (folder / "log.txt").read_text(encoding="utf-8").splitlines()[-1].endswith("stopped")


def test_a_batch_that_cant_be_shared_out_is_refused_before_anything_else() -> None:
    options = small_recipe("training.batch=4").training
    with (
        pytest.raises(UsageError, match=r"training\.batch = 4 .* 3 processes"),
        launched(torch.device("cpu"), "32-true", options, Rank(0, 3, 0, 3)),
    ):
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    options = small_recipe("training.batch=4").training
    for device in ("cuda", "auto"):
        with (
            pytest.raises(UsageError, match="2 processes need a GPU each"),
            launched(chosen_device(device), "32-true", options, Rank(0, 2, 0, 2)),
        ):
            pass


TORCHRUN = {"TORCHELASTIC_RUN_ID": "x", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}


def test_only_torchrun_makes_a_process_one_of_several() -> None:
    assert Rank.of(TORCHRUN) == Rank(number=3, count=4, on_machine=1, per_machine=2)
    assert Rank.of({key: value for key, value in TORCHRUN.items() if key != "TORCHELASTIC_RUN_ID"}) == ALONE


@pytest.mark.parametrize(
    ("rank", "local", "status"), [("0", "0", "spoken"), ("1", "1", "silent"), ("2", "0", "spoken")]
)
def test_an_error_before_the_processes_meet_is_said_once_on_each_machine(
    rank: str, local: str, status: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from foveate.cli import main

    for key, value in (TORCHRUN | {"RANK": rank, "LOCAL_RANK": local}).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(sys, "argv", ["foveate", "train", "no-such-recipe", "--data", "synthetic:3", "--out", "run"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == (status == "spoken")


def test_the_crops_of_each_process_are_those_that_one_process_makes() -> None:
    cases = torch.randint(256, (3, 5, 90, 100), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    sets, augmentation = [TrainingSet("noise", 1.0, tuple(cases))], AugmentationSection(noise=0.1, place="vessel")

    def drawn(own: list[int] | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        generator, device = torch.Generator().manual_seed(5), torch.device("cpu")
        batch = draw_batch(
            sets, size=8, side=32, augmentation=augmentation, generator=generator, device=device, own=own
        )
        return batch.image, batch.mask, batch.fov, generator.get_state()

    *whole, state = drawn(None)
    for own in ([0, 1, 4, 5], [2, 3, 6, 7]):
        *part, after = drawn(own)
        assert torch.equal(after, state)
        for of_part, of_whole in zip(part, whole, strict=True):
            assert torch.equal(of_part, of_whole[own])


def test_frozen_statistics_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2).eval())
    third = 1 / 3
    statistics = dict(network.named_buffers())
    for name in ("0.running_mean", "1.running_mean"):
        statistics[name].fill_(third)
    monkeypatch.setattr(Processes, "count", 3)
    monkeypatch.setattr(Processes, "sum", lambda _, values: values.mul_(6))
    processes = Processes(Fabric(accelerator="cpu", devices=1))
    assert float(add_up(processes, network, torch.tensor(2.0))) == 12
    np.testing.assert_allclose(statistics["0.running_mean"], 2 * third, rtol=1e-6)
    assert torch.equal(statistics["1.running_mean"], torch.full((2,), third))
