import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import foveate
from foveate.datasets.synthetic import draw
from foveate.errors import ModelError, OutputError
from foveate.runtime import open_network
from foveate.training.export import export, to_onnx
from foveate.training.validation import Exportable
from foveate.training.weights import load_weights


@pytest.fixture(scope="module")
def exported(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("exported") / "model.onnx"
    export(finished_run, target)
    return target


@pytest.mark.parametrize("size", [(16, 16), (40, 56), (121, 83)])
def test_the_file_gives_pytorchs_probabilities_on_plain_rgb(
    exported: Path, finished_run: Path, size: tuple[int, int]
) -> None:
    network, facts = load_weights(finished_run / "best.safetensors")
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 3, *size)).astype(np.float32)
    normal = (torch.from_numpy(pixels) - torch.tensor(facts.mean).view(1, 3, 1, 1)) / torch.tensor(
        facts.deviation
    ).view(1, 3, 1, 1)
    with torch.inference_mode():
        expected = torch.sigmoid(network(normal)).numpy()
    found = open_network(exported.read_bytes(), source="test")(pixels)
    assert found == pytest.approx(expected, abs=1e-4)  # float32 in two libraries


def test_the_card_says_what_the_file_is(exported: Path, finished_run: Path) -> None:
    segmenter = foveate.load(exported)
    card = segmenter.card
    assert card.sha256 == hashlib.sha256(exported.read_bytes()).hexdigest()
    stored = load_file(finished_run / "best.safetensors")
    learnt = sum(t.numel() for name, t in stored.items() if not re.search(r"running_|num_batches", name))
    assert card.parameters == learnt
    assert card.threshold == load_weights(finished_run / "best.safetensors")[1].threshold
    assert {data.set for data in card.training_data} == {"synthetic"}
    assert segmenter.segment(draw(3, height=140, width=130).image).mask.shape == (140, 130)


def test_an_exported_file_is_not_overwritten_unasked(exported: Path, finished_run: Path) -> None:
    before = exported.read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        export(finished_run, exported)
    assert exported.read_bytes() == before


def test_a_file_that_differs_from_pytorch_is_refused(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(model: Exportable) -> bytes:
        with torch.no_grad():
            model.mean += 20
            content = to_onnx(model)
            model.mean -= 20
        return content

    monkeypatch.setattr("foveate.training.export.to_onnx", wrong)
    with pytest.raises(ModelError, match="differ"):
        export(finished_run, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"best\.safetensors"):
        export(tmp_path, tmp_path / "model.onnx")
