"""Several classes, and other inputs than plain colours, from the data set through training to the masks on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as PillowImage
from PIL import ImageDraw
from sklearn.metrics import f1_score

import foveate
from foveate.arrays.prepare import Preparation, predict
from foveate.datasets import DataSet
from foveate.datasets.splits import hold_out
from foveate.errors import DataError, TrainingError, UsageError
from foveate.inference import Segmenter
from foveate.recipes.schema import Recipe
from foveate.records import Case, CaseEntry, Classes, Masks
from foveate.training.after.export import export
from foveate.training.after.validation import Exportable, in_torch
from foveate.training.run.tensors import load_weights
from small_run import run, small_recipe

SIDE = 96
APART, OVER_EACH_OTHER = Classes(("disc", "square")), Classes(("disc", "square"), exclusive=False)

LEARNING = (
    "preparation.fov=whole",
    "preparation.working_minimum=96",
    "preparation.working_maximum=96",
    "augmentation.rotation=0",
    "augmentation.scale=0",
    "augmentation.colour=0",
    "network.widths=[8, 8, 16, 16]",
    "training.batch=4",
    "training.samples_per_epoch=160",
    "training.epochs=3",
    "training.learning_rate=2e-2",
    "training.schedule=one_cycle",
    "training.average=0",
)


@dataclass(frozen=True)
class Drawing:
    """Loads a case: dark red discs and bright squares on noise; where a square is drawn over a disc it is both."""

    seed: int
    overlapping: bool

    def __call__(self) -> Case:
        random = np.random.default_rng(self.seed)
        masks = np.stack([self.shapes(random, kind) for kind in ("ellipse", "rectangle")])
        if not self.overlapping:
            masks[0] &= ~masks[1]
        image = random.normal(120, 12, (SIDE, SIDE, 3))
        image[masks[0]] += (20, -60, -60)
        image[masks[1]] += (40, 40, 70)
        pixels = image.clip(0, 255).astype(np.uint8)
        return Case(f"drawing-{self.seed}", f"drawing-{self.seed}", pixels, masks)

    def shapes(self, random: np.random.Generator, kind: str) -> np.ndarray:
        picture = PillowImage.new("1", (SIDE, SIDE))
        for _ in range(3):
            left, top = random.integers(4, SIDE - 34, 2).tolist()
            width, height = random.integers(12, 30, 2).tolist()
            getattr(ImageDraw.Draw(picture), kind)((left, top, left + width, top + height), fill=1)
        return np.asarray(picture)


def drawn_set(classes: Classes) -> DataSet:
    overlapping = not classes.exclusive
    entries = [
        CaseEntry(f"drawing-{seed}", f"drawing-{seed}", "train" if seed < 6 else "test", Drawing(seed, overlapping))
        for seed in range(8)
    ]
    return DataSet("drawn", "", "Drawings", "None.", "None.", "Here.", tuple(entries), classes)


@dataclass(frozen=True)
class Trained:
    """A run of that set, and its exported model."""

    data: DataSet
    folder: Path
    model: Path

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.folder / "log.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_cases(self) -> list[Case]:
        return [entry.load() for entry in self.data.split("test")]


def trained(classes: Classes, folder: Path, *overrides: str) -> Trained:
    data = drawn_set(classes)
    run(small_recipe(*LEARNING, *overrides), [data], folder / "run")
    export(folder / "run", folder / "exported" / "model.onnx")
    return Trained(data, folder / "run", folder / "exported" / "model.onnx")


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(APART, tmp_path_factory.mktemp("apart"))


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return trained(OVER_EACH_OTHER, tmp_path_factory.mktemp("over"), "training.loss=bce")


def f1_by_class(found: Sequence[Masks], true: Sequence[Masks]) -> list[float]:
    return [
        float(f1_score(*(np.concatenate([masks[number].ravel() for masks in each]) for each in (true, found))))
        for number in range(len(true[0]))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["apart", "over"])
def test_a_small_network_learns_two_classes(kind: str, request: pytest.FixtureRequest) -> None:
    of: Trained = request.getfixturevalue(kind)
    model, cases = foveate.load(of.model), of.test_cases()
    found = [model.segment(case.image).masks for case in cases]
    assert min(f1_by_class(found, [case.masks for case in cases])) > 0.8
    both = np.stack([masks.sum(axis=0) for masks in found]).max()
    assert both == (1 if kind == "apart" else 2)


@pytest.mark.slow
def test_the_log_has_the_f1_of_every_class_and_the_thresholds_of_those_that_overlap(
    apart: Trained, over: Trained
) -> None:
    for of, thresholds in ((apart, ["threshold"]), (over, ["threshold_disc", "threshold_square"])):
        for row in of.rows:
            by_class = [float(row[f"f1_drawn_{name}"]) for name in ("disc", "square")]
            assert float(row["f1_drawn"]) == pytest.approx(np.mean(by_class), abs=1e-5)  # five decimals
            assert [key for key in row if key.startswith("threshold")] == thresholds


def test_a_class_that_no_validation_mask_has_is_told_before_the_first_epoch(tmp_path: Path) -> None:
    data = drawn_set(OVER_EACH_OTHER)
    recipe = small_recipe(*LEARNING, "training.loss=bce")
    _, held_out = hold_out(data.split("train"), recipe.data.validation_share, seed=recipe.training.seed)

    def without_squares(entry: CaseEntry) -> Case:
        case = entry.load()
        return replace(case, masks=case.masks & np.array([True, False])[:, None, None])

    entries = [
        replace(entry, load=partial(without_squares, entry)) if entry in held_out else entry for entry in data.entries
    ]
    with pytest.raises(DataError, match="no foreground pixel of class 'square' in the masks"):
        run(recipe, [replace(data, entries=tuple(entries))], tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["apart", "over"])
def test_the_card_carries_classes_and_thresholds_to_the_user(kind: str, request: pytest.FixtureRequest) -> None:
    of: Trained = request.getfixturevalue(kind)
    card = json.loads((of.model.parent / "card.json").read_text(encoding="utf-8"))
    assert (card["classes"], card["exclusive"]) == (["disc", "square"], kind == "apart")
    best = max(of.rows, key=lambda row: float(row["mean_f1"]))
    logged = [float(value) for key, value in best.items() if key.startswith("threshold")]
    assert card["thresholds"] == pytest.approx(logged, abs=1e-5)  # five decimals


@pytest.mark.slow
def test_classes_that_exclude_each_other_are_written_as_one_picture_of_their_numbers(
    apart: Trained, tmp_path: Path
) -> None:
    result = foveate.load(apart.model).segment(apart.test_cases()[0].image)
    written = result.save(tmp_path, name="drawing", probabilities=True)
    assert {path.name for path in written.values()} == {
        "drawing_mask.png",
        "drawing_disc_probability.png",
        "drawing_square_probability.png",
    }
    with PillowImage.open(tmp_path / "drawing_mask.png") as file:
        assert file.mode == "P"
        numbers = np.asarray(file)
    np.testing.assert_array_equal(numbers, result.masks[0] + 2 * result.masks[1])
    assert set(np.unique(numbers)) == {0, 1, 2}


@pytest.mark.slow
def test_classes_that_may_overlap_are_written_as_a_mask_each(over: Trained, tmp_path: Path) -> None:
    result = foveate.load(over.model).segment(over.test_cases()[0].image)
    written = result.save(tmp_path, name="drawing", overlay=True)
    assert {path.name for path in written.values()} == {
        "drawing_disc_mask.png",
        "drawing_square_mask.png",
        "drawing_overlay.png",
    }
    for name, mask in zip(("disc", "square"), result.masks, strict=True):
        with PillowImage.open(tmp_path / f"drawing_{name}_mask.png") as file:
            np.testing.assert_array_equal(np.asarray(file) == 255, mask)


def test_sets_with_other_classes_are_refused_together(tmp_path: Path) -> None:
    sets = [drawn_set(APART), drawn_set(Classes(("disc",)))]
    with pytest.raises(UsageError, match="has the classes disc, square"):
        run(small_recipe(*LEARNING), sets, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_with_the_classes_it_began_with_and_a_wrong_call_leaves_it_as_it_was(tmp_path: Path) -> None:
    def files() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    run(short_recipe(), [drawn_set(APART)], tmp_path)
    before = files()
    for other in (OVER_EACH_OTHER, Classes(("square", "disc")), Classes()):
        with pytest.raises(TrainingError, match="began with the classes disc, square") as caught:
            run(short_recipe("training.epochs=2"), [replace(drawn_set(APART), classes=other)], tmp_path, resume=True)
        assert "\n" not in str(caught.value)
        assert files() == before
    run(short_recipe("training.epochs=2"), [drawn_set(APART)], tmp_path, resume=True)


def short_recipe(*overrides: str) -> Recipe:
    return small_recipe(*LEARNING, "training.epochs=1", "training.samples_per_epoch=8", *overrides)


TINY = ("network.name=unet", "network.widths=[4, 8]", "training.side_weight=0")
"""What is exported in a second."""


@pytest.mark.parametrize(
    ("channels", "clahe"), [("green", 0.0), ("rgb", 2.0), ("green", 2.0)], ids=["green", "clahe", "green and clahe"]
)
def test_what_the_network_sees_of_an_image_travels_with_the_model(channels: str, clahe: float, tmp_path: Path) -> None:
    data = drawn_set(Classes(("disc",)))
    entries = tuple(
        CaseEntry(each.id, each.group, each.split, lambda each=each: _first_class(each.load()))  # type: ignore[misc]
        for each in data.entries
    )
    single = DataSet("drawn", "", "Drawings", "None.", "None.", "Here.", entries, data.classes)
    preparation = (f"preparation.channels={channels}", f"preparation.clahe={clahe}")
    run(short_recipe(*preparation, *TINY), [single], tmp_path / "run")
    export(tmp_path / "run", tmp_path / "model.onnx")
    segmenter = Segmenter.open(tmp_path / "model.onnx")
    assert (segmenter.card.preparation.channels, segmenter.card.preparation.clahe) == (channels, clahe)
    image = single.entries[-1].load().image
    network, facts = load_weights(tmp_path / "run" / "best.safetensors")
    assert len(facts.mean) == (1 if channels == "green" else 3)
    model = Exportable(network, facts.mean, facts.deviation, facts.told_apart).eval()

    def in_pytorch(preparation: Preparation) -> np.ndarray:
        return predict(image, preparation.view(image), in_torch(model, torch.device("cpu")), preparation)

    found = segmenter.segment(image).probabilities
    expected = in_pytorch(Preparation("whole", SIDE, SIDE, channels, clahe))  # type: ignore[arg-type]
    assert found == pytest.approx(expected, abs=1e-4)  # float32 in two libraries
    if clahe:
        assert np.abs(found - in_pytorch(Preparation("whole", SIDE, SIDE, channels))).max() > 1e-3  # type: ignore[arg-type]


def _first_class(case: Case) -> Case:
    return Case(case.id, case.group, case.image, case.masks[:1])
