import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foveate.training.run.folder import locked
from foveate_command import run

WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(("torch", "safetensors", "lightning_fabric", "matplotlib")))
from foveate.cli import main
main()
"""


@pytest.fixture
def folder(finished_run: Path, tmp_path: Path) -> Path:
    """Two copies of a finished run, the second of which is made one that was stopped after two epochs of five."""
    for name in ("a", "below/b"):
        shutil.copytree(finished_run, tmp_path / name)
    facts = json.loads((tmp_path / "below" / "b" / "run.json").read_text(encoding="utf-8"))
    facts["progress"] |= {"epochs": 2, "planned": 5, "ending": ""}
    (tmp_path / "below" / "b" / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "run.json").write_text("{", encoding="utf-8")
    return tmp_path


def listed(folder: Path) -> dict[str, dict[str, Any]]:
    ran = run("runs", folder, "--json")
    assert ran.status == 0
    return {Path(each["folder"]).name: each for each in json.loads(ran.out)}


def test_runs_are_listed_with_what_their_own_files_tell(folder: Path, finished_run: Path) -> None:
    found = listed(folder)
    assert list(found) == ["a", "b"]
    best = json.loads((finished_run / "run.json").read_text(encoding="utf-8"))["progress"]["best"]
    for each in found.values():
        assert (each["network"], each["data"]) == ("region_guided", ["synthetic"])
        assert (each["best_epoch"], each["f1"], each["thresholds"]) == (best["epoch"], best["f1"], best["thresholds"])
    assert [(each["epochs"], each["planned"], each["state"]) for each in found.values()] == [
        (3, 3, "finished"),
        (2, 5, "stopped"),
    ]


def test_a_run_is_running_while_a_process_holds_its_lock(folder: Path) -> None:
    with locked(folder / "below" / "b"):
        assert [each["state"] for each in listed(folder).values()] == ["finished", "running"]


def test_the_table_has_a_line_for_each_run_and_needs_no_torch(folder: Path) -> None:
    call = [sys.executable, "-c", WITHOUT_TORCH, "runs", str(folder)]
    ended = subprocess.run(call, capture_output=True, encoding="utf-8", check=True)
    header, *lines = ended.stdout.splitlines()
    assert header.split()[:3] == ["run", "network", "data"]
    assert ["3/3" in lines[0], "2/5" in lines[1], len(lines)] == [True, True, 2]
    assert f"{listed(folder)['a']['f1']:.4f}" in lines[0]


def test_a_folder_without_runs_and_one_that_is_not_there_are_told(tmp_path: Path) -> None:
    ran = run("runs", tmp_path)
    assert (ran.status, ran.err) == (0, "")
    assert "no run" in ran.out
    ran = run("runs", tmp_path / "nothing")
    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)


def test_the_copy_that_mlflow_keeps_of_a_run_is_not_listed(folder: Path) -> None:
    number = "0f3c5b1e6a8d4c2f9b7a1d3e5f708192"
    facts = json.loads((folder / "a" / "run.json").read_text(encoding="utf-8"))
    facts["track"] = {"store": "sqlite:///mlflow.db", "run": number}
    (folder / "a" / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    copy = folder / "mlflow_artifacts" / number / "artifacts"
    copy.mkdir(parents=True)
    for name in ("run.json", "recipe.toml"):
        shutil.copy(folder / "a" / name, copy)
    assert list(listed(folder)) == ["a", "b"]
