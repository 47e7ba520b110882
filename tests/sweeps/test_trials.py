"""Which trial a process takes: each one once, one that was left behind again, the same ones for any number of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState
from small_sweep import small_sweep

from foveate.sweeps import take
from foveate.sweeps.place import trial_folder
from foveate.sweeps.schema import Sweep
from foveate.sweeps.space import AxisValue, grid
from foveate.sweeps.storage import open_study
from foveate.sweeps.take import list_grid, taken, tell_done, tell_failed, tell_stopped

pytest_plugins = ("postgresql_server",)

RANGES = (
    "training.learning_rate = { low = 1e-4, high = 1e-1, log = true }",
    "training.accumulate = { low = 1, high = 9 }",
    "training.momentum = { low = 0.0, high = 0.9, step = 0.3 }",
    "training.loss = ['bce', 'dice']",
)


def study_of(sweep: Sweep, folder: Path, storage: str | None = None) -> optuna.Study:
    study = open_study(folder, "a sweep", storage)
    list_grid(study, sweep)
    return study


def drawn(sweep: Sweep, folder: Path, *, processes: int) -> list[dict[str, AxisValue]]:
    """The settings of all trials in order, taken in turns by so many studies, each as of a process of its own."""
    folder.mkdir()
    studies = [study_of(sweep, folder) for _ in range(processes)]
    found = []
    for number in range(sweep.trials):
        with taken(studies[number % processes], sweep, folder) as trial:
            assert trial is not None
            assert trial.number == number
            found.append(trial.settings)
            tell_done(trial, {"a run": len(str(trial.settings))})
    with taken(studies[0], sweep, folder) as trial:
        assert trial is None
    return found


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_the_same_trials_come_however_many_processes_draw_them(method: str, tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, top=f"method = '{method}'\ntrials = 14", search=RANGES)
    one = drawn(sweep, tmp_path / "one", processes=1)
    assert drawn(sweep, tmp_path / "three", processes=3) == one
    for key in one[0]:
        assert len({each[key] for each in one}) > 1


def test_a_range_is_drawn_within_its_ends_and_on_a_logarithm_where_that_is_asked_for(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, top="method = 'random'\ntrials = 40", search=RANGES)
    found = drawn(sweep, tmp_path / "sweep", processes=1)
    rates = np.array([each["training.learning_rate"] for each in found], float)
    assert 1e-4 <= rates.min() <= rates.max() <= 1e-1
    # Half of the draws lie below the middle of the logarithms, give or take four standard deviations of a coin's.
    assert abs((rates < 10**-2.5).sum() - 20) < 4 * np.sqrt(40) / 2
    assert {1, 9} <= {each["training.accumulate"] for each in found} <= set(range(1, 10))
    assert {each["training.momentum"] for each in found} == {0.0, 0.3, 0.6, 0.9}


def test_tpe_comes_back_to_where_it_was_good_more_often_than_chance(tmp_path: Path) -> None:
    counts = {}
    for method in ("random", "tpe"):
        (tmp_path / method).mkdir()
        sweep = small_sweep(tmp_path, top=f"method = '{method}'\ntrials = 25", search=RANGES[1:2])
        study = study_of(sweep, tmp_path / method)
        values = []
        for _ in range(sweep.trials):
            with taken(study, sweep, tmp_path / method) as trial:
                assert trial is not None
                values.append(int(trial.settings["training.accumulate"]))
                tell_done(trial, {"a run": -abs(values[-1] - 5)})
        counts[method] = sum(abs(value - 5) <= 1 for value in values[10:])
    assert counts["tpe"] > counts["random"]


@pytest.mark.parametrize("place", ["sqlite", "postgresql"])
def test_two_at_once_never_have_the_same_trial_and_one_left_behind_is_taken_first(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    storage = request.getfixturevalue("postgresql") if place == "postgresql" else None
    sweep = small_sweep(tmp_path)
    one, two = study_of(sweep, tmp_path, storage), study_of(sweep, tmp_path, storage)
    assert len(one.get_trials()) == len(grid(sweep)) == 4
    with taken(one, sweep, tmp_path) as first:
        with taken(two, sweep, tmp_path) as second:
            assert first is not None
            assert second is not None
            assert (first.number, second.number) == (0, 1)
            assert [first.settings, second.settings] == grid(sweep)[:2]
        with taken(two, sweep, tmp_path) as again:  # the second was let go without a word, as by a killed process
            assert again is not None
            assert (again.number, again.settings) == (second.number, second.settings)
            tell_done(again, {"a run": 0.25, "another": 0.75})
    trial = one.get_trials()[1]
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.5)


def test_a_trial_that_ends_while_another_process_looks_for_work_is_not_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = small_sweep(tmp_path)
    one, two = study_of(sweep, tmp_path), study_of(sweep, tmp_path)

    with taken(one, sweep, tmp_path) as first:
        assert first is not None
        done = partial(tell_done, first, {"a run": 0.5})
        monkeypatch.setattr(take, "is_locked", lambda _: bool(done()))
        with taken(two, sweep, tmp_path) as second:
            assert second is not None
            assert (first.number, second.number) == (0, 1)


def test_a_trial_that_was_left_as_it_was_drawn_gets_the_settings_that_it_lacks(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, top="method = 'random'\ntrials = 1", search=RANGES)
    study = study_of(sweep, tmp_path)
    study.sampler = optuna.samplers.RandomSampler(seed=0)
    begun = study.ask()
    momentum = begun.suggest_float("training.momentum", 0.0, 0.9, step=0.3)
    with taken(study, sweep, tmp_path) as trial:
        assert trial is not None
        assert trial.number == begun.number
        assert trial.settings["training.momentum"] == momentum
        assert len(trial.settings) == len(RANGES)


def test_a_trial_whose_process_ends_again_and_again_is_given_up(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    study = study_of(sweep, tmp_path)
    numbers = []
    for _ in range(4):
        with taken(study, sweep, tmp_path) as trial:
            assert trial is not None
            numbers.append(trial.number)
    assert numbers == [0, 0, 0, 1]
    assert study.get_trials()[0].state == TrialState.FAIL
    assert "3 times" in study.get_trials()[0].user_attrs["reason"]


def test_a_trial_that_was_stopped_in_good_order_is_not_given_up(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    study = study_of(sweep, tmp_path)
    for _ in range(6):
        with taken(study, sweep, tmp_path) as trial:
            assert trial is not None
            assert trial.number == 0
            tell_stopped(trial)


def test_a_failed_trial_is_not_tried_again_and_a_folder_that_is_locked_is_left_alone(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    study = study_of(sweep, tmp_path)
    for expected in range(4):
        with taken(study, sweep, tmp_path) as trial:
            assert trial is not None
            assert trial.number == expected
            assert trial.folder == trial_folder(tmp_path, expected)
            tell_failed(trial, "a reason")
    with taken(study, sweep, tmp_path) as trial:
        assert trial is None
