"""`foveate sweep` as a user types it."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage

from foveate.errors import install_line
from foveate.training import loop
from foveate_command import run

SWEEP = """
recipe = "region-guided-vessels"
[fixed]
preparation.working_minimum = 96
preparation.working_maximum = 128
network.widths = [4, 4, 8, 8]
training.crop = 64
training.batch = 2
training.samples_per_epoch = 2
training.epochs = 1
training.warm_up = 0
training.precision = "32-true"
[search]
training.optimiser = ["sgd", "adamw"]
"""


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(SWEEP, encoding="utf-8")
    return path


def call(sweep: Path, *more: object) -> tuple[object, ...]:
    return ("sweep", sweep, "--data", "synthetic:3", "--out", sweep.parent / "out", "--device", "cpu", *more)


def ranked(out: str) -> list[list[str]]:
    """The rows of the printed table, without its heads."""
    lines = out.splitlines()
    (start,) = (number for number, line in enumerate(lines) if line.startswith("rank"))
    (end,) = (number for number, line in enumerate(lines) if line.endswith(("done", "waiting")))
    return [line.split() for line in lines[start + 1 : end]]


def test_a_sweep_ends_with_its_ranking_as_table_csv_and_picture(sweep: Path) -> None:
    out = sweep.parent / "out"
    first = run(*call(sweep, "--trials-now", 1))
    assert (first.status, first.err) == (0, "")
    assert [row[1] for row in ranked(first.out)] == ["0"]
    ran = run(*call(sweep))
    assert (ran.status, ran.err) == (0, "")
    runs = json.loads(run("runs", out, "--json").out)
    f1 = {Path(each["folder"]).parent.name: each["f1"] for each in runs}
    assert set(f1) == {"trial-0000", "trial-0001"}
    rows = ranked(ran.out)
    assert [row[0] for row in rows] == ["1", "2"]
    assert [float(row[2]) for row in rows] == pytest.approx(sorted(f1.values(), reverse=True), abs=5e-5)
    assert {row[1]: row[-1] for row in rows} == {"0": "sgd", "1": "adamw"}
    with PillowImage.open(out / "sweep.png") as picture:
        assert picture.getcolors() is None or len(picture.getcolors() or ()) > 2

    for name in ("sweep.csv", "sweep.png"):
        (out / name).unlink()
    shown = run("sweep", "--show", out)
    assert shown.status == 0
    assert ranked(shown.out) == rows
    assert [(out / name).is_file() for name in ("sweep.csv", "sweep.png")] == [True, True]


@pytest.fixture
def _heard() -> Iterator[None]:
    """Whoever called the tests may have had them ignore the signal: here it ends a process, as it does by itself."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_heard")
def test_a_process_that_is_asked_to_end_does_so_in_one_line_and_the_same_call_goes_on(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*arguments: Any) -> float:
        signal.raise_signal(signal.SIGTERM)
        return one_step(*arguments)

    one_step = loop._one_step
    monkeypatch.setattr(loop, "_one_step", step)
    stopped = run(*call(sweep))
    assert stopped.status == 128 + signal.SIGTERM
    (line,) = stopped.errors
    assert "the same call goes on" in line.lower()
    monkeypatch.undo()
    assert [row[0] for row in ranked(run(*call(sweep)).out)] == ["1", "2"]


def test_a_sweep_of_which_nothing_is_left_ends_with_status_1(sweep: Path) -> None:
    sweep.write_text(
        SWEEP.replace("samples_per_epoch = 2", "samples_per_epoch = 4\ntraining.learning_rate = 1e30").replace(
            '["sgd", "adamw"]', '["sgd"]'
        )
    )
    ran = run(*call(sweep))
    assert ran.status == 1
    assert any(line.startswith("trial 0 failed: the loss is nan") for line in ran.out.splitlines())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("sweep",), "needs a SWEEP"),
        (("sweep", "convlstm-unet-drive-study"), "needs a SWEEP"),
        (("sweep", "convlstm", "--data", "synthetic:3", "--out", "out"), "unknown sweep 'convlstm'"),
        (("sweep", "--show", "nothing"), "nothing: holds no sweep"),
        (("sweep", "a.toml", "--show", "nothing"), "--show FOLDER stands alone"),
        (("sweep", "a.toml", "--data", "synthetic:3", "--out", "out", "--device", "gpu"), "--device gpu"),
        (("sweep", "a.toml", "--data", "synthetic:3", "--out", "out", "--trials-now", "0"), "trials-now"),
    ],
)
def test_a_wrong_call_gets_one_line(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*words)
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert sentence in ran.err
    assert not list(tmp_path.iterdir())


def test_a_sweep_under_torchrun_is_refused(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    ran = run(*call(sweep))
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert "several times" in ran.err


@pytest.mark.parametrize("words", [("--show", "out"), ("mine.toml", "--data", "synthetic:3", "--out", "out")])
def test_without_optuna_the_command_says_what_to_install(
    words: tuple[str, ...], sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sweep.parent)
    for name in list(sys.modules):
        if name.partition(".")[0] == "optuna" or name.startswith("foveate.sweeps"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    ran = run("sweep", *words)
    assert ran.status == 2
    (line,) = ran.errors
    assert line.endswith(f"needs optuna, which is not installed: {install_line('sweep')}")
