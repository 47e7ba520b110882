"""A shipped model as a file of one's own, whose card can be fitted; nothing of it needs PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec import structs

import foveate
from foveate.errors import OutputError, UsageError
from foveate.models import open_model, shipped
from foveate_command import run


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_model_is_copied_with_all_that_its_card_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    target = tmp_path / "mine" / "own.onnx"
    ran = run("export", name, "-o", target)
    assert (ran.status, ran.err) == (0, "")
    assert str(target) in ran.out
    copied, original = open_model(target), open_model(name)
    assert copied.content == original.content
    assert copied.card == structs.replace(original.card, file="own.onnx")
    assert open_model(foveate.export(name, tmp_path / "other" / "own.onnx", name="mine").file).card.name == "mine"


def test_what_is_there_is_not_overwritten_by_a_copy_unasked(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"card\.json: is there already"):
        foveate.export("vessels", tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["card.json"]
    foveate.export("vessels", tmp_path / "model.onnx", overwrite=True)
    assert open_model(tmp_path / "model.onnx").card.name == "vessels"


def test_what_is_neither_a_model_nor_a_run_is_told_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'vesels'.*vessels.*a run's folder"):
        foveate.export("vesels", tmp_path / "model.onnx")


def test_a_run_of_the_same_name_is_not_passed_over_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vessels").mkdir()
    (tmp_path / "vessels" / "best.safetensors").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"Write \./vessels for the run"):
        foveate.export("vessels", tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
