import signal
import subprocess
import sys
from pathlib import Path

import pytest

from foveate.datasets import DataSet
from foveate.errors import TrainingError
from foveate.training.lock import is_locked, locked
from small_run import run, small_recipe

HOLD = """
import sys
from pathlib import Path
from foveate.training.lock import locked
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
