import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foveate_command import Ran, run, run_apart

import foveate
from foveate.datasets import SETS
from foveate.datasets.synthetic import entries
from foveate.models import open_model


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """`foveate evaluate` on two drawn photographs in a process of its own, and the file that it wrote."""
    file = tmp_path_factory.mktemp("evaluated") / "deep" / "vessels.json"
    return run_apart("evaluate", "vessels", "--data", "synthetic:2", "--json", file), file


def f1_from_masks(pairs: list[tuple[Any, Any]]) -> float:
    predicted, true = (np.concatenate(masks) for masks in zip(*pairs, strict=True))
    both = np.count_nonzero(predicted & true)
    return 2 * both / (np.count_nonzero(predicted) + np.count_nonzero(true))


def test_the_f1_in_the_report_is_that_of_the_masks_that_python_gives(evaluated: tuple[Ran, Path]) -> None:
    ran, file = evaluated
    assert (ran.status, ran.err) == (0, "")
    report = json.loads(file.read_text(encoding="utf-8"))
    vessels = foveate.load("vessels")
    cases = [entry.load() for entry in entries("2") if entry.split == "test"]
    masks = [vessels.segment(case.image).mask for case in cases]
    fovs = [case.fov for case in cases]
    assert all(fov is not None for fov in fovs)
    inside = f1_from_masks([(m[f], c.mask[f]) for m, f, c in zip(masks, fovs, cases, strict=True)])
    everywhere = f1_from_masks([(m.ravel(), c.mask.ravel()) for m, c in zip(masks, cases, strict=True)])
    assert 0 < inside < 1
    # Another order of the same operations in double precision.
    assert report["scopes"]["fov"]["pooled"]["f1"] == pytest.approx(inside, abs=1e-12)
    assert report["scopes"]["image"]["pooled"]["f1"] == pytest.approx(everywhere, abs=1e-12)
    assert [row["id"] for row in report["images"]] == [case.id for case in cases]
    card = open_model("vessels").card
    assert report["model"] == {"name": card.name, "sha256": card.sha256, "parameters": card.parameters}
    assert report["protocol"]["threshold"] == {"value": card.threshold, "origin": card.threshold_from}
    assert report["data"] == {"set": "synthetic", "split": "test", "count": 2}


def test_the_terminal_shows_the_scores_of_the_report(evaluated: tuple[Ran, Path]) -> None:
    ran, file = evaluated
    scopes = json.loads(file.read_text(encoding="utf-8"))["scopes"]
    lines = {words[0]: words[1:] for line in ran.out.splitlines() if (words := line.split())}
    for score in ("f1", "sensitivity", "specificity", "roc_auc"):
        shown = [f"{scopes[scope]['pooled'][score]:.4f}" for scope in ("fov", "image")]
        # Each scope has three columns: pooled, mean and standard deviation.
        assert lines[score][::3] == shown
    assert "not a medical device" in ran.out
    assert str(file) in ran.out


def test_a_report_that_is_there_is_kept_unless_replacing_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("mine")
    ran = run("evaluate", "vessels", "--data", "synthetic:1", "--json", file)
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert str(file) in line
    assert "--overwrite" in line
    assert file.read_text() == "mine"
    assert run("evaluate", "vessels", "--data", "synthetic:1", "--json", file, "--overwrite").status == 0
    assert json.loads(file.read_text(encoding="utf-8"))["data"]["count"] == 1


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("vessels", "--data", "driv:x"), ("driv", "Did you mean 'drive'", *SETS)),
        (("vessels", "--data", "synthetic:2", "--split", "tset"), ("tset", "'test'", "train")),
        (("vessels", "--data", "synthetic:none"), ("synthetic:none",)),
        (("vesels", "--data", "synthetic:1"), ("'vesels'", "'vessels'")),
        (("missing.onnx", "--data", "synthetic:1"), ("missing.onnx",)),
        (("vessels",), ("data",)),
        (("vessels", "--data", "synthetic:1", "--splitt", "test"), ("--splitt",)),
    ],
)
def test_a_wrong_call_is_told_in_one_line_with_what_is_valid(
    arguments: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path
) -> None:
    ran = run("evaluate", *arguments, "--json", tmp_path / "report.json")
    assert ran.status == 2
    (line,) = ran.errors
    assert all(part in line for part in parts)
    assert not (tmp_path / "report.json").exists()


def test_a_set_that_is_not_where_it_should_be_is_told_in_one_line(tmp_path: Path) -> None:
    ran = run("evaluate", "vessels", "--data", f"drive:{tmp_path}")
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert str(tmp_path) in line


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    ran = run("evaluate", tmp_path, "--data", "synthetic:1")
    assert ran.status == 2
    (line,) = ran.errors
    assert str(tmp_path) in line


def test_a_shipped_models_name_means_that_model_beside_a_folder_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vessels").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = run("evaluate", "vessels", "--data", "synthetic:1", "--json", "report.json")
    assert (ran.status, ran.err) == (0, "")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["model"]["sha256"] == open_model("vessels").card.sha256
