import hashlib
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import foveate
from computed_models import changed
from foveate.datasets import DataSet
from foveate.drawn import draw
from foveate.errors import ModelError, OutputError, UsageError
from foveate.networks.registry.counting import measure
from foveate.public.scoring import models_of
from foveate.records import Case
from foveate.runtime import Wish, open_session
from foveate.training.after.export import TOLERANCE, _seen, compared, export, to_onnx
from foveate.training.after.validation import Exportable
from foveate.training.run.facts import load_facts
from foveate.training.run.progress import Listener
from foveate.training.run.tensors import load_weights
from foveate.training.start import start
from small_run import small_recipe


@pytest.fixture(scope="module")
def exported(finished_run: Path, tmp_path_factory: pytest.TempPathFactory, exported_once: None) -> Path:
    target = tmp_path_factory.mktemp("exported") / "model.onnx"
    export(finished_run, target)
    return target


@pytest.mark.parametrize("size", [(16, 16), (40, 56), (120, 88)])
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
    found = open_session(exported.read_bytes(), source="test").run(pixels)
    assert found == pytest.approx(expected, abs=1e-4)  # float32 in two libraries


def test_the_card_says_what_the_file_is(exported: Path, finished_run: Path) -> None:
    segmenter = foveate.load(exported)
    card = segmenter.card
    assert card.sha256 == hashlib.sha256(exported.read_bytes()).hexdigest()
    stored = load_file(finished_run / "best.safetensors")
    learnt = sum(t.numel() for name, t in stored.items() if not re.search(r"running_|num_batches", name))
    assert card.parameters == learnt
    built = load_weights(finished_run / "best.safetensors")[1].build
    assert card.gmacs == measure(built, in_channels=3, height=512, width=512)[0].gmacs
    assert card.thresholds == load_weights(finished_run / "best.safetensors")[1].thresholds
    assert {data.set for data in card.training_data} == {"synthetic"}
    assert card.name == finished_run.name  # not the file's, which is "model" of every run
    assert segmenter.segment(draw(3, height=140, width=130).image).mask.shape == (140, 130)


