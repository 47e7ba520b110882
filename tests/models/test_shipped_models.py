import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import foveate
from foveate.datasets import open_set
from foveate.drawn import draw
from foveate.models import open_model, shipped

FOLDERS = {"drive": "DRIVE", "stare": "STARE", "chase_db1": "CHASE_DB1", "hrf": "HRF_half"}
"""Where the public data sets lie below the folder of all."""


def model_file() -> Path:
    return Path(str(files("foveate.models"))) / "vessels" / open_model("vessels").card.file


def direct_session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(model_file()), providers=["CPUExecutionProvider"])


def test_vessels_is_shipped_and_every_shipped_model_is_what_its_card_says() -> None:
    assert "vessels" in shipped()
    for name, folder in shipped().items():
        model = open_model(name)
        assert hashlib.sha256((folder / model.card.file).read_bytes()).hexdigest() == model.card.sha256
        assert model.card.preparation.working_minimum > 0
        assert model.card.notice


def test_vessels_is_small() -> None:
    assert model_file().stat().st_size < 300_000
    assert open_model("vessels").card.parameters <= 40_000


def test_vessels_has_no_more_parameters_than_it_says_counted_in_the_file() -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx, which comes with foveate[train]")
    graph = onnx.load(str(model_file())).graph
    stored = [onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer]
    stored += [
        onnx.numpy_helper.to_array(attribute.t)
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    ]
    floats = sum(array.size for array in stored if array.dtype.kind == "f")
    said = open_model("vessels").card.parameters
    assert floats <= 40_000
    # Mean and deviation of the colours and a few constants are no parameters; folding a normalisation into the
    # convolution before it takes some away.
    assert 0.9 * said <= floats <= said + 50


def test_vessels_takes_one_rgb_image_of_any_height_and_width() -> None:
    (image,), (probability,) = direct_session().get_inputs(), direct_session().get_outputs()
    assert image.type == probability.type == "tensor(float)"
    assert image.shape[1] == 3
    assert probability.shape[1] == 1
    for free in (*image.shape[2:], *probability.shape[2:]):
        assert not isinstance(free, int)


def test_vessels_run_directly_on_plain_rgb_gives_what_the_segmenter_gives() -> None:
    segmenter = foveate.load("vessels")
    side = 8 * round(segmenter.card.preparation.working_minimum / 8)
    # At the working size and without a dark border nothing is cropped, scaled or padded.
    pixels = np.maximum(draw(3, height=side, width=side).image, 90)
    result = segmenter.segment(pixels)
    assert result.fov.all()
    session = direct_session()
    batch = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    (direct,) = session.run(None, {session.get_inputs()[0].name: batch})
    np.testing.assert_array_equal(segmenter.session.run(np.ascontiguousarray(batch)), direct)
    np.testing.assert_array_equal(result.probability, direct[0, 0])
    assert direct.std() > 0


def test_vessels_answers_to_the_picture() -> None:
    drawn = draw(5, height=584, width=565)
    probability = foveate.load("vessels").segment(drawn.image).probability
    inside = drawn.fov
    assert probability[drawn.mask].mean() > probability[inside & ~drawn.mask].mean()


@pytest.mark.parametrize("name", FOLDERS)
def test_no_image_that_a_score_is_measured_on_was_learnt_from(name: str, shared_data: Path) -> None:
    data = next(data for data in open_model("vessels").card.training_data if data.set == name)
    listed = open_set(f"{name}:{shared_data / FOLDERS[name]}")
    known = {entry.id for entry in listed.entries}
    test = {entry.group for entry in listed.split("test")}
    learnt = {*data.training, *data.validation}
    assert learnt
    assert learnt <= known
    assert not {entry.group for entry in listed.entries if entry.id in learnt} & test
    assert not set(data.training) & set(data.validation)
