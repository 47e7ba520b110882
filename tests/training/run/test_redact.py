"""What is secret on a command line or in an address stays out of every file."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from foveate.cli import app
from foveate.training.after.export import export
from foveate.training.run.folder import add_to_log
from foveate.training.run.provenance import command_line, redacted
from small_run import SMALL

MARK = "Pl4nted"
KEYS = dict(each.split("=", 1) for each in (*SMALL, "network.widths=[4, 4, 8, 8]", "training.epochs=1"))
OVERRIDES = [f"{key}={value}" for key, value in KEYS.items()]
SECRETS = (
    f"postgresql+psycopg://me:{MARK}@server/trials",
    f"postgresql://me:{MARK}/{MARK}@{MARK}@server:5432/trials",
    f"mysql://:{MARK}@server/trials",
    f"postgresql://me@server/trials?sslpassword={MARK}&sslmode=require",
    f"https://{MARK}@server/mlflow",
    f"http://server/?access_token={MARK}",
    f"host=server password={MARK} dbname=trials",
    f"API-KEY: {MARK}",
    f"hf_{MARK}{'x' * 20}",
    f"--note=ghp_{MARK}{'x' * 30}",
    f"eyJ{MARK}.{MARK}.{MARK}",
)


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_is_left_of_a_secret(secret: str) -> None:
    for text in (redacted(secret), redacted(f"before {secret} after"), command_line(["sweep", "--storage", secret])):
        assert MARK not in text
        assert "***" in text


def test_the_word_behind_an_option_that_is_named_as_a_secret_is_one() -> None:
    assert command_line(["train", "--api-key", MARK, "--out", "a b"]) == "foveate train --api-key '***' --out 'a b'"


@pytest.mark.parametrize(
    "plain",
    [
        "train region-guided-vessels --data drive:data/DRIVE --data folder:C:\\my data --out runs/a@b",
        "--storage postgresql+psycopg://me@server:5432/trials",
        "sqlite:////data/trials.db",
        "training.encoder_weights=resnet34 'data.weights={drive = 2.0}'",
        "--data folder:secrets/tokens.csv",
    ],
)
def test_what_is_no_secret_stays_as_it_is(plain: str) -> None:
    assert redacted(plain) == plain


def files_with_the_mark(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()]


def test_a_secret_on_the_command_line_is_in_no_file_of_a_training_or_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["foveate", "sweep", "--storage", SECRETS[0], *SECRETS])
    keys = [f'{key} = "{value}"' if key.endswith("precision") else f"{key} = {value}" for key, value in KEYS.items()]
    (tmp_path / "mine.toml").write_text(
        "\n".join(['recipe = "region-guided-vessels"', "[fixed]", *keys, "[search]", 'training.optimiser = ["sgd"]']),
        encoding="utf-8",
    )
    data = ("--data", "synthetic:3", "--device", "cpu")
    app()(["sweep", str(tmp_path / "mine.toml"), *data, "--out", str(tmp_path / "sweep")], standalone_mode=False)
    run = tmp_path / "run"
    app()(["train", "region-guided-vessels", *OVERRIDES, *data, "--out", str(run)], standalone_mode=False)
    app()(["train", "--resume", str(run), "training.epochs=2"], standalone_mode=False)
    assert len(json.loads((run / "run.json").read_text(encoding="utf-8"))["resumed"]) == 1
    assert files_with_the_mark(tmp_path) == []


@pytest.mark.usefixtures("exported_once")
def test_a_secret_in_the_facts_of_an_older_run_is_in_no_card_and_in_no_run_that_follows(
    finished_run: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(finished_run, old)
    facts = json.loads((old / "run.json").read_text(encoding="utf-8"))
    said = f"foveate sweep --storage {SECRETS[0]}"
    facts |= {"command": said, "resumed": [{"command": said}], "initial": {"command": said, "file": "a", "data": {}}}
    (old / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    card = export(old, tmp_path / "model" / "model.onnx").card
    assert card.command.count("foveate sweep --storage postgresql+psycopg://me:***@server/trials") == 3
    assert files_with_the_mark(tmp_path / "model") == []
    new = ["train", "region-guided-vessels", *OVERRIDES, "--from", str(old)]
    app()([*new, "--data", "synthetic:3", "--device", "cpu", "--out", str(tmp_path / "new")], standalone_mode=False)
    assert files_with_the_mark(tmp_path / "new") == []


def test_a_secret_in_an_error_is_not_in_the_log(tmp_path: Path) -> None:
    add_to_log(tmp_path, f"the storage has failed: {SECRETS[1]}")
    assert files_with_the_mark(tmp_path) == []
