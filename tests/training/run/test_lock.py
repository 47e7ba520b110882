import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest

from foveate.datasets import DataSet
from foveate.datasets.splits import hold_out
from foveate.errors import DataError, TrainingError
from foveate.imaging.lock import acquire
from foveate.records import Case, CaseEntry
from foveate.training.run.folder import is_locked, locked
from small_run import run, small_recipe

HOLD = """
import sys
from pathlib import Path
from foveate.training.run.folder import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_another_process_has_is_refused_until_that_one_is_killed(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    folder = tmp_path / "run"
    call = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert is_locked(folder)
        with pytest.raises(TrainingError, match="another process") as caught:
            run(small_recipe("training.epochs=1"), small_data, folder)
        assert "\n" not in str(caught.value)
        assert {path.name for path in folder.iterdir()} == {"lock"}
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert not is_locked(folder)
        run(small_recipe("training.epochs=1"), small_data, folder)
    assert (folder / "best.safetensors").is_file()


def test_a_run_can_not_be_resumed_by_two_at_once(finished_run: Path, small_data: list[DataSet]) -> None:
    with locked(finished_run), pytest.raises(TrainingError, match="another process"):
        run(small_recipe("training.epochs=3"), small_data, finished_run, resume=True)


def test_looking_whether_a_folder_is_locked_neither_locks_it_nor_makes_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    with locked(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        pass


def test_a_folder_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(TrainingError, match="can't be written"), locked(tmp_path / "file"):
        pass


def test_a_folder_made_for_what_failed_at_once_is_removed_with_those_around_it_that_were_made_too(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "mine" / "runs" / "first"):
        raise KeyboardInterrupt
    assert list(tmp_path.rglob("*")) == [tmp_path / "mine"]


def test_a_folder_that_was_there_or_holds_something_stays(tmp_path: Path) -> None:
    def write_and_stop(path: Path) -> None:
        path.touch()
        raise KeyboardInterrupt

    (tmp_path / "before").mkdir()
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "before"):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), locked(tmp_path / "used"):
        write_and_stop(tmp_path / "used" / "recipe.toml")
    assert {path.name for path in (tmp_path / "before").iterdir()} == {"lock"}
    assert {path.name for path in (tmp_path / "used").iterdir()} == {"lock", "recipe.toml"}


def test_the_lock_of_a_folder_that_was_removed_meanwhile_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed_first(file: BinaryIO) -> bool:
        shutil.rmtree(tmp_path / "run")
        return acquire(file)

    monkeypatch.setattr("foveate.training.run.folder.acquire", removed_first)
    with pytest.raises(TrainingError, match="another process"), locked(tmp_path / "run"):
        pass


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ("unreadable", "spoilt"),
        ("empty", "nothing to learn"),
        ("empty for validation", "no foreground pixel in the masks, .* check the validation masks"),
    ],
)
def test_data_that_can_not_be_learnt_from_leave_no_folder_behind(
    spoilt: str, told: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    recipe = small_recipe("training.epochs=1")
    _, held_out = hold_out(small_data[0].split("train"), recipe.data.validation_share, seed=recipe.training.seed)

    def load(entry: CaseEntry) -> Case:
        if spoilt == "unreadable":
            raise DataError(f"{entry.id}: spoilt")
        case = entry.load()
        return replace(case, masks=case.masks & (spoilt != "empty" and entry not in held_out))

    entries = tuple(replace(entry, load=partial(load, entry)) for entry in small_data[0].entries)
    with pytest.raises(DataError, match=told):
        run(recipe, [replace(small_data[0], entries=entries)], tmp_path / "runs" / "run")
    assert list(tmp_path.iterdir()) == []
