"""Runs that are stopped in every way, and what becomes of them."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from safetensors.torch import load_file

from foveate.cli import app
from foveate.cli.signals import stoppable
from foveate.datasets import DataSet, open_set
from foveate.errors import TrainingError, UsageError
from foveate.imaging import write as write_module
from foveate.recipes.read import read_recipe
from foveate.recipes.schema import Recipe
from foveate.training.run.progress import Listener, Progress
from foveate.training.run.tensors import load_state, save_state
from foveate.training.start import start
from small_run import SMALL, run, small_recipe

EVERYTHING_THAT_HAS_A_STATE = (
    "training.epochs=3",
    "training.average=0.9",
    "training.schedule=plateau",
    "training.plateau_patience=1",
    "training.patience=7",
)
DROPOUT = ("network.name=fr_unet", "network.widths=[2, 2, 2]", "training.optimiser=sgd", *EVERYTHING_THAT_HAS_A_STATE)
ADAM = ("network.widths=[4, 4, 8, 8]", *EVERYTHING_THAT_HAS_A_STATE)

KILLED_IN_A_STEP = """
import foveate.training.loop as loop
def step(steps, setup, taken=[]):
    taken.append(0)
    if len(taken) == 5:                     # the second of the second epoch
        os.kill(os.getpid(), signal.SIGKILL)
    return real(steps, setup)
real, loop._one_step = loop._one_step, step
"""
KILLED_BETWEEN_STATE_AND_WEIGHTS = """
import foveate.training.keep as keep
def save(path, weights, facts):
    if facts.epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, weights, facts)
real, keep.save_weights = keep.save_weights, save
"""
SIGNALLED_IN_A_STEP = """
import foveate.training.loop as loop
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever began the tests may ignore it
def step(steps, setup, taken=[]):
    taken.append(real(steps, setup))
    if len(taken) == 4:                     # the first of the second epoch
        try:
            signal.raise_signal({number})
        except KeyboardInterrupt as stop:
            if {turned}:                    # as Python 3.11 in an import
                raise RuntimeError("Error calling __set_name__") from stop
            raise
    return taken[-1]
