import hashlib
import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import pytest

import foveate
from foveate.errors import ModelError, UsageError
from foveate.models import ModelCard, open_model, shipped
from foveate.models.card import plain


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the shipped model's file, its card beside it."""
    source = Path(str(files("foveate.models"))) / "vessels"
    shutil.copytree(source, tmp_path / "copied")
    return tmp_path / "copied" / open_model("vessels").card.file


def change_card(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    card = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    change(card)
    (model.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")


def refusal(model: Path) -> str:
    """The line with which a model is refused; it begins with the model's path."""
    with pytest.raises(ModelError) as refused:
        foveate.load(model)
    line = str(refused.value)
    assert line.startswith(f"{model}: ")
    assert "\n" not in line
    return line


def test_a_copy_of_the_shipped_model_is_the_same_model(copied: Path) -> None:
    for path in (copied, str(copied)):
        assert open_model(path).content == open_model("vessels").content
        assert open_model(path).card == open_model("vessels").card


@pytest.mark.parametrize("place", [0, 0.5, -1])
def test_a_changed_byte_is_found_by_its_sha_256(place: float, copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    index = -1 if place == -1 else int(place * len(content))
    content[index] ^= 1
    copied.write_bytes(content)
    line = refusal(copied)
    assert "SHA-256" in line
    assert open_model("vessels").card.sha256[:12] in line


def test_a_file_that_was_cut_short_is_found_by_its_sha_256(copied: Path) -> None:
    copied.write_bytes(copied.read_bytes()[:-100])
    assert "SHA-256" in refusal(copied)


def test_a_damaged_file_whose_card_fits_is_refused_when_it_is_loaded(copied: Path) -> None:
    copied.write_bytes(b"no model at all")
    change_card(copied, lambda card: card.update(sha256=hashlib.sha256(b"no model at all").hexdigest()))
    assert open_model(copied).content == b"no model at all"
    refusal(copied)


def test_a_model_without_a_card_is_refused(copied: Path) -> None:
    (copied.parent / "card.json").unlink()
    assert "card.json" in refusal(copied)


def test_the_card_of_another_file_is_refused_with_that_files_name(copied: Path) -> None:
    other = copied.rename(copied.with_name("other.onnx"))
    assert copied.name in refusal(other)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda card: card.pop("thresholds"), "thresholds"),
        (lambda card: card.update(thresholds=[1.5]), "thresholds.0"),
        (lambda card: card.update(thresholds=["half"]), "thresholds.0"),
        (lambda card: card.update(thresholds=[0.4, 0.5]), "thresholds"),
        (lambda card: card.update(classes=[]), "classes"),
        (lambda card: card.update(sha256="abc"), "sha256"),
        (lambda card: card["preparation"].update(working_minimum=None), "preparation.working_minimum"),
        (lambda card: card.update(colour="green"), "colour"),
        (lambda card: card.update(schema_version=3), "schema_version"),
        (lambda card: card["preparation"].update(size=64), "preparation.size"),
        (lambda card: card["preparation"].pop("working_maximum"), "preparation.working_maximum"),
        (lambda card: card["training_data"][0].pop("terms"), "training_data.0.terms"),
    ],
)
def test_a_broken_card_is_refused_with_the_fields_name(
    change: Callable[[dict[str, Any]], object], field: str, copied: Path
) -> None:
    change_card(copied, change)
    assert f" {field}: " in refusal(copied)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_card_that_is_no_card_is_refused(content: bytes, copied: Path) -> None:
    (copied.parent / "card.json").write_bytes(content)
    assert "not a model card" in refusal(copied)


def test_a_card_is_read_back_as_it_was_written() -> None:
    card = open_model("vessels").card
    assert ModelCard.parse(card.to_json(), "the card itself") == card


@pytest.mark.parametrize("name", ["vesels", "Vessels", "vessel"])
def test_an_unknown_name_is_refused_with_the_nearest_and_all_that_there_are(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        foveate.load(name)
    line = str(refused.value)
    assert f"'{name}'" in line
    assert "Did you mean 'vessels'?" in line
    assert all(valid in line for valid in shipped())


def test_a_file_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing\.onnx.*no such file"):
        foveate.load(tmp_path / "missing.onnx")


def test_a_shipped_models_name_means_that_model_whatever_lies_in_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vessels").write_text("something else")
    monkeypatch.chdir(tmp_path)
    assert open_model("vessels").source == "shipped model 'vessels'"


def test_words_of_a_recipe_and_of_a_command_are_made_such_that_a_card_takes_them() -> None:
    card = open_model("vessels").card
    words = "two\nlines\t\x1b[31mred \u202e"
    fields = msgspec.structs.asdict(card) | {"description": words}
    with pytest.raises(ModelError, match=r"^mine: can't have a model card: description: .*control character"):
        ModelCard.of("mine", **fields)
    made = ModelCard.of("mine", **fields | {"description": plain(words)})
    assert made.description == "two lines \\x1b[31mred \\u202e"
    assert ModelCard.parse(made.to_json(), "mine") == made


def test_a_card_of_version_1_is_read_as_the_same_card() -> None:
    card = open_model("vessels").card
    content = json.loads(card.to_json())
    first = content.pop("preparation") | content | {"schema_version": 1}
    assert ModelCard.parse(json.dumps(first), "an older card") == card
