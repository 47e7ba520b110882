"""The working size of which a model is surest, against the sizes tried by hand with a card for each."""

from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from foveate.datasets import open_set
from foveate.drawn import draw
from foveate.errors import UsageError
from foveate.inference import Segmentation
from foveate.models import open_model
from foveate.models.card import CARD
from foveate_command import run
from known_model import known_model


def at_size(folder: Path, size: float) -> Path:
    """The shipped model with a card by which every photograph is shown at this size."""
    model = open_model("vessels")
    folder.mkdir()
    shown = type(model.card.preparation)(working_minimum=size, working_maximum=size)
    (folder / CARD).write_text(structs.replace(model.card, preparation=shown).to_json(), encoding="utf-8")
    (folder / model.card.file).write_bytes(model.content)
    return folder / model.card.file


def expected(found: Segmentation) -> float:
    """F1 that the probabilities promise of the mask: 2 Σ p m / (Σ p + Σ m), in the field of view."""
    probability, mask = found.probability[found.fov].astype(np.float64), found.mask[found.fov]
    return float(2 * probability[mask].sum() / (probability.sum() + mask.sum()))


def f1(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * np.count_nonzero(mask & truth) / (np.count_nonzero(mask) + np.count_nonzero(truth)))


@pytest.mark.parametrize(("name", "step"), [("2012", 1), ("2013", 0), ("2015", 2)])
def test_of_the_sizes_down_to_the_smallest_that_the_model_knows_the_surest_is_kept(
    tmp_path: Path, shared_data: Path, name: str, step: int
) -> None:
    (entry,) = (each for each in open_set(f"orvs:{shared_data / 'ORVS'}").entries if each.id == f"orvs_{name}")
    case = entry.load()
    sizes = [1152 * (608 / 1152) ** (number / 3) for number in range(4)]
    found = [
        foveate.load(at_size(tmp_path / str(number), size), threads=1).segment(case.image)
        for number, size in enumerate(sizes)
    ]
    assert max(range(4), key=lambda number: expected(found[number])) == step
    usual, surest = (foveate.load("vessels", surest_size=on, threads=1).segment(case.image) for on in (False, True))
    np.testing.assert_array_equal(surest.mask, found[step].mask)
    np.testing.assert_allclose(surest.probability, found[step].probability, atol=1e-5)
    gained = f1(surest.mask, case.mask) - f1(usual.mask, case.mask)
    assert (gained > 0) if step else (gained == 0)


def test_a_photograph_that_is_no_larger_than_the_smallest_size_is_shown_once() -> None:
    image = draw(8).image
    usual, surest = (foveate.load("vessels", surest_size=on, threads=1).segment(image) for on in (False, True))
    np.testing.assert_array_equal(surest.probabilities, usual.probabilities)
    black = np.zeros((700, 700, 3), np.uint8)
    assert not foveate.load("vessels", surest_size=True, threads=1).segment(black).mask.any()


def test_the_record_and_an_evaluation_say_so(tmp_path: Path) -> None:
    model = known_model(tmp_path / "model")
    (result,) = foveate.evaluate(model, data="synthetic:1", surest_size=True, boundary=False, vessels=False)
    assert result.protocol.passes == "one forward pass at the working size of which the model is surest"
    photograph = tmp_path / "one.png"
    PillowImage.fromarray(draw(9).image).save(photograph)
    ran = run("segment", photograph, "-o", tmp_path / "out", "--model", model, "--surest-size")
    assert (ran.status, ran.err) == (0, "")
    assert result.protocol.passes in (tmp_path / "out" / "segment.json").read_text(encoding="utf-8")


def test_it_is_refused_where_it_would_do_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--surest-size: the model 'vessels' is shown every image at one size, 700 "):
        foveate.load(at_size(tmp_path / "one", 700.0), surest_size=True)
    (tmp_path / "masks").mkdir()
    with pytest.raises(UsageError, match="--surest-size"):
        foveate.evaluate(predictions=tmp_path / "masks", data="synthetic:1", surest_size=True)
    model, data = known_model(tmp_path / "model"), "synthetic:1"
    with pytest.raises(UsageError, match="leave one out"):
        foveate.evaluate(model, data=data, split="validation", to_card=True, choose_size=True, surest_size=True)
