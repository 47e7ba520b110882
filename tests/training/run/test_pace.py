"""A run that has only so many hours ends within them, with a schedule that has come to its end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from foveate.datasets import DataSet
from foveate.errors import UsageError
from foveate.public.train import train
from foveate.training.run.pace import RECENT, Pace
from small_run import run, small_recipe

FAST, SLOW = 10.0, 25.0
"""Seconds of an epoch."""


class Clock:
    """Time that passes only where an epoch takes it: `loop` reads it three times in each, the last time at its end."""

    def __init__(self, epochs: list[float]) -> None:
        self.readings = self.read(epochs)

    def read(self, epochs: list[float]) -> Iterator[float]:
        now = 0.0
        for seconds in epochs:
            yield now
            yield now + seconds / 2
            now += seconds
            yield now

    def monotonic(self) -> float:
        return next(self.readings)


def progress(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))["progress"]
    return found


def rates(folder: Path) -> list[float]:
    header, *rows = [line.split(",") for line in (folder / "log.csv").read_text(encoding="utf-8").splitlines()]
    return [float(row[header.index("learning_rate")]) for row in rows]


def timed(monkeypatch: pytest.MonkeyPatch, epochs: list[float]) -> None:
    monkeypatch.setattr("foveate.training.loop.time", Clock(epochs))


def recipe_of(epochs: int, seconds: float) -> Any:
    return small_recipe(
        f"training.epochs={epochs}", f"training.hours={seconds / 3600!r}", "training.samples_per_epoch=4"
    )


def test_a_run_that_becomes_slower_ends_within_its_hours_at_a_learning_rate_of_zero(
    tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = [FAST, FAST, *[SLOW] * 8]
    timed(monkeypatch, seconds)
    limit = 8 * FAST + 5
    ending = run(recipe_of(8, limit), small_data, tmp_path)
    done = progress(tmp_path)["epochs"]
    assert 2 < done < 8
    assert sum(seconds[:done]) <= limit
    assert ending.startswith(f"the time is over: {done} of 8 epochs done")
    falling = rates(tmp_path)
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] == pytest.approx(0, abs=1e-12)
    assert any("epochs in place of 8 fit" in event for event in progress(tmp_path)["events"])
    assert ending in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_hours_that_are_enough_change_nothing(
    tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, [FAST] * 3)
    assert run(recipe_of(3, 4 * FAST), small_data, tmp_path / "limited") == "all 3 epochs done"
    timed(monkeypatch, [FAST] * 3)
    run(recipe_of(3, 0), small_data, tmp_path / "free")
    assert progress(tmp_path / "limited")["events"] == []
    assert rates(tmp_path / "limited") == rates(tmp_path / "free")


def test_a_run_whose_time_is_over_goes_on_when_it_is_given_more(
    tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    timed(monkeypatch, [FAST] * 2)
    data = small_data[0]
    run(recipe_of(4, 2 * FAST + 1), small_data, tmp_path)
    assert progress(tmp_path)["epochs"] == 2
    timed(monkeypatch, [FAST] * 2)
    more = f"training.hours={(4 * FAST + 1) / 3600!r}"
    place = f"{data.name}:{data.root}"
    gone_on = train(resume=tmp_path, overrides=[more], data=place)
    assert (gone_on.epochs, gone_on.ending) == (4, "all 4 epochs done")
    assert rates(tmp_path)[2] > rates(tmp_path)[1]
    with pytest.raises(UsageError, match=r"training\.epochs and training\.hours"):
        train(resume=tmp_path, overrides=["training.batch=1"])


def test_the_schedule_never_jumps_when_its_length_changes() -> None:
    pace, seconds, lengths = Pace(20, 20), list[float](), set[int]()
    while len(seconds) < pace.epochs:
        before = pace.share(len(seconds))
        pace.fit(seconds, 200.0)
        assert pace.share(len(seconds)) == before
        lengths.add(pace.epochs)
        seconds.append(10.0 if len(seconds) % 5 else 14.0)
    assert len(lengths) > 2
    assert max(lengths) == 20
    assert sum(seconds) <= 200
    assert pace.share(len(seconds)) == 1


def test_a_machine_that_is_free_again_gives_the_epochs_back() -> None:
    pace = Pace(10, 10)
    slow = [30.0]
    pace.fit(slow, 150.0)
    assert pace.epochs == 1 + math.floor(120 / 30)
    recovered = slow + [10.0] * RECENT
    pace.fit(recovered, 150.0)
    assert pace.epochs == 10
    assert pace.share(10) == 1
