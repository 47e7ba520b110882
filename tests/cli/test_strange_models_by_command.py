"""Strangers' models as a user meets them: one line, status 1 or 2, and nothing outside the output folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.inference import Procedure
from foveate_command import names, run, run_apart, save

pytest.importorskip("onnx", reason="needs onnx, which comes with foveate[train]")
from strange_models import KINDS, Strange, graph, node, then, whole, write_strange

BY_COMMAND = (
    "class that climbs out of the folder",
    "class that is an absolute path",
    "name with an escape sequence",
    "two classes on a graph with one map",
    "working size of 1e300",
    "weights from /etc",
    "endless Loop",
    "giant ConstantOfShape",
    "output NaN",
)


def in_a_folder(folder: Path, kind: Strange) -> Path:
    """The strange model in a folder of its own, that is made."""
    folder.mkdir()
    return write_strange(folder, kind)


@pytest.mark.parametrize("kind", BY_COMMAND)
def test_a_strange_model_ends_the_command_in_one_line_and_writes_nothing(kind: str, tmp_path: Path) -> None:
    photograph, model = save(tmp_path / "photo.png"), in_a_folder(tmp_path / "model", KINDS[kind])
    ran = run("segment", photograph, "-o", tmp_path / "work" / "out", "--model", model, "--probabilities")
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert KINDS[kind].told in line
    assert line.isprintable()
    assert names(tmp_path) == {"photo.png", "model"}


def test_a_process_of_its_own_says_no_more_than_that_line(tmp_path: Path) -> None:
    photograph, model = save(tmp_path / "photo.png"), in_a_folder(tmp_path / "model", KINDS["output half as large"])
    ran = run_apart("segment", photograph, "-o", tmp_path / "out", "--model", model)
    assert ran.status == 1
    assert len(ran.errors) == 1
    assert ran.out == ""


def fails_on_wide_images() -> Strange:
    """A network that images of 64 columns pass, and no others: it subtracts a row of as many numbers."""
    return Strange(
        "",
        graph=lambda: then(
            node("Cast", "zeros", "row", to=1),
            node("Sub", "green row"),
            weights=[whole("zeros", *[0] * 64)],
        ),
    )


def test_a_network_that_fails_while_it_runs_costs_one_line_for_that_image(tmp_path: Path) -> None:
    model = in_a_folder(tmp_path / "model", fails_on_wide_images())
    for name, width in (("a", 64), ("b", 80), ("c", 64)):
        PillowImage.fromarray(np.full((40, width, 3), 200, np.uint8)).save(tmp_path / f"{name}.png")
    images = [tmp_path / f"{name}.png" for name in "abc"]
    ran = run("segment", *images, "-o", tmp_path / "out", "--model", model)
    assert ran.status == 1
    (line,) = ran.errors
    assert line.startswith(f"foveate: [2/3] {images[1]}: {model}: the network fails on an image of 1×3×40×80")
    assert {"a_mask.png", "c_mask.png"} <= names(tmp_path / "out")
    assert "b_mask.png" not in names(tmp_path / "out")
    record = json.loads((tmp_path / "out" / "segment.json").read_text(encoding="utf-8"))
    assert {name: image["status"] for name, image in record["images"].items()} == {
        "a": "done",
        "b": "failed",
        "c": "done",
    }


def test_probabilities_that_are_none_on_one_image_cost_one_line_for_that_image(tmp_path: Path) -> None:
    model = in_a_folder(tmp_path / "model", Strange("", graph=lambda: then(node("Div", "green green"))))
    for name, level in (("a", 200), ("b", 0)):
        pixels = np.full((40, 48, 3), 200, np.uint8)
        pixels[5:9, 5:9, 1] = level  # 0 / 0 is no number
        PillowImage.fromarray(pixels).save(tmp_path / f"{name}.png")
    ran = run("segment", tmp_path / "a.png", tmp_path / "b.png", "-o", tmp_path / "out", "--model", model)
    assert ran.status == 1
    (line,) = ran.errors
    assert f"{tmp_path / 'b.png'}: " in line
    assert "from nan to nan" in line
    assert "a_mask.png" in names(tmp_path / "out")


def test_memory_that_runs_out_costs_one_line_for_that_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = in_a_folder(tmp_path / "model", Strange("", graph=graph))
    photograph = save(tmp_path / "photo.png")

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Procedure, "carry_out", full)
    ran = run("segment", photograph, "-o", tmp_path / "out", "--model", model)
    assert ran.status == 1
    (line,) = ran.errors
    assert f"{photograph}: needs more memory" in line
    assert "shrink" in line