def test_a_network_that_looks_farther_than_its_recipe_says_is_not_exported(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    recipe = (run / "recipe.toml").read_text(encoding="utf-8")
    assert "context = 0\n" in recipe
    (run / "recipe.toml").write_text(recipe.replace("context = 0\n", "context = 64\n"), encoding="utf-8")
    assert export(run, tmp_path / "model.onnx").card.preparation.context == 64
    (run / "recipe.toml").write_text(recipe.replace("context = 0\n", "context = 8\n"), encoding="utf-8")
    with pytest.raises(ModelError, match=r"looks farther than its recipe's preparation\.context, 8 pixels"):
        export(run, tmp_path / "too near" / "model.onnx")
    assert not (tmp_path / "too near").exists()


def test_weights_of_images_that_are_not_for_commercial_use_are_exported_as_such(
    finished_run: Path, tmp_path: Path, exported_once: None
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record["data"]["synthetic"] |= {"title": "Lesions", "terms": "CC BY-NC 4.0."}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    card = export(run, tmp_path / "model.onnx").card
    assert card.licence.startswith("CC BY-NC 4.0 for the weights: not for commercial use, as the images of Lesions are")


def test_what_a_run_says_of_its_images_in_other_words_is_an_error_of_one_line(
    finished_run: Path, tmp_path: Path, exported_once: None
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    record["data"]["synthetic"] |= {"cameras": 2}
    (run / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ModelError, match=r"run: can't have a model card: training_data\.0\.cameras: is no field"):
        export(run, tmp_path / "model.onnx")


def test_an_exported_file_is_not_overwritten_unasked(exported: Path, finished_run: Path) -> None:
    before = exported.read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        export(finished_run, exported)
    assert exported.read_bytes() == before


def test_a_file_that_differs_from_pytorch_is_refused(
    exported: Path, finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(model: Exportable) -> bytes:
        with torch.no_grad():
            model.mean += 20
        return exported.read_bytes()  # that of the mean as it was

    monkeypatch.setattr("foveate.training.after.export.to_onnx", wrong)
    with pytest.raises(ModelError, match="differ"):
        export(finished_run, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


class Steep(torch.nn.Module):
    """A network whose probabilities turn from 0 to 1 within next to nothing."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network.eval()
        with torch.no_grad():
            self.middle = float(network(torch.zeros(1, 3, 64, 64)).mean())

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(image)
        return 1e4 * (logits - self.middle)


def test_what_float32_itself_costs_a_steep_network_is_no_fault_of_its_file_and_all_else_is(finished_run: Path) -> None:
    network, facts = load_weights(finished_run / "best.safetensors")
    steep = Exportable(Steep(network).eval(), facts.mean, facts.deviation, facts.told_apart).eval()
    content = to_onnx(steep)
    assert max(compared(content, steep, "both").values()) > 2 * TOLERANCE
    with torch.no_grad():
        steep.mean += 1
    with pytest.raises(ModelError, match="than rounding explains"):
        compared(content, steep, "both")


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"best\.safetensors"):
        export(tmp_path, tmp_path / "model.onnx")


def test_the_card_names_the_images_of_the_runs_that_a_run_began_with(
    finished_run: Path, small_data: list[DataSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data,) = small_data
    other = replace(data, name="another", entries=tuple(replace(each, id=f"other-{each.id}") for each in data.entries))
    recipe = small_recipe("training.epochs=1", "training.seed=5")
    silent = Listener(lambda _: None, lambda *_: None, lambda _: None)
    folder = tmp_path / "second"
    start(
        recipe,
        [other],
        folder=folder,
        resume=False,
        device="cpu",
        command="a test",
        listener=silent,
        initial=finished_run / "best.safetensors",
    )
    # The card alone is looked at, which the graph has no part in.
    monkeypatch.setattr("foveate.training.after.export.to_onnx", lambda _: b"a graph")
    monkeypatch.setattr("foveate.training.after.export.faster", lambda content: content)
    monkeypatch.setattr("foveate.training.after.export.compared", lambda *_: {(64, 64): 0.0})
    card = export(folder, tmp_path / "exported" / "model.onnx").card
    first, second = (load_facts(run)["data"] for run in (finished_run, folder))
    named = {each.set: (list(each.training), list(each.validation)) for each in card.training_data}
    assert named == {name: (part["training"], part["validation"]) for name, part in (first | second).items()}


def test_an_image_that_was_learnt_from_once_is_no_validation_image() -> None:
    def part(training: list[str], validation: list[str]) -> dict[str, object]:
        facts = {"title": "t", "terms": "t", "citation": "c"}
        return {"drive": {**facts, "training": training, "validation": validation}}

    first = {"data": part(["a", "b"], ["c"])}
    record = {"data": part(["b", "c"], ["a"]), "initial": first}
    found = _seen(record)["drive"]
    assert (found["training"], found["validation"]) == (["a", "b", "c"], [])


def test_a_run_is_evaluated_without_a_file_being_written_into_it(exported: Path, finished_run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished_run.rglob("*")}
    (made,) = models_of([str(finished_run)], Wish(threads=1))
    assert {path: path.stat().st_mtime_ns for path in finished_run.rglob("*")} == before
    assert made.model.name == finished_run.name
    assert made.model.sha256 == hashlib.sha256(exported.read_bytes()).hexdigest()
    case = draw(3, height=140, width=130)
    expected = foveate.load(exported).segment(case.image).masks
    found = made.predict(Case("3", "3", case.image, case.mask[None]))
    np.testing.assert_array_equal(found.masks, expected)


def test_a_runs_folder_is_a_model_wherever_a_model_is_and_nothing_is_written_into_it(
    exported: Path, finished_run: Path, small_data: list[DataSet], tmp_path: Path
) -> None:
    image = small_data[0].entries[0].load().image
    before = sorted(path.name for path in finished_run.iterdir())
    segmenter, expected = foveate.load(finished_run, threads=1), foveate.load(exported, threads=1)
    assert segmenter.card.name == finished_run.name
    assert segmenter.card == changed(expected.card, name=segmenter.card.name, file=segmenter.card.file)
    np.testing.assert_array_equal(segmenter.segment(image).probability, expected.segment(image).probability)
    assert sorted(path.name for path in finished_run.iterdir()) == before


def test_a_runs_folder_without_pytorch_is_told_how_to_go_on(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "foveate.training.after.export", None)
    with pytest.raises(
        UsageError, match=r"needs foveate\.training\.after\.export to be exported: pip install .*foveate export"
    ) as refused:
        foveate.load(finished_run)
    assert str(finished_run) in str(refused.value)
