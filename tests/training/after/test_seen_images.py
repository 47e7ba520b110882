"""Images that a model has learnt from are known again, whatever their files are called and wherever they lie."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image as PillowImage

import foveate
from foveate.datasets import open_set
from foveate.errors import UsageError
from foveate.models.card import CARD
from foveate.records import Case
from foveate.training.after.export import export
from foveate.training.run.progress import Listener
from foveate.training.start import start
from small_run import run, small_recipe

Count = tuple[int | None, int | None]


def written(cases: list[Case], folder: Path, *, ending: str = ".png") -> Path:
    """A folder of these photographs, called p1, p2 and so on."""
    for kind, pictures in (("images", [case.image for case in cases]), ("masks", [case.mask for case in cases])):
        (folder / kind).mkdir(parents=True)
        for number, pixels in enumerate(pictures, start=1):
            PillowImage.fromarray(pixels).save(folder / kind / f"p{number}{ending if kind == 'images' else '.png'}")
    return folder


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [entry.load() for entry in open_set("synthetic:9").entries[:8]]


@pytest.fixture(scope="module")
def model(cases: list[Case], tmp_path_factory: pytest.TempPathFactory, exported_once: None) -> Path:
    """Of the first four photographs: three were learnt from, one chose the epoch."""
    folder = tmp_path_factory.mktemp("seen")
    data = [open_set(f"folder:{written(cases[:4], folder / 'mine')}")]
    run(small_recipe("training.epochs=1", "data.validation_share=0.25"), data, folder / "run")
    return export(folder / "run", folder / "model.onnx").file


def seen(model: Path, data: str, *, split: str = "all") -> Count:
    (found,) = foveate.evaluate(model, data=data, split=split, threads=1)
    return found.data.seen_in_training, found.data.seen_in_validation


def test_copies_are_known_by_what_they_show(model: Path, cases: list[Case], tmp_path: Path) -> None:
    assert seen(model, f"folder:{written(cases[:4], tmp_path / 'same')}") == (3, 1)
    other = written(cases[4:], tmp_path / "other")
    assert seen(model, f"folder:{other}") == (0, 0)  # of the same names
    assert seen(model, f"folder:{tmp_path / 'same'}", split="validation") == (0, 1)
    with pytest.raises(UsageError, match="no part 'validation'"):
        seen(model, f"folder:{other}", split="validation")
    mixed = written([*cases[6:], *cases[:4]], tmp_path / "mixed", ending=".tif")
    assert seen(model, f"folder:{mixed}") == (3, 1)
    assert seen(model, f"folder:{mixed}/images/*.tif|{mixed}/masks/*.png") == (3, 1)
    rows = [f"mixed/images/p{number}.tif,mixed/masks/p{number}.png,test" for number in (1, 3, 4, 5, 6)]
    (tmp_path / "mine.csv").write_text("\n".join(["image,mask,split", *rows]), encoding="utf-8")
    assert seen(model, f"folder:{tmp_path / 'mine.csv'}", split="test") == (3, 1)
    assert seen(model, "synthetic:9") == (3, 1)  # and in a set of this package, whose names are others


def test_images_of_an_earlier_run_are_known_though_later_ones_have_their_names(
    model: Path, cases: list[Case], tmp_path: Path, exported_once: None
) -> None:
    first, later = written(cases[:4], tmp_path / "first"), written(cases[4:], tmp_path / "later")
    start(
        small_recipe("training.epochs=1", "data.validation_share=0.25"),
        [open_set(f"folder:{later}")],
        folder=tmp_path / "run",
        resume=False,
        device="cpu",
        command="a test",
        listener=Listener(),
        initial=model.parent / "run",
    )
    tuned = export(tmp_path / "run", tmp_path / "model.onnx").file
    assert [seen(tuned, f"folder:{folder}") for folder in (first, later)] == [(3, 1), (3, 1)]


def test_images_that_choose_a_threshold_leave_those_of_their_names_what_they_were(
    model: Path, cases: list[Case], tmp_path: Path
) -> None:
    copy = tmp_path / "copy" / model.name
    copy.parent.mkdir()
    for name in (model.name, CARD):
        shutil.copyfile(model.parent / name, copy.parent / name)
    first, others = written(cases[:4], tmp_path / "first"), written(cases[4:], tmp_path / "others" / "validation")
    data = f"folder:{others.parent}"
    foveate.evaluate(copy, data=data, split="validation", threads=1, to_card=True, choose_threshold=True)
    assert seen(copy, f"folder:{first}") == (3, 1)
    assert seen(copy, data, split="validation") == (0, 4)


def test_what_cant_be_told_isnt_said(model: Path, cases: list[Case], tmp_path: Path) -> None:
    card = json.loads((model.parent / CARD).read_text(encoding="utf-8"))
    for part in card["training_data"]:
        del part["training_contents"], part["validation_contents"]
    older = tmp_path / "older"
    older.mkdir()
    (older / model.name).write_bytes(model.read_bytes())
    (older / CARD).write_text(json.dumps(card), encoding="utf-8")
    assert seen(older / model.name, f"folder:{written(cases[:4], tmp_path / 'same')}") == (None, None)
    assert seen(older / model.name, "synthetic:1") == (None, None)  # in which images of that folder may be
    card["training_data"][0]["set"] = "drive"
    (older / CARD).write_text(json.dumps(card), encoding="utf-8")
    assert seen(older / model.name, "synthetic:1") == (0, 0)  # two sets with names of their own


def test_black_images_are_nobodys(cases: list[Case]) -> None:
    case = cases[0]
    black = Case("black", "black", case.image * 0, case.masks)
    assert black.content == ""
    assert len(case.content) == 16
    assert case.content != cases[1].content
