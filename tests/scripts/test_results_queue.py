"""The queue behind results/: a run that is stopped, goes on elsewhere, and leaves numbers alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import draw_results
import pytest
import results

from foveate.datasets import open_set
from foveate.datasets.files import files_of

ROOT = Path(__file__).parents[2]
ROWS = """
[sets]
drawn = "synthetic:2"
[tables.small]
title = "drawn photographs"
shortened = "to a minute"
procedures = { mirrored = ["--tta", "2"] }
overrides = [
    "network.widths=[4, 4, 8, 8]", "preparation.working_minimum=96", "preparation.working_maximum=128",
    "training.crop=64", "training.batch=2", "training.samples_per_epoch=6", "training.warm_up=0",
    "training.precision=32-true",
    "training.epochs=400",
]
[[rows]]
id = "drawn"
table = "small"
label = "as printed"
recipe = "region-guided-vessels"
train = ["drawn"]
test = ["drawn"]
minutes = 1
seeds = [3]
"""

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs a git clone")


def queue(folder: Path, work: str, *words: str) -> subprocess.Popen[str]:
    call = [sys.executable, str(ROOT / "scripts" / "results.py")]
    places = ["--results", str(folder / "results"), "--work", str(folder / work)]
    return subprocess.Popen([*call, *places, *words], stdout=subprocess.PIPE, text=True, start_new_session=True)


def epochs_of(facts: Path) -> int:
    """How many are done."""
    told = json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else {}
    return int(told.get("progress", {}).get("epochs", 0))


@pytest.mark.slow
def test_a_stopped_run_goes_on_from_another_clone_and_leaves_numbers_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, kept = tmp_path / "results", tmp_path / "results" / "unfinished" / "drawn-s3"
    results.mkdir()
    (results / "rows.toml").write_text(ROWS, encoding="utf-8")
    first = queue(tmp_path, "one", "run", str(tmp_path))
    facts = tmp_path / "one" / "runs" / "drawn-s3" / "run.json"
    deadline = time.monotonic() + 120
    while epochs_of(facts) < 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGTERM)
    assert first.wait(60) != 0
    epochs = epochs_of(kept / "run.json")
    assert 1 <= epochs < 400
    told = queue(tmp_path, "two", "status").communicate()[0]
    assert f"epoch {epochs} of 400" in told
    # The rest is cut short: an epoch more than there is.
    rows = ROWS.replace("training.epochs=400", f"training.epochs={epochs + 1}")
    (results / "rows.toml").write_text(rows, encoding="utf-8")
    told = queue(tmp_path, "two", "run", str(tmp_path)).communicate(timeout=300)[0]
    result = json.loads((results / "drawn-s3.json").read_text(encoding="utf-8"))
    assert "all done" in told
    assert not kept.exists()
    assert result["resumed"] == 1
    assert len(result["curves"]["loss"]) == epochs + 1
    assert result["crops"] == 6 * (epochs + 1)
    assert result["seed"] == 3
    assert result["precision"] == "32-true"
    assert result["validation_f1"] == {"synthetic": result["curves"]["mean_f1"]}
    scored = result["scores"]["drawn"], result["procedures"]["mirrored"]["scores"]["drawn"]
    assert [each["data"]["count"] for each in scored] == [2, 2]
    assert [each["protocol"]["passes"] for each in scored] == [
        "one forward pass",
        "mean of 2 views (left and right)",
    ]
    assert str(tmp_path) not in (results / "drawn-s3.json").read_text(encoding="utf-8")
    assert sorted(path.name for path in results.iterdir()) == ["drawn-s3.json", "rows.toml", "unfinished"]
    told = queue(tmp_path, "two", "status").communicate()[0]
    assert "1 of 1 done" in told
    places = ["--results", str(results), "--work", str(tmp_path / "two")]
    assert draw_results.main([str(tmp_path), *places]) == 0
    pictures = tmp_path / "two" / "pictures" / "drawn-s3"
    (seen,) = pictures.glob("*-attention.png")
    assert (pictures / seen.name.replace("-attention", "")).is_file()
    assert (pictures / "index.html").is_file()
    assert len(list(pictures.glob("pictures/*_analytic.png"))) == 2
    assert len(list(pictures.glob("pictures/*_missed.png"))) == 2
    capsys.readouterr()
    assert draw_results.main([str(tmp_path), *places]) == 0
    assert "already" in capsys.readouterr().out
    shutil.rmtree(pictures)
    shutil.rmtree(tmp_path / "two" / "runs")
    assert draw_results.main([str(tmp_path), *places]) == 0
    assert "trained elsewhere" in capsys.readouterr().out


@pytest.mark.parametrize("changed", ["", " M results/rows.toml"])
def test_a_row_that_is_not_committed_does_not_begin_by_the_last_commits_recipe(
    changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloned = []

    def git(*words: str) -> str:
        return changed if words[0] == "status" else "a" * 40

    def clone(run: results.Run) -> Path:
        cloned.append(run.id)
        raise KeyboardInterrupt

    monkeypatch.setattr(results, "_git", git)
    monkeypatch.setattr(results, "_clone", clone)
    places = ["--results", str(ROOT / "results"), "--work", str(tmp_path)]
    (run, *_) = [each for each in results.runs_of(results.Places(ROOT / "results", tmp_path)) if not each.kept.exists()]
    monkeypatch.setattr(results.Run, "result", tmp_path / "none.json")
    monkeypatch.setattr(results, "prepare", lambda *_: None)
    assert results.main([*places, "run", str(tmp_path), "--only", run.id]) == (1 if changed else 130)
    assert cloned == ([] if changed else [run.id])
    assert ("commit them first" in capsys.readouterr().err) == bool(changed)


def test_a_row_of_folds_is_a_row_for_each_with_its_number(tmp_path: Path) -> None:
    folds = ROWS.replace('id = "drawn"', 'id = "drawn"\nfolds = 2')
    (tmp_path / "rows.toml").write_text(folds, encoding="utf-8")
    runs = results.runs_of(results.Places(tmp_path, tmp_path))
    assert [run.id for run in runs] == ["drawn0-s3", "drawn1-s3"]
    assert [run.row["label"][-2:] for run in runs] == [" 0", " 1"]
    for fold, run in enumerate(runs):
        (name,) = run.row["train"]
        assert name.endswith(str(fold))
        assert run.data == ["--data", f"synthetic:2{fold}"]


def test_a_row_of_validation_folds_trains_once_without_each_part_of_the_same_sets(tmp_path: Path) -> None:
    folds = ROWS.replace('id = "drawn"', 'id = "drawn"\nvalidation_folds = 2\noverrides = ["network.passes=2"]')
    (tmp_path / "rows.toml").write_text(folds, encoding="utf-8")
    runs = results.runs_of(results.Places(tmp_path, tmp_path))
    assert [run.id for run in runs] == ["drawn-fold0-s3", "drawn-fold1-s3"]
    for fold, run in enumerate(runs):
        assert run.row["label"] == "as printed"
        assert run.data == ["--data", "synthetic:2"]
        assert run.overrides[-4:] == ["network.passes=2", "data.folds=2", f"data.fold={fold}", "training.seed=3"]


def test_a_folder_without_the_public_sets_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for folder, words in (("missing", "no such folder"), ("empty", "no such file")):
        assert results.main(["--work", str(tmp_path / "work"), "prepare", str(tmp_path / folder)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert words in said


def test_queues_that_begin_at_the_same_time_prepare_one_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "image.png").touch()
    (tmp_path / "results" / "splits").mkdir(parents=True)
    (tmp_path / "results" / "splits" / "two.csv").write_text("image,mask\ndata/image.png,data/image.png\n")
    places = results.Places(tmp_path / "results", tmp_path / "work")
    with ThreadPoolExecutor(8) as queues:
        for _ in queues.map(lambda _: results.prepare(places, tmp_path / "data"), range(200)):
            assert (tmp_path / "work" / "data" / "image.png").is_file()
    assert {path.name for path in places.work.glob("*") if "fold" not in path.name} == {"data", "two.csv"}


def test_the_slices_of_lgg_are_parted_as_seen_from_the_work(tmp_path: Path) -> None:
    for number in range(1, 11):
        image = tmp_path / "data" / "LGG" / "kaggle_3m" / "TCGA_XX_0001" / f"TCGA_XX_0001_{number}.tif"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.touch()
        image.with_name(f"{image.stem}_mask.tif").touch()
    (tmp_path / "results").mkdir()
    results.prepare(results.Places(tmp_path / "results", tmp_path / "work"), tmp_path / "data")
    entries = open_set(f"folder:{tmp_path / 'work' / 'lgg-slices.csv'}").entries
    assert Counter(entry.split for entry in entries) == {"train": 8, "test": 2}
    assert all(files.image.is_file() for entry in entries if (files := files_of(entry)) is not None)


def test_every_image_of_a_split_tests_in_one_fold_and_no_image_is_in_two_parts(tmp_path: Path) -> None:
    split = tmp_path / "isic2018.csv"
    inputs, truths = "data/ISIC2018_Task1-2_Training_Input", "data/ISIC2018_Task1_Training_GroundTruth"
    names = [f"ISIC_{number:07}" for number in range(200)]
    lines = [f"{inputs}/{name}.jpg,{truths}/{name}_segmentation.png,train\n" for name in names]
    split.write_text("image,mask,split\n" + "".join(lines), encoding="utf-8")
    for name in names:
        for path in (tmp_path / inputs / f"{name}.jpg", tmp_path / truths / f"{name}_segmentation.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    tested: list[str] = []
    for _ in range(2):
        results.link_folds(split, tmp_path)
    for fold in range(results.FOLDS):
        entries = open_set(f"isic2018:{tmp_path}/isic2018-fold{fold}").entries
        assert sorted(entry.id for entry in entries) == [f"isic2018_{name.removeprefix('ISIC_')}" for name in names]
        parts = Counter(entry.split for entry in entries)
        assert sorted(parts) == ["test", "train", "validation"]
        assert 20 < parts["test"] < 60
        assert 5 < parts["validation"] < 40
        tested += [entry.id for entry in entries if entry.split == "test"]
        listed = [files for entry in entries if (files := files_of(entry)) is not None]
        assert all(path.is_file() for files in listed for path in files.parts.values())
        assert len(listed) == 200
    assert len(tested) == len(set(tested)) == 200
