"""`foveate train`, `runs` and `sweep` in a few lines of Python."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from foveate.cli import main
from foveate.errors import RecipeError, UsageError
from foveate.public.attention import attention
from foveate.public.export import export
from foveate.public.sweep import sweep
from foveate.public.train import runs, train
from foveate.recipes.read import overrides_of, read_recipe
from foveate.training.run.progress import EpochRow

SMALL = {
    "network.widths": [4, 4, 8, 8],
    "preparation.working_minimum": 96,
    "preparation.working_maximum": 128,
    "training.crop": 64,
    "training.batch": 2,
    "training.samples_per_epoch": 2,
    "training.warm_up": 0,
    "training.precision": "32-true",
    "training.epochs": 2,
}


def test_a_run_is_trained_heard_of_and_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[EpochRow] = []
    run = train(
        "region-guided-vessels",
        SMALL,
        data="synthetic:3",
        out=tmp_path / "first",
        device="cpu",
        on_epoch=heard.append,
    )
    assert [row.epoch for row in heard] == [1, 2]
    assert run.f1 == max(row.mean_f1 for row in heard)
    assert (run.state, run.epochs, run.best.is_file()) == ("finished", 2, True)
    assert runs(tmp_path) == [run]
    assert capsys.readouterr().out == ""
    longer = train(resume=run.folder, overrides=["training.epochs=3"], on_epoch=heard.append)
    assert (longer.epochs, [row.epoch for row in heard]) == (3, [1, 2, 3])


def test_the_command_in_the_record_trains_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train("region-guided-vessels", SMALL, data=["synthetic:3"], out=tmp_path / "first", device="cpu")
    told = shlex.split(json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["command"])
    monkeypatch.setattr("sys.argv", [word.replace("first", "second") for word in told])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    again = runs(tmp_path / "second")[0]
    assert (again.f1, again.thresholds, again.epochs) == (run.f1, run.thresholds, run.epochs)


def test_overrides_mean_the_same_as_mapping_and_as_words() -> None:
    mapping = {
        "training.epochs": 4,
        "training.freeze": ("stem", "layer1"),
        "training.stage_rates": {"layer2": 0.1},
        "training.normalisation": "images",
        "augmentation.flip": False,
    }
    words = [
        "training.epochs=4",
        'training.freeze=["stem", "layer1"]',
        "training.stage_rates={layer2 = 0.1}",
        "training.normalisation=images",
        "augmentation.flip=false",
    ]
    assert read_recipe("atten-res-unet-isic2018", overrides_of(mapping)) == read_recipe(
        "atten-res-unet-isic2018", overrides_of(words)
    )
    with pytest.raises(UsageError, match="overrides"):
        overrides_of({"training.epochs": {4}})


def test_what_the_command_refuses_python_refuses(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"training\.epochs"):
        train("region-guided-vessels", {"training.epochs": -1}, data="synthetic:3", out=tmp_path / "run")
    with pytest.raises(UsageError, match="needs a RECIPE"):
        train("region-guided-vessels", data="synthetic:3")
    with pytest.raises(UsageError, match="no --out"):
        train(resume=tmp_path, out=tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        runs(tmp_path / "missing")
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        export(tmp_path, tmp_path / "model.pt")
    with pytest.raises(UsageError, match=r"ends in \.png"):
        attention("vessels", "photo.jpg", tmp_path / "maps.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_place_of_a_set_is_refused_with_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"write folder:{tmp_path}")):
        train("region-guided-vessels", data=tmp_path, out=tmp_path / "run")  # type: ignore[arg-type]


def test_a_sweep_is_ranked(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    keys = "\n".join(f"{key} = {json.dumps(value)}" for key, value in (SMALL | {"training.epochs": 1}).items())
    file = tmp_path / "mine.toml"
    search = 'training.optimiser = ["sgd", "adamw"]'
    file.write_text(f'recipe = "region-guided-vessels"\n[fixed]\n{keys}\n[search]\n{search}\n', encoding="utf-8")
    said: list[str] = []
    ranked = sweep(file, data="synthetic:3", out=tmp_path / "out", device="cpu", say=said.append)
    scores = [row.mean for row in ranked.ranking.rows]
    assert len(scores) == 2
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert ranked.table.is_file()
    assert ranked.picture.is_file()
    assert any("sgd" in sentence for sentence in said)
