import json
from pathlib import Path

import pytest
import torch
from small_run import small_recipe

from foveate.datasets import DataSet
from foveate.errors import ModelError
from foveate.training.export import export
from foveate.training.run_folder import load_weights
from foveate.training.start import Listener, start


def begin_with(weights: Path, folder: Path, data: list[DataSet], *overrides: str) -> None:
    silent = Listener(lambda _: None, lambda *_: None, lambda _: None)
    recipe = small_recipe("training.epochs=1", *overrides)
    start(
        recipe,
        data,
        folder=folder,
        resume=False,
        device="cpu",
        command="the second part",
        listener=silent,
        initial=weights,
    )


def test_a_run_begins_with_the_weights_it_is_given_and_says_where_they_come_from(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    weights = finished_run / "best.safetensors"
    # A learning rate of next to nothing leaves the weights where they began.
    begin_with(weights, tmp_path / "second", small_data, "training.learning_rate=1e-12", "training.average=0")
    given, _ = load_weights(weights)
    found, _ = load_weights(tmp_path / "second" / "last.safetensors")
    for name, parameter in given.named_parameters():
        torch.testing.assert_close(found.get_parameter(name), parameter, rtol=0, atol=1e-9)
    facts = json.loads((tmp_path / "second" / "run.json").read_text(encoding="utf-8"))
    assert facts["initial"]["file"] == str(weights)
    assert facts["initial"]["command"] == "a test"
    card = export(tmp_path / "second", tmp_path / "model" / "model.onnx").card
    assert card.command == "a test; then the second part"


def test_weights_of_another_network_are_refused(finished_run: Path, tmp_path: Path, small_data: list[DataSet]) -> None:
    with pytest.raises(ModelError, match=r"network\.\*"):
        begin_with(finished_run / "best.safetensors", tmp_path / "wider", small_data, "network.widths=[8, 8, 8, 8]")
    assert not (tmp_path / "wider").exists()
