"""Trials become runs, runs become a ranking; what stops or fails on the way."""

from __future__ import annotations

import csv
import json
import math
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_sweep import FIXED, small_sweep, work, write_sweep

from foveate.datasets import DataSet, open_set
from foveate.errors import DataError, OutputError, TrainingError, UsageError
from foveate.recipes.read import read_recipe
from foveate.sweeps import work as work_module
from foveate.sweeps.place import trial_folder
from foveate.sweeps.ranking import Ranking, ranking_of, write_table
from foveate.sweeps.read import read_sweep
from foveate.training.run.existing import runs_below
from foveate.training.run.folder import locked
from small_run import run

pytest_plugins = ("postgresql_server",)

TWO = ("training.optimiser = ['sgd', 'adamw']",)
SIGNALLED_IN_THE_SECOND_EPOCH = """
import signal, sys
import foveate.training.loop as loop
number = int(sys.argv.pop(1))
if number == signal.SIGINT:  # as on a terminal, also where whoever began the tests ignores it
    signal.signal(number, signal.default_int_handler)
def step(steps, setup, taken=[]):
    taken.append(0)
    if len(taken) == 2:
        signal.raise_signal(number)
    return real(steps, setup)
real, loop._one_step = loop._one_step, step
from foveate.cli import main
main()
"""
WAITS_FOR_THE_OTHER_WITH_ITS_FIRST_TRIAL = """
import sys, time
from pathlib import Path
import foveate.sweeps.work as work
me, other = Path(sys.argv.pop(1)), Path(sys.argv.pop(1))
def train(*arguments):
    me.touch()
    end = time.monotonic() + 120
    while not other.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return real(*arguments)
real, work._train = work._train, train
from foveate.cli import main
main()
"""


