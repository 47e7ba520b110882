"""A fingerprint says what was drawn, by training images alone."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from foveate.datasets import open_set
from foveate.datasets.files import files_of
from foveate.drawn import draw
from foveate.errors import DataError
from foveate.imaging import write_mask, write_rgb
from foveate.planning.fingerprint import LOOKED_AT, Fingerprint, fingerprint
from foveate.planning.plan import draft
from foveate.records import CaseEntry
from foveate.training.data.gather import parts_of

HEIGHT, WIDTH = 60, 80
BARS = {"a": 4, "b": 6, "c": 8, "d": 10, "e": 12}
"""Patient to the thickness, in pixels, of the bar in both of his images."""

CORRUPT = b"no image"


def scan(seed: int, *, grey: bool) -> NDArray[np.uint8]:
    channels = 1 if grey else 3
    noise = np.random.default_rng(seed).integers(60, 200, (HEIGHT, WIDTH, channels), dtype=np.uint8)
    return np.broadcast_to(noise, (HEIGHT, WIDTH, 3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images each of five patients, with a bar across; and a test image that can't be read."""
    rows = [("image", "mask", "group", "split")]
    for number, (patient, width) in enumerate(BARS.items()):
        for side in ("left", "right"):
            mask = np.zeros((HEIGHT, WIDTH), bool)
            mask[20 : 20 + width] = True
            write_rgb(scan(number, grey=False), tmp_path / f"images/{patient}{side}.png")
            write_mask(mask, tmp_path / f"masks/{patient}{side}.png")
            rows.append((f"images/{patient}{side}.png", f"masks/{patient}{side}.png", patient, "train"))
    for part in ("images", "masks"):
        (tmp_path / part / "test.png").write_bytes(CORRUPT)
    rows.append(("images/test.png", "masks/test.png", "z", "test"))
    with (tmp_path / "data.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path / "data.csv"


def mask_of(entry: CaseEntry) -> Path:
    files = files_of(entry)
    assert files is not None
    (mask,) = files.masks.values()
    return mask


def taken(spec: str, *overrides: str) -> Fingerprint:
    data = open_set(spec)
    return fingerprint([data], draft([data.name], len({entry.group for entry in data.split("train")}), overrides))


def test_sizes_shares_thickness_and_groups_are_those_of_the_training_images_and_no_test_image_is_read(
    folder: Path,
) -> None:
    found = taken(f"folder:{folder}")
    data = open_set(f"folder:{folder}")
    learnt, held = parts_of(data, draft(["folder"], len(BARS)))
    widths = [BARS[entry.group] for entry in learnt]
    assert (found.images, found.validation, found.groups) == (len(learnt), len(held), len(BARS))
    assert (found.height, found.width, found.smallest, found.diameter, found.largest) == (HEIGHT, WIDTH, *[WIDTH] * 3)
    assert found.shares == pytest.approx((np.mean(widths) / HEIGHT,))
    assert found.thickness == pytest.approx((np.median(widths) / WIDTH,))
    assert (found.present, found.classes, found.discs) == ((1.0,), ("foreground",), 0.0)
    assert (found.grey, found.colours) == (False, True)
    assert found.seconds > 0


def test_validation_images_are_held_out_by_whole_groups_and_not_looked_at(folder: Path) -> None:
    _, held = parts_of(open_set(f"folder:{folder}"), draft(["folder"], len(BARS), ["training.seed=5"]))
    assert len(held) == 2 * len({entry.group for entry in held})
    for entry in held:
        mask_of(entry).write_bytes(CORRUPT)
    assert taken(f"folder:{folder}", "training.seed=5").images == 2 * len(BARS) - len(held)


def test_a_corrupt_training_image_is_named(folder: Path) -> None:
    for side in ("left", "right"):
        for patient in BARS:
            (folder.parent / f"images/{patient}{side}.png").write_bytes(CORRUPT)
    with pytest.raises(Exception, match=r"(left|right)\.png"):
        taken(f"folder:{folder}")


def test_drawn_eyes_are_photographs_with_a_disc_and_thin_vessels_whose_share_counts_inside_it() -> None:
    found = taken("synthetic:3")
    learnt, _ = parts_of(open_set("synthetic:3"), draft(["synthetic"], 3))
    cases = [entry.load() for entry in learnt]
    shares = [case.masks[0][case.fov].mean() for case in cases if case.fov is not None]
    assert found.shares == pytest.approx((np.mean(shares),))
    assert found.discs == 1
    assert found.diameter < found.width < found.height
    assert 0 < found.thinnest < 0.01


def test_grey_images_are_told_from_colours(tmp_path: Path) -> None:
    for number in range(4):
        write_rgb(scan(number, grey=True), tmp_path / f"images/{number}.png")
        write_mask(np.eye(HEIGHT, WIDTH, dtype=bool), tmp_path / f"masks/{number}.png")
    found = taken(f"folder:{tmp_path}")
    assert (found.grey, found.colours) == (True, False)


def test_no_more_than_some_images_are_read_unless_none_of_them_has_any_foreground(tmp_path: Path) -> None:
    mask = np.zeros((16, 16), bool)
    for number in range(LOOKED_AT + 20):
        write_rgb(np.full((16, 16, 3), number, np.uint8), tmp_path / f"images/{number:03}.png")
        write_mask(mask, tmp_path / f"masks/{number:03}.png")
    with pytest.raises(DataError, match="training masks are empty"):
        taken(f"folder:{tmp_path}")
    data = open_set(f"folder:{tmp_path}")
    learnt, _ = parts_of(data, draft(["folder"], LOOKED_AT + 20))
    order = np.random.default_rng(0).permutation(len(learnt))
    mask[:4] = True
    write_mask(mask, mask_of(learnt[order[-1]]))
    assert taken(f"folder:{tmp_path}").looked_at == len(learnt)
    write_mask(mask, mask_of(learnt[order[0]]))
    assert taken(f"folder:{tmp_path}").looked_at == LOOKED_AT


def test_one_patient_is_too_few(tmp_path: Path) -> None:
    drawn = draw(0, height=150, width=160)
    for side in ("left", "right"):
        write_rgb(drawn.image, tmp_path / f"images/p__{side}.png")
        write_mask(drawn.mask, tmp_path / f"masks/p__{side}.png")
    with pytest.raises(DataError, match="at least two groups"):
        taken(f"folder:{tmp_path}")