real, loop._one_step = loop._one_step, step
"""
COMMAND_LINE = """
import os, signal, sys
{change}
from foveate.cli import main
main()
"""


def silent(on_step: Callable[[int, int, float], None] = lambda *_: None) -> Listener:
    return Listener(lambda _: None, on_step, lambda _: None)


def call_of(folder: Path, *overrides: str) -> list[str]:
    return ["train", "region-guided-vessels", "--data", "synthetic:3", "--out", str(folder), *SMALL, *overrides]


def results(folder: Path) -> dict[str, Any]:
    """What must be the same after a stop: both weights files, byte by byte, and all of the state but the times."""
    state = load_state(folder)
    for row in state["progress"]["rows"]:
        row["seconds"] = row["images_per_second"] = 0
    files = {name: (folder / f"{name}.safetensors").read_bytes() for name in ("best", "last")}
    tensors = load_file(folder / "state.safetensors")
    return files | {"state": str(state), "tensors": {name: each.numpy().tobytes() for name, each in tensors.items()}}


@pytest.mark.parametrize(
    ("overrides", "change"),
    [(ADAM, KILLED_IN_A_STEP), (DROPOUT, KILLED_BETWEEN_STATE_AND_WEIGHTS)],
    ids=["in a step", "between state and weights"],
)
def test_a_killed_run_goes_on_to_bit_identical_weights(
    overrides: tuple[str, ...], change: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    script = COMMAND_LINE.format(change=change)
    killed = subprocess.run(
        [sys.executable, "-c", script, *call_of(tmp_path / "killed", *overrides)], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    app()(["train", "--resume", str(tmp_path / "killed")], standalone_mode=False)

    recipe = read_recipe("region-guided-vessels", [*SMALL, *overrides])
    run(recipe, small_data, tmp_path / "whole")
    assert results(tmp_path / "killed") == results(tmp_path / "whole")


def test_a_run_stopped_before_any_of_its_writes_goes_on_to_the_same_result(
    tmp_path: Path, photographs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = [open_set(photographs)]
    recipe = small_recipe("training.epochs=3", "training.samples_per_epoch=2", "training.average=0")
    # The second epoch is the best: its weights would be lost with the third if they were not written again.
    monkeypatch.setattr(Progress, "is_better", lambda progress, *_, **__: progress.epoch < 2)
    written: list[str] = []
    whole_file = write_module.whole_file

    class PowerLossError(BaseException):
        pass

    def recorded(path: Path) -> AbstractContextManager[BinaryIO]:
        if len(written) == stop:
            raise PowerLossError
        written.append(path.name)
        return whole_file(path)

    monkeypatch.setattr(write_module, "whole_file", recorded)
    stop = -1
    run(recipe, data, tmp_path / "whole")
    order = written[:]
    assert order[:3] == ["recipe.toml", "run.json", "state.safetensors"]
    _, _, second, third = (number for number, name in enumerate(order) if name == "state.safetensors")
    for stop in (0, 1, 2, 3, *range(second, third + 1), len(order) - 1):
        folder, written[:] = tmp_path / str(stop), []
        with pytest.raises(PowerLossError):
            run(recipe, data, folder)
        assert written == order[:stop]
        reached, stop = stop, -1
        if reached == 2:  # no state yet: the command begins it once more
            go_on(folder)
        else:  # with no more than a recipe there is no run to go on with, and its own call begins it
            run(recipe, data, folder, resume=reached > 2)
        assert results(folder) == results(tmp_path / "whole"), order[:stop]
        assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["progress"]["epochs"] == 3


def go_on(folder: Path, *overrides: str) -> None:
    app()(["train", "--resume", str(folder), *overrides], standalone_mode=False)


def test_a_process_that_is_asked_to_end_says_in_one_line_how_to_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "a run"
    call = [sys.executable, "-m", "foveate", *call_of(folder, "training.epochs=100000")]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: (folder / "log.csv").is_file(), process)
        process.terminate()
        _, errors = process.communicate(timeout=200)
    assert process.returncode == 128 + signal.SIGTERM
    (line,) = errors.splitlines()
    assert line.endswith(f"foveate train --resume '{folder}'")
    assert "stopped" in (folder / "log.txt").read_text(encoding="utf-8").splitlines()[-1]
    done = len(load_state(folder)["progress"]["rows"])
    go_on(folder, f"training.epochs={done + 1}")
    assert len(load_state(folder)["progress"]["rows"]) == done + 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("turned", [False, True])
def test_a_signal_in_a_step_ends_the_call_with_its_own_status_in_one_line(
    number: signal.Signals, turned: bool, tmp_path: Path
) -> None:
    change = SIGNALLED_IN_A_STEP.format(number=int(number), turned=turned)
    call = [sys.executable, "-c", COMMAND_LINE.format(change=change)]
    ended = subprocess.run(
        [*call, *call_of(tmp_path / "run", "training.epochs=3")], capture_output=True, check=False, text=True
    )
    assert ended.returncode == 128 + number, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.endswith(f"foveate train --resume {tmp_path / 'run'}")
    assert len(load_state(tmp_path / "run")["progress"]["rows"]) == 1


def test_signals_do_afterwards_what_they_did_before() -> None:
    both = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in both]
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in both] == before


def wait_for(ready: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 200
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_number_of_epochs_may_change_on_the_way_and_is_noted(tmp_path: Path, small_data: list[DataSet]) -> None:
    run(small_recipe("training.epochs=1"), small_data, tmp_path / "run")
    go_on(tmp_path / "run", "training.epochs=2")
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts["command"] == "a test"
    (note,) = facts["resumed"]
    assert (note["after_epoch"], note["epochs"]) == (1, 2)
    assert read_recipe(str(tmp_path / "run" / "recipe.toml")).training.epochs == 2


def test_no_other_key_may_change_on_the_way(tmp_path: Path, small_data: list[DataSet]) -> None:
    run(small_recipe("training.epochs=1"), small_data, tmp_path / "run")
    with pytest.raises(UsageError, match=r"training\.learning_rate=1.*only training\.epochs"):
        go_on(tmp_path / "run", "training.learning_rate=1")
    recipe = tmp_path / "run" / "recipe.toml"
    recipe.write_text(recipe.read_text(encoding="utf-8").replace("batch = 2", "batch = 3"), encoding="utf-8")
    with pytest.raises(TrainingError, match=r"training\.batch"):
        go_on(tmp_path / "run")


def test_a_run_goes_on_from_any_working_folder_and_where_its_data_have_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_folder(tmp_path / "photographs")
    monkeypatch.chdir(tmp_path)
    run(small_recipe("training.epochs=1"), [open_set("folder:photographs")], Path("run"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    go_on(tmp_path / "run", "training.epochs=2")
    (tmp_path / "photographs").rename(tmp_path / "moved")
    go_on(tmp_path / "run", "training.epochs=3", "--data", f"folder:{tmp_path / 'moved'}")
    (tmp_path / "moved" / "images" / "b.png").unlink()
    (tmp_path / "moved" / "masks" / "b.png").unlink()
    with pytest.raises(TrainingError, match="cases"):
        go_on(tmp_path / "run", "training.epochs=4")


def write_small_folder(folder: Path) -> None:
    from foveate.imaging import write_mask, write_rgb

    for entry, name in zip(open_set("synthetic:4").split("train"), "abcd", strict=True):
        case = entry.load()
        write_rgb(case.image, folder / "images" / f"{name}.png")
        write_mask(case.mask, folder / "masks" / f"{name}.png")


def full_disk(at: int) -> Callable[[int], None]:
    """An `os.fsync` that finds the disk full from its call number `at` on."""
    calls: list[int] = []
    sync = os.fsync

    def fails(file: int) -> None:
        calls.append(file)
        if len(calls) >= at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    return fails


@pytest.mark.parametrize("at", [11, 12], ids=["state", "weights"])
def test_a_full_disk_ends_the_run_in_one_line_and_leaves_the_last_good_state(
    at: int, tmp_path: Path, small_data: list[DataSet], finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, folder = small_recipe("training.epochs=3"), tmp_path / "run"
    monkeypatch.setattr("os.fsync", full_disk(at))
    check_that_it_ends_for_lack_of_space(recipe, small_data, folder, silent())
    monkeypatch.undo()
    assert len(load_state(folder)["progress"]["rows"]) >= 1
    go_on(folder)
    assert results(folder) == results(finished_run)


def check_that_it_ends_for_lack_of_space(recipe: Recipe, data: list[DataSet], folder: Path, listener: Listener) -> None:
    with pytest.raises(TrainingError, match=r"No space left.*--resume") as caught:
        start(recipe, data, folder=folder, resume=False, device="cpu", command="a test", listener=listener)
    assert "\n" not in str(caught.value)
    assert not list(folder.glob(".*.part"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB in memory, where the tests may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(filler: Path) -> None:
    """Take all the space that is left."""
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_disk_that_really_is_full_ends_the_run_with_the_last_good_state(
    small_disk: Path, small_data: list[DataSet], finished_run: Path
) -> None:
    filler = small_disk / "filler"

    def on_step(epoch: int, step: int, loss: float) -> None:
        if (epoch, step) == (1, 0):
            fill(filler)

    folder = small_disk / "run"
    check_that_it_ends_for_lack_of_space(small_recipe("training.epochs=3"), small_data, folder, silent(on_step))
    assert len(load_state(folder)["progress"]["rows"]) == 1
    filler.unlink()
    go_on(folder)
    assert results(folder) == results(finished_run)


AS_BEFORE = (
    "data.own_validation=false",
    "augmentation.jitter_whole=true",
    "training.draw=with_replacement",
    "training.normalisation=images",
    "training.average_warm_up=false",
)


def test_a_run_from_before_a_key_was_there_goes_on_as_it_began(tmp_path: Path, small_data: list[DataSet]) -> None:
    keys = ("training.schedule=constant", "training.average=0.9", *AS_BEFORE)
    recipe = small_recipe("training.epochs=2", *keys)
    run(recipe, small_data, tmp_path / "whole")
    old = tmp_path / "old"
    run(small_recipe("training.epochs=1", *keys), small_data, old)
    make_older(old)
    go_on(old, "training.epochs=2")
    assert read_recipe(str(old / "recipe.toml")) == recipe
    assert results(old) == results(tmp_path / "whole")


def make_older(folder: Path) -> None:
    """Take out of a run's folder all that the first version did not write."""
    state, missing = load_state(folder), [key.partition("=")[0].split(".") for key in AS_BEFORE]
    del state["passes"], state["precision"]
    for section, key in missing:
        del state["recipe"][section][key]
    save_state(folder, state)
    recipe = folder / "recipe.toml"
    lines = recipe.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.partition(" ")[0] not in [key for _, key in missing]]
    assert len(kept) == len(lines) - len(missing)
    recipe.write_text("".join(kept), encoding="utf-8")