def facts(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return found


def best(folder: Path, column: str) -> float:
    """Of a run's best epoch, from its table."""
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return float([row for row in csv.DictReader(file) if row["best"] == "1"][-1][column])


def table(folder: Path) -> list[dict[str, str]]:
    with write_table(ranking_of(folder, None), folder).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def call_of(sweep: Path, out: Path) -> list[str]:
    return ["sweep", str(sweep), "--data", "synthetic:3", "--out", str(out), "--device", "cpu"]


def by_trial(ranking: Ranking) -> dict[int, str]:
    return {row.number: row.state for row in ranking.rows}


def test_every_combination_is_trained_on_every_fold_and_ranked_by_the_mean(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    sweep, out = small_sweep(tmp_path, top="folds = 2"), tmp_path / "out"
    assert work(sweep, small_data, out) == 4
    folders = [out / f"trial-{number:04}" / f"seed-0-fold-{fold}" for number in range(4) for fold in range(2)]
    assert [found.folder for found in runs_below(out)] == folders
    held = [facts(folder)["data"]["synthetic"]["validation"] for folder in folders]
    assert held == held[:2] * 4
    assert sorted(held[0] + held[1]) == sorted(entry.id for entry in small_data[0].split("train"))

    rows = table(out)
    assert [float(row["F1"]) for row in rows] == sorted((float(row["F1"]) for row in rows), reverse=True)
    for row in rows:
        place = trial_folder(out, int(row["trial"]))
        scores = [best(place / f"seed-0-fold-{fold}", "mean_f1") for fold in range(2)]
        expected = [statistics.fmean(scores), statistics.stdev(scores), *scores]
        found = [float(row[key]) for key in ("F1", "std", "seed-0-fold-0", "seed-0-fold-1")]
        assert found == pytest.approx(expected, abs=2e-5)  # both tables have five digits
        assert (row["state"], row["n"]) == ("done", "2")
        recipe = read_recipe(str(place / "seed-0-fold-0" / "recipe.toml"))
        trained = recipe.training.optimiser, recipe.augmentation.rotation
        assert (row["training.optimiser"], float(row["augmentation.rotation"])) == trained


def test_a_trials_run_is_the_run_that_train_makes_of_its_recipe(tmp_path: Path, small_data: list[DataSet]) -> None:
    work(small_sweep(tmp_path, top="seeds = [7]", search=TWO), small_data, tmp_path / "out")
    recipe = read_recipe("region-guided-vessels", [*FIXED, "training.optimiser=adamw", "training.seed=7"])
    run(recipe, small_data, tmp_path / "alone")
    place = tmp_path / "out" / "trial-0001" / "seed-7"
    assert (place / "recipe.toml").read_text() == (tmp_path / "alone" / "recipe.toml").read_text()
    assert (place / "best.safetensors").read_bytes() == (tmp_path / "alone" / "best.safetensors").read_bytes()


def test_a_recipe_that_watches_the_loss_is_ranked_by_it_lowest_first(tmp_path: Path, small_data: list[DataSet]) -> None:
    sweep, out = small_sweep(tmp_path, fixed=("training.watch='loss'",), search=TWO), tmp_path / "out"
    work(sweep, small_data, out)
    rows = table(out)
    losses = [best(trial_folder(out, int(row["trial"])) / "seed-0", "validation_loss") for row in rows]
    assert [float(row["loss"]) for row in rows] == pytest.approx(losses, abs=2e-5)
    assert losses == sorted(losses)
    assert losses[0] != losses[1]


@pytest.mark.parametrize(("steps", "reason"), [(1, "is not a number"), (2, "the loss is nan")])
def test_a_trial_that_fails_says_why_and_the_others_go_on(
    steps: int, reason: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    search = ("training.learning_rate = [1e-3, 1e30]",)
    fixed = ("training.optimiser='sgd'", "training.gradient_clip=0.0", f"training.samples_per_epoch={2 * steps}")
    sweep, said = small_sweep(tmp_path, fixed=fixed, search=search), list[str]()
    assert work(sweep, small_data, tmp_path / "out", say=said.append) == 2
    done, failed = ranking_of(tmp_path / "out", None).rows
    assert (done.number, done.state, failed.number, failed.state) == (0, "done", 1, "failed")
    assert reason in failed.reason
    assert any(failed.reason in sentence for sentence in said)
    assert work(sweep, small_data, tmp_path / "out") == 0


def test_the_same_call_again_goes_on_where_it_ended_and_touches_nothing_that_is_done(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    sweep, out = small_sweep(tmp_path, search=TWO), tmp_path / "out"
    assert work(sweep, small_data, out, at_most=1) == 1
    assert by_trial(ranking_of(out, None)) == {0: "done", 1: "waiting"}
    before = {path: path.stat().st_mtime_ns for path in (out / "trial-0000").rglob("*")}
    assert work(sweep, small_data, out) == 1
    assert work(sweep, small_data, out) == 0
    assert by_trial(ranking_of(out, None)) == {0: "done", 1: "done"}
    assert {path: path.stat().st_mtime_ns for path in (out / "trial-0000").rglob("*")} == before


def test_another_sweep_other_data_and_another_folder_are_refused(tmp_path: Path, small_data: list[DataSet]) -> None:
    out = tmp_path / "out"
    top = "method = 'random'\ntrials = "
    work(small_sweep(tmp_path, top=f"{top}1"), small_data, out)
    with pytest.raises(UsageError, match=r"differs in search"):
        work(small_sweep(tmp_path, top=f"{top}1", search=TWO), small_data, out)
    longer = small_sweep(tmp_path, top=f"{top}2")
    with pytest.raises(UsageError, match="another --data"):
        work(longer, [open_set("synthetic:4")], out)
    with pytest.raises(UsageError, match="another --storage"):
        work(longer, small_data, out, storage=f"sqlite:///{tmp_path}/other.db")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        work(longer, small_data, tmp_path / "mine")
    with pytest.raises(UsageError, match="holds no sweep"):
        ranking_of(tmp_path / "mine", None)
    assert work(longer, small_data, out) == 1  # a number of trials may grow


def test_a_recipe_that_changes_on_the_way_is_refused(tmp_path: Path, small_data: list[DataSet]) -> None:
    recipe = tmp_path / "own.toml"
    recipe.write_text('description = ""\nnetwork.name = "region_guided"\n', encoding="utf-8")
    path = write_sweep(tmp_path, search=TWO)
    path.write_text(path.read_text(encoding="utf-8").replace("region-guided-vessels", "own.toml"), encoding="utf-8")
    sweep = read_sweep(str(path))
    work(sweep, small_data, tmp_path / "out", at_most=1)
    assert facts(tmp_path / "out" / "trial-0000" / "seed-0")["recipe"] == "own"
    recipe.write_text('description = "other"\nnetwork.name = "region_guided"\n', encoding="utf-8")
    with pytest.raises(UsageError, match="differs in recipe"):
        work(sweep, small_data, tmp_path / "out")


def test_too_many_folds_and_random_weights_that_would_be_frozen_are_told_before_anything_is_done(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    with pytest.raises(DataError, match="4 folds"):
        work(small_sweep(tmp_path, top="folds = 4"), small_data, tmp_path / "out")
    frozen = ('training.freeze = [[], ["level0"]]',)
    with pytest.raises(UsageError, match="would freeze random weights"):
        work(small_sweep(tmp_path, search=frozen), small_data, tmp_path / "out")
    five_levels = ("network.name='unet'", "network.widths=[4, 4, 4, 4, 4]", "training.batch=1")
    small = write_sweep(tmp_path, fixed=five_levels, search=("training.crop = [64, 16]",))
    small.write_text(small.read_text(encoding="utf-8").replace("training.crop = 64\n", ""), encoding="utf-8")
    with pytest.raises(UsageError, match=r"training\.crop = 16 leaves one pixel"):
        work(read_sweep(str(small)), small_data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_folds_that_no_set_would_be_parted_into_are_told_before_anything_is_done(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    entries = tuple(
        replace(each, split="validation" if each.split == "test" else each.split) for each in small_data[0].entries
    )
    data = [replace(small_data[0], entries=entries)]
    with pytest.raises(UsageError, match=r"validation part of its own.*data\.own_validation = false in \[fixed\]"):
        work(small_sweep(tmp_path, top="folds = 2"), data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_and_a_run_in_use_end_the_call_and_leave_the_trial_to_the_next(
    tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep, out = small_sweep(tmp_path, search=TWO), tmp_path / "out"

    def full(*_: object, **__: object) -> str:
        raise TrainingError("no space") from OutputError("no space")

    monkeypatch.setattr(work_module, "start", full)
    for _ in range(5):
        with pytest.raises(TrainingError, match="no space"):
            work(sweep, small_data, out)
    monkeypatch.undo()
    with locked(out / "trial-0000" / "seed-0"), pytest.raises(UsageError, match="another process"):
        work(sweep, small_data, out)
    assert by_trial(ranking_of(out, None)) == {0: "stopped", 1: "waiting"}
    assert work(sweep, small_data, out) == 2


def test_a_storage_that_fails_on_the_way_ends_the_call_in_one_line(tmp_path: Path, small_data: list[DataSet]) -> None:
    out = tmp_path / "out"

    def spoil(_: str) -> None:
        with sqlite3.connect(out / "sweep.db") as database:
            database.execute("DROP TABLE IF EXISTS trial_user_attributes")

    with pytest.raises(OutputError, match="no such table") as caught:
        work(small_sweep(tmp_path, search=TWO), small_data, out, say=spoil)
    assert "\n" not in str(caught.value)


def test_ctrl_c_in_a_step_leaves_the_trial_to_the_next_call(tmp_path: Path, small_data: list[DataSet]) -> None:
    path, out = write_sweep(tmp_path, fixed=("training.epochs=2",), search=TWO), tmp_path / "out"
    stopped = signalled(signal.SIGINT, path, out)
    assert stopped.returncode == 128 + signal.SIGINT, stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert by_trial(ranking_of(out, None)) == {0: "stopped", 1: "waiting"}
    assert work(read_sweep(str(path)), small_data, out) == 2
    assert facts(out / "trial-0000" / "seed-0")["resumed"][0]["after_epoch"] == 1


def signalled(number: signal.Signals, sweep: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """A worker on the sweep, in a process of its own, which hears a signal in its second epoch."""
    call = [sys.executable, "-c", SIGNALLED_IN_THE_SECOND_EPOCH, str(int(number)), *call_of(sweep, out)]
    return subprocess.run(call, capture_output=True, check=False, text=True)


@pytest.mark.slow
def test_a_killed_workers_trial_is_taken_up_again_and_ends_with_the_same_weights(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    path, out = write_sweep(tmp_path, fixed=("training.epochs=2",), search=TWO), tmp_path / "out"
    killed = signalled(signal.SIGKILL, path, out)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert by_trial(ranking_of(out, None)) == {0: "stopped", 1: "waiting"}
    assert work(read_sweep(str(path)), small_data, out) == 2
    work(read_sweep(str(path)), small_data, tmp_path / "whole")
    assert facts(out / "trial-0000" / "seed-0")["resumed"][0]["after_epoch"] == 1
    for name in ("best.safetensors", "last.safetensors"):
        files = [each / "trial-0000" / "seed-0" / name for each in (out, tmp_path / "whole")]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert [row.scores for row in ranking_of(out, None).rows] == [
        row.scores for row in ranking_of(tmp_path / "whole", None).rows
    ]


@pytest.mark.slow
def test_two_processes_share_the_trials_of_one_sweep(tmp_path: Path) -> None:
    path, out = write_sweep(tmp_path), tmp_path / "out"
    marks = [str(tmp_path / "first"), str(tmp_path / "second")]
    calls = [
        [sys.executable, "-c", WAITS_FOR_THE_OTHER_WITH_ITS_FIRST_TRIAL, *order, *call_of(path, out)]
        for order in (marks, marks[::-1])
    ]
    processes = [subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for call in calls]
    said = [process.communicate(timeout=300) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    trials = [re.findall(r"^trial (\d+) \(", out_text, re.MULTILINE) for out_text, _ in said]
    assert sorted(trials[0] + trials[1]) == ["0", "1", "2", "3"]
    assert all(trials)
    assert all("resumed" not in facts(found.folder) for found in runs_below(out))
    rows = ranking_of(out, None).rows
    assert [row.state for row in rows] == ["done"] * 4
    assert all(row.mean is not None and not math.isnan(row.mean) for row in rows)


def test_a_sweep_on_postgresql_keeps_its_password_out_of_every_file(
    tmp_path: Path, small_data: list[DataSet], postgresql: str
) -> None:
    sweep, out = small_sweep(tmp_path, search=TWO), tmp_path / "out"
    assert work(sweep, small_data, out, storage=postgresql) == 2
    assert not (out / "sweep.db").exists()
    assert by_trial(ranking_of(out, postgresql)) == {0: "done", 1: "done"}
    with pytest.raises(UsageError, match=r"give its --storage, .*\*\*\*.*with the password"):
        ranking_of(out, None)
    with pytest.raises(UsageError, match="another --storage"):
        work(sweep, small_data, out)
    assert not [path for path in out.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


@pytest.mark.parametrize(
    ("storage", "sentence"),
    [
        ("nonsense", "is not an address"),
        ("postgresql+psycopg://me:secret@127.0.0.1:1/none", "can't be used"),
        ("nonsense://127.0.0.1/none", "can't be used"),
        ("sqlite:////no/such/folder/a.db", "can't be used"),
    ],
)
def test_a_storage_that_can_not_be_used_gets_one_line_without_its_password(
    storage: str, sentence: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        work(small_sweep(tmp_path, search=TWO), small_data, tmp_path / "out", storage=storage)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "out").exists()
