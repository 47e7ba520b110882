"""What a training says while it runs, where there is no terminal."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from foveate.cli import train_display
from foveate.training.run.progress import EpochRow
from small_run import small_recipe

ROW = EpochRow(1, 0.5, 0.5, {"a": {"vessel": 0.7}}, (0.5,), 1e-3, True, 8.0, 250.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the display believes to have passed."""
    now = [0.0]
    monkeypatch.setattr(train_display, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_without_a_terminal_the_time_left_is_said_after_twenty_steps_once(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = small_recipe("training.epochs=3", "training.batch=2", "training.samples_per_epoch=200")
    with train_display.shown(recipe) as listener:
        for epoch in range(2):
            for step in range(100):
                listener.on_step(epoch, step, 0.5)
                clock[0] += 2
            listener.on_epoch(ROW)
    first, *epochs = capsys.readouterr().out.splitlines()
    # Twenty steps of two seconds and two crops; 300 steps are 600 s, of which 40 have passed.
    assert first == "after 20 steps: 1.0 images/s, about 9 min 20 s left without validation"
    assert len(epochs) == 2
    assert epochs[0].endswith(", 8 min 20 s left")  # two epochs of 250 s


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0 s"), (21, "21 s"), (59.6, "1 min 00 s"), (201, "3 min 21 s"), (3900, "1 h 05 min"), (-3, "0 s")],
)
def test_a_time_has_its_units(seconds: float, shown: str) -> None:
    assert train_display._time(seconds) == shown
