"""Runs that are reported to MLflow: what it gets, read back from its database by SQL, and what happens without it."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib import font_manager

from foveate.cli import app
from foveate.cli.train import MLFLOW
from foveate.datasets import DataSet
from foveate.errors import TrainingError, UsageError, install_line
from foveate.training.run import tracking
from foveate.training.run.progress import EpochRow, Listener
from foveate.training.run.tracking import connect
from foveate.training.start import start
from small_run import SMALL, small_recipe

pytest.importorskip("mlflow", reason="needs mlflow, which comes with foveate[track]")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

NOWHERE = "http://me:secret@127.0.0.1:9"
"""The discard port, on which nothing listens."""


@pytest.fixture(scope="session")
def fresh_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as MLflow makes it, which takes seconds, so that it is made once."""
    folder = tmp_path_factory.mktemp("mlflow")
    connect(f"sqlite:///{folder / 'mlflow.db'}", experiment="another", folder=folder / "run")
    return folder / "mlflow.db"


@pytest.fixture
def database(fresh_database: Path, tmp_path: Path) -> Path:
    shutil.copy(fresh_database, tmp_path / "mlflow.db")
    return tmp_path / "mlflow.db"


def train(
    folder: Path,
    data: list[DataSet],
    address: str | Path | None,
    *overrides: str,
    resume: bool = False,
    on_step: Callable[[int, int, float], None] = lambda *_: None,
    on_epoch: Callable[[EpochRow], None] = lambda _: None,
) -> list[str]:
    """Train two epochs, reporting to a database or address; what is said."""
    said: list[str] = []
    track = f"sqlite:///{address}" if isinstance(address, Path) else address
    start(
        small_recipe("training.epochs=2", *overrides),
        data,
        folder=folder,
        resume=resume,
        device="cpu",
        command="a test",
        listener=Listener(said.append, on_step, on_epoch),
        track=track,
    )
    return said


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def reported(database: Path) -> dict[str, dict[int, float]]:
    """Metric to epoch to value; an epoch that is there twice fails."""
    found: dict[str, dict[int, float]] = {}
    for key, step, value in rows(database, "SELECT key, step, value FROM metrics"):
        assert step not in found.setdefault(key, {})
        found[key][step] = value
    return found


