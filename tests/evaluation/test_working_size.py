"""A working size that validation images choose, against an exact search over all probabilities at each size."""

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from foveate.datasets.sets.synthetic import entries
from foveate.models.card import CARD
from known_model import known_model


def highest_f1(probabilities: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Of all thresholds; pixels of one probability go together."""
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.diff(probabilities[order]) != 0, True)
    counts = 2 * np.cumsum(truth[order]) / (np.arange(truth.size) + 1 + truth.sum())
    return float(counts[ends].max())


def drawn(folder: Path, *, noise: float) -> list[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Photographs under noise, written as a folder's validation part, and the masks of what is bright without it."""
    pairs = []
    chance = np.random.default_rng(3)
    for kind in ("images", "masks"):
        (folder / "validation" / kind).mkdir(parents=True)
    for case in (entry.load() for entry in entries("2")):
        truth = case.image[..., 1] >= 110
        image = np.clip(case.image + chance.normal(0, noise, case.image.shape), 0, 255).round().astype(np.uint8)
        for kind, pixels in (("images", image), ("masks", truth)):
            PillowImage.fromarray(pixels).save(folder / "validation" / kind / f"{case.id}.png")
        pairs.append((image, truth))
    return pairs


@pytest.mark.parametrize(("noise", "own_size"), [(60.0, False), (0.0, True)])
def test_the_size_with_the_highest_f1_is_chosen_with_the_threshold_there(
    tmp_path: Path, noise: float, own_size: bool
) -> None:
    model = known_model(tmp_path / "model")
    card = foveate.load(model).card
    pairs = drawn(tmp_path / "mine", noise=noise)
    shown = np.median([foveate.load(model).segment(image).fov_diameter for image, _ in pairs])
    sizes = [None, *(round(shown * share) for share in (1 / 2, 5 / 8, 3 / 4, 7 / 8, 1, 5 / 4))]
    f1 = {}
    for size in sizes:
        at = tmp_path / str(size)
        at.mkdir()
        (at / model.name).write_bytes(model.read_bytes())
        if size is None:
            preparation = card.preparation
        else:
            preparation = type(card.preparation)(working_minimum=size, working_maximum=size)
        (at / CARD).write_text(structs.replace(card, preparation=preparation).to_json(), encoding="utf-8")
        found = [foveate.load(at / model.name, threads=1).segment(image) for image, _ in pairs]
        probabilities = np.concatenate([each.probabilities[0][each.fov] for each in found])
        truth = np.concatenate([mask[each.fov] for (_, mask), each in zip(pairs, found, strict=True)])
        f1[size] = highest_f1(probabilities, truth)
    best = max(f1, key=lambda size: f1[size])
    assert (best is None) == own_size

    counted: list[tuple[int, int]] = []
    (result,) = foveate.evaluate(
        model,
        data=f"folder:{tmp_path / 'mine'}",
        split="validation",
        boundary=False,
        to_card=True,
        choose_size=True,
        threads=1,
        on_case=lambda _, done, total: counted.append((done, total)),
    )
    changed = json.loads((model.parent / CARD).read_text(encoding="utf-8"))
    given = (card.preparation.working_minimum, card.preparation.working_maximum)
    chosen = (changed["preparation"]["working_minimum"], changed["preparation"]["working_maximum"])
    assert chosen == (given if best is None else (best, best))
    assert changed["validation_f1"] == {"folder": pytest.approx(f1[best], abs=1e-5)}
    assert result.protocol.threshold is not None
    assert result.protocol.threshold.values == tuple(changed["thresholds"])
    assert result.classes["foreground"].fov.pooled.values["f1"] == pytest.approx(f1[best], abs=1e-5)
    assert changed["threshold_from"].endswith(f"best of {len(sizes)} working sizes)")
    assert changed["trust"]["command"].endswith("--split validation --choose-size")
    every = len(pairs) * len(sizes)
    assert counted == [(done, of) for of in (every, len(pairs)) for done in range(1, of + 1)]