def logged(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def full_names(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from full_names(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def test_a_run_is_reported_with_its_recipe_its_epochs_and_its_files(
    database: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    folder = tmp_path / "run"
    train(folder, small_data, database, "data.weights={synthetic = 2.5}")
    ((name, status, run),) = rows(database, "SELECT name, status, run_uuid FROM runs")
    assert (name, status) == ("run", "FINISHED")
    metrics, table = reported(database), logged(folder)
    assert set(metrics) == {
        *("loss", "validation_loss", "mean_f1", "f1_synthetic", "learning_rate", "images_per_second")
    }
    for row in table:
        for key, of_epoch in metrics.items():
            # As many digits as the table has.
            assert of_epoch[int(row["epoch"])] == pytest.approx(float(row[key]), rel=1e-3, abs=1e-5)
    parameters = dict(rows(database, "SELECT key, value FROM params"))
    recipe = dict(full_names(tomllib.loads((folder / "recipe.toml").read_text(encoding="utf-8"))))
    assert set(parameters) == set(recipe)
    for key, value in recipe.items():
        assert value == parameters[key] if isinstance(value, str) else value == json.loads(parameters[key])
    assert parameters["data.weights.synthetic"] == "2.5"
    tags = dict(rows(database, "SELECT key, value FROM tags"))
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (tags["command"], tags["source_commit"], tags["data"]) == ("a test", facts["source_commit"], "synthetic")
    assert facts["track"] == {"store": f"sqlite:///{database}", "run": run}
    ((experiment,),) = rows(
        database, "SELECT name FROM experiments WHERE experiment_id = (SELECT experiment_id FROM runs)"
    )
    assert experiment == "region-guided-vessels"
    kept = tmp_path / "mlflow_artifacts" / run / "artifacts"
    assert {path.name for path in kept.iterdir()} == {
        *("recipe.toml", "run.json", "log.csv", "curves.png", "best.safetensors")
    }
    assert all(path.read_bytes() == (folder / path.name).read_bytes() for path in kept.iterdir())


def test_a_run_that_is_stopped_goes_on_in_the_same_run_with_every_epoch_once(
    database: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    taken: list[float] = []

    def stop(epoch: int, step: int, loss: float) -> None:
        taken.append(loss)
        if epoch == 1:
            raise KeyboardInterrupt

    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(folder, small_data, database, on_step=stop)
    ((before, status),) = rows(database, "SELECT run_uuid, status FROM runs")
    assert status == "KILLED"
    assert set(reported(database)["loss"]) == {1}
    train(folder, small_data, database, resume=True)
    assert rows(database, "SELECT run_uuid, status FROM runs") == [(before, "FINISHED")]
    assert set(reported(database)["loss"]) == {1, 2}
    train(folder, small_data, database, "training.epochs=3", resume=True)
    assert rows(database, "SELECT run_uuid, status FROM runs") == [(before, "FINISHED")]
    assert [set(epochs) for epochs in reported(database).values()] == [{1, 2, 3}] * 6


def test_a_run_can_be_reported_from_its_middle_on_and_then_all_its_epochs_are(
    database: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    train(tmp_path / "run", small_data, None)
    assert rows(database, "SELECT * FROM runs") == []
    train(tmp_path / "run", small_data, database, "training.epochs=3", resume=True)
    assert set(reported(database)["mean_f1"]) == {1, 2, 3}


@pytest.mark.parametrize("resume", [False, True])
def test_a_store_that_does_not_answer_is_one_line_before_an_image_is_read(
    resume: bool, tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    folder = tmp_path / "run"
    if resume:
        train(folder, small_data, None)
    monkeypatch.setattr("foveate.training.start.gather", lambda *_, **__: pytest.fail("images were read"))
    with pytest.raises(TrainingError, match=r"^http://127\.0\.0\.1:9: .*Connection refused.*--no-track") as caught:
        train(folder, small_data, NOWHERE, resume=resume)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert folder.exists() == resume


def test_a_folder_that_is_not_free_is_refused_before_the_store_is_asked(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    with pytest.raises(UsageError, match="not empty"):
        train(finished_run, small_data, NOWHERE)


def test_a_run_that_the_store_does_not_know_is_refused_in_one_line(
    database: Path, fresh_database: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    another = Path(shutil.copy(fresh_database, tmp_path / "another.db"))
    train(tmp_path / "run", small_data, database)
    with pytest.raises(TrainingError, match=r"Run with id=\w+ not found.*MLFLOW_TRACKING_URI") as caught:
        train(tmp_path / "run", small_data, another, "training.epochs=3", resume=True)
    assert "\n" not in str(caught.value)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """While it holds anything, whatever is sent goes to a port where nobody listens, as when a server has stopped."""
    import mlflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    gone: list[bool] = []
    for name in ("log_batch", "log_artifact", "set_terminated", "get_metric_history"):
        real = getattr(mlflow.MlflowClient, name)

        def call(self: Any, *given: Any, real: Callable[..., Any] = real, **named: Any) -> Any:
            return real(mlflow.MlflowClient(tracking_uri=NOWHERE) if gone else self, *given, **named)

        monkeypatch.setattr(mlflow.MlflowClient, name, call)
    return gone


def test_a_store_that_goes_away_does_not_stop_the_training_and_gets_everything_when_the_run_goes_on(
    database: Path, tmp_path: Path, small_data: list[DataSet], away: list[bool]
) -> None:
    folder = tmp_path / "run"

    def leave(row: EpochRow) -> None:
        away.append(True)

    said = train(folder, small_data, database, "training.epochs=4", on_epoch=leave)
    assert len(logged(folder)) == 4
    about = [line for line in said if "MLflow" in line][1:]  # after the line that says where it reports to
    assert len(about) == 2
    assert "doesn't answer any more (Connection refused)" in about[0]
    assert "lacks epochs 1, 2, 3, 4 and the files" in about[1]
    assert f"`foveate train --resume {folder}`" in about[1]
    log = (folder / "log.txt").read_text(encoding="utf-8")
    assert all(line in log for line in about)
    assert "secret" not in log + "".join(said)
    away.clear()
    train(folder, small_data, database, "training.epochs=4", resume=True)
    assert [set(epochs) for epochs in reported(database).values()] == [{1, 2, 3, 4}] * 6
    assert rows(database, "SELECT status FROM runs") == [("FINISHED",)]


def test_a_store_that_comes_back_gets_what_it_lacks_at_the_next_epoch(
    database: Path, tmp_path: Path, small_data: list[DataSet], away: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def come_and_go(row: EpochRow) -> None:
        away[:] = [True] if row.epoch == 2 else []
        if row.epoch == 4:
            seen.update(reported(database)["loss"])

    seen: dict[int, float] = {}
    monkeypatch.setattr(tracking, "TRY_AGAIN_AFTER", 0)
    said = train(tmp_path / "run", small_data, database, "training.epochs=4", on_epoch=come_and_go)
    assert set(seen) == {1, 2, 3}
    about = [line for line in said if "MLflow" in line][1:]
    assert ["any more" in about[0], "answers again, and has all epochs" in about[1]] == [True, True]
    assert len(about) == 2
    assert set(reported(database)["loss"]) == {1, 2, 3, 4}


def test_a_store_that_is_away_is_not_asked_at_every_epoch(
    database: Path, tmp_path: Path, small_data: list[DataSet], away: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    send = tracking._send

    def counted(tracked: tracking.Tracked) -> None:
        asked.append(len(tracked.rows))
        send(tracked)

    monkeypatch.setattr(tracking, "_send", counted)
    train(tmp_path / "run", small_data, database, "training.epochs=4", on_epoch=lambda row: away.append(True))
    assert asked == [0, 1, 4]  # as it begins, after the first epoch, and at the end


def test_a_run_without_track_needs_no_mlflow_and_one_with_it_says_what_to_install(
    tmp_path: Path, small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mlflow", None)  # importing it raises ModuleNotFoundError
    train(tmp_path / "run", small_data, None, "training.epochs=1")
    with pytest.raises(UsageError, match=re.escape(f"mlflow, which is not installed: {install_line('track')}")):
        train(tmp_path / "another", small_data, "sqlite:///x.db")
    assert not (tmp_path / "another").exists()


@pytest.mark.slow
def test_the_command_writes_beside_the_run_alone_and_sends_no_usage_reports(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untold: None
) -> None:
    """In a process of its own, as MLflow decides when it is loaded, and not in a test's, in which it never reports."""
    for name in ("home", "elsewhere"):
        (tmp_path / name).mkdir()
    runs = tmp_path / "runs"
    runs.mkdir()
    database.rename(runs / "mlflow.db")
    # Matplotlib says so where its list of fonts takes more than five seconds: it gets the one that this process has.
    assert font_manager.fontManager.ttflist
    kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "MPLCONFIGDIR": matplotlib.get_cachedir()}
    script = "import socket, sys\nfrom foveate.cli import main\n" + NO_CONNECTION + "main()"
    call = [sys.executable, "-c", script, "train"]
    first = [*call, "region-guided-vessels", "--data", "synthetic:3", "--out", str(runs / "mine"), "--track"]
    environment = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "OMP"))} | kept
    words = [*SMALL, "network.widths=[4, 4, 8, 8]", "training.epochs=1"]
    ended = subprocess.run(
        [*first, *words],
        cwd=tmp_path / "elsewhere",
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len([line for line in ended.stdout.splitlines() if "MLflow" in line]) == 1, ended.stdout
    assert (runs / "mlflow_artifacts").is_dir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    app()(["train", "--resume", str(runs / "mine"), "training.epochs=2"], standalone_mode=False)
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert [path for path in (tmp_path / "home").rglob("*") if "mlflow" in str(path.relative_to(tmp_path))] == []
    assert {path.name for path in runs.iterdir()} == {"mine", "mlflow.db", "mlflow_artifacts"}
    assert set(reported(runs / "mlflow.db")["loss"]) == {1, 2}
    assert len(rows(runs / "mlflow.db", "SELECT * FROM runs")) == 1


NO_CONNECTION = """
def refused(*address):
    sys.stderr.write(f"connects to {address}\\n")
    raise OSError("no connection in this test")
socket.socket.connect = refused
"""


@pytest.fixture
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that says nothing to MLflow, and does so again after the test."""
    for name in (*MLFLOW, "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")  # so that it is taken back whatever the test does
        monkeypatch.delenv(name)


def test_what_the_user_told_mlflow_stays_and_the_rest_is_told_by_us(
    untold: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    with pytest.raises(UsageError, match="unknown data set"):
        app()(["train", "region-guided-vessels", "--data", "nowhere:x", "--out", "x", "--track"], standalone_mode=False)
    assert {name: os.environ[name] for name in MLFLOW} == MLFLOW | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "3"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:secret@host:5432/runs", "postgresql://host:5432/runs"),
        ("https://token@example.org/mlflow", "https://example.org/mlflow"),
        ("sqlite:////place/a@b/mlflow.db", "sqlite:////place/a@b/mlflow.db"),
        ("http://localhost:5000", "http://localhost:5000"),
    ],
)
def test_no_password_is_shown_or_kept(address: str, shown: str) -> None:
    assert tracking._public(address) == shown
