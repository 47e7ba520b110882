"""Every form and class table that a data set takes as truth, given back as a prediction, scores 1."""

from __future__ import annotations

import gzip
import io
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageFilter
from sklearn.metrics import f1_score

from foveate.datasets import open_set
from foveate.errors import DataError
from foveate.evaluation.predictions import PredictionFolder
from foveate.imaging import write_labels

HEIGHT, WIDTH = 48, 64
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
BAR = (ROWS > 12) & (ROWS < 30) & (COLUMNS > 8) & (COLUMNS < 50)
DISC, CUP = (np.hypot(ROWS - 24, COLUMNS - 30) < radius for radius in (18, 8))
CLASSES = (DISC * 1 + CUP * 1).astype(np.uint8)
"""0 background, 1 disc, 2 cup."""

Draw = Callable[[Path], Path]
"""Writes a mask or label image under a name without ending, and says where."""


def pillow(values: NDArray[Any] | PillowImage.Image, ending: str, **options: Any) -> Draw:
    def draw(stem: Path) -> Path:
        path = stem.with_name(stem.name + ending)
        image = values if isinstance(values, PillowImage.Image) else PillowImage.fromarray(values)
        image.save(path, **options)
        return path

    return draw


def palette(indices: NDArray[Any], *colours: tuple[int, int, int]) -> PillowImage.Image:
    image = PillowImage.frombytes("P", (WIDTH, HEIGHT), indices.astype(np.uint8).tobytes())
    image.putpalette(bytes(level for colour in colours for level in colour))
    return image


def gzipped(stem: Path) -> Path:
    file, path = io.BytesIO(), stem.with_name(f"{stem.name}.ppm.gz")
    PillowImage.fromarray(np.uint8(255) * BAR).save(file, "PPM")
    path.write_bytes(gzip.compress(file.getvalue()))
    return path


def float_tiff(stem: Path) -> Path:
    path = stem.with_name(f"{stem.name}.tif")
    tifffile.imwrite(path, BAR.astype(np.float32))
    return path


def own_labels(stem: Path) -> Path:
    """As `foveate segment` writes them for a model whose classes stand in another order."""
    path = stem.with_name(f"{stem.name}.png")
    write_labels(np.choose(CLASSES, [0, 2, 1]).astype(np.uint8), ["cup", "disc"], path)
    return path


GREY = np.uint8(255) * BAR
MASKS: Mapping[str, Draw] = {
    "0 and 255": pillow(GREY, ".png"),
    "0 and 1": pillow(BAR.astype(np.uint8), ".png"),
    "1 bit": pillow(BAR, ".png"),
    "1 bit PBM": pillow(BAR, ".pbm"),
    "1 bit TIFF": pillow(BAR, ".tif", compression="group4"),
    "an ending in capitals": pillow(GREY, ".PNG"),
    "PGM": pillow(GREY, ".pgm"),
    "gzipped PPM": gzipped,
    "BMP": pillow(GREY, ".bmp"),
    "RGB": pillow(np.dstack([GREY] * 3), ".tif"),
    "opaque RGBA": pillow(np.dstack([GREY] * 3 + [np.full_like(GREY, 255)]), ".png"),
    "16 bits": pillow(BAR.astype(np.uint16) * np.uint16(65535), ".png"),
    "0 and 1000": pillow(BAR.astype(np.uint16) * np.uint16(1000), ".png"),
    "floats": float_tiff,
    "GIF with a palette of near greys": pillow(palette(BAR, (4, 2, 4), (252, 254, 252)), ".gif"),
    "palette whose first entry is white": pillow(palette(~BAR, (255, 255, 255), (0, 0, 0)), ".gif"),
    "soft edges": pillow(PillowImage.fromarray(GREY).filter(ImageFilter.GaussianBlur(1)), ".png"),
}

TABLE = "value,name\n1,disc\n2,cup\n"
COLOURS = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)
COLOUR_TABLE = "value,name,colour\n1,disc,#ff0000\n2,cup,#0000ff\n"
LABELS: Mapping[str, tuple[str, Draw]] = {
    "in order": (TABLE, pillow(CLASSES, ".png")),
    "in another order": ("value,name\n2,cup\n1,disc\n", pillow(CLASSES, ".png")),
    "other numbers": ("value,name\n7,disc\n300,cup\n", pillow(np.array([0, 7, 300], np.uint16)[CLASSES], ".png")),
    "two numbers of one class": ("value,name\n3,cup\n1,disc\n2,cup\n", pillow(CLASSES + ((ROWS > 24) & CUP), ".tif")),
    "the background is 255": (
        "value,name\n0,cup\n128,disc\n255,background\n",
        pillow(np.array([255, 128, 0], np.uint8)[CLASSES], ".png"),
    ),
    "palette": (TABLE, pillow(palette(CLASSES, (9, 9, 9), (0, 255, 0), (200, 0, 90)), ".png")),
    "colours": (COLOUR_TABLE, pillow(COLOURS[CLASSES], ".png")),
    "soft edges of colours": (
        COLOUR_TABLE,
        pillow(PillowImage.fromarray(COLOURS[CLASSES]).filter(ImageFilter.GaussianBlur(0.6)), ".png"),
    ),
    "as this program writes them": (TABLE, own_labels),
}


def set_of(folder: Path, draw: Mapping[str, Draw], table: str = "") -> str:
    """Two images, the second with another mask: a mask of each class in a folder of its own, or one file for all."""
    for name in ("a", "b"):
        (folder / "images").mkdir(parents=True, exist_ok=True)
        PillowImage.new("RGB", (WIDTH, HEIGHT), (150, 60, 40)).save(folder / "images" / f"{name}.png")
        for kind, write in draw.items():
            (folder / "masks" / kind).mkdir(parents=True, exist_ok=True)
            write(folder / "masks" / kind / name)
    if table:
        (folder / "classes.csv").write_text(table, encoding="utf-8")
    return f"folder:{folder}"


def scores(spec: str, predictions: Path) -> list[float]:
    """F1 of every class of every image, by scikit-learn."""
    data = open_set(spec)
    predict = PredictionFolder(predictions, data.classes, labels=data.labels)
    found = []
    for entry in data.split("all"):
        case = entry.load()
        assert case.mask.any()
        pairs = zip(case.masks, predict(case).masks, strict=True)
        found += [float(f1_score(truth.ravel(), guess.ravel())) for truth, guess in pairs]
    return found


@pytest.mark.parametrize("form", MASKS)
def test_a_mask_of_any_form_given_back_scores_1(form: str, tmp_path: Path) -> None:
    spec = set_of(tmp_path, {"": MASKS[form]})
    case = open_set(spec).entries[0].load()
    assert np.mean(case.mask != BAR) < (0.01 if form == "soft edges" else 1e-9)  # a blur rounds the corners
    assert scores(spec, tmp_path / "masks") == [1.0, 1.0]


@pytest.mark.parametrize("form", LABELS)
def test_label_images_given_back_score_1_whatever_their_table(form: str, tmp_path: Path) -> None:
    table, draw = LABELS[form]
    spec = set_of(tmp_path, {"": draw}, table)
    data = open_set(spec)
    masks = dict(zip(data.classes.names, data.entries[0].load().masks, strict=True))
    for name, mask in {"disc": DISC & ~CUP, "cup": CUP}.items():
        assert np.mean(masks[name] != mask) < (0.02 if form.startswith("soft") else 1e-9), name
    assert scores(spec, tmp_path / "masks") == [1.0] * 4


def test_masks_of_classes_that_lie_over_each_other_given_back_score_1(tmp_path: Path) -> None:
    cup = palette(CUP, (3, 3, 3), (253, 253, 253))
    spec = set_of(tmp_path / "set", {"disc": pillow(np.uint8(255) * DISC, ".png"), "cup": pillow(cup, ".gif")})
    (tmp_path / "predictions").mkdir()
    for path in (tmp_path / "set" / "masks").glob("*/*"):
        shutil.copyfile(path, tmp_path / "predictions" / f"{path.stem}_{path.parent.name}{path.suffix}")
    assert scores(spec, tmp_path / "predictions") == [1.0] * 4


@pytest.mark.parametrize("name", ["drive_av", "hrf_av"])
def test_labels_of_arteries_and_veins_given_back_score_1(name: str, tmp_path: Path, shared_data: Path) -> None:
    root = shared_data / ("DRIVE" if name == "drive_av" else "HRF")
    data = open_set(f"{name}:{root}")
    case = data.entries[0].load()
    label = next(path for path in case.paths if path.parent.name in ("test", "training", "HRF_AV"))
    shutil.copyfile(label, tmp_path / f"{case.paths[0].stem}.png")
    found = PredictionFolder(tmp_path, data.classes, labels=data.labels)(case)
    np.testing.assert_array_equal(found.masks, case.masks)
    assert case.masks.any(axis=(1, 2)).all()


def test_a_file_of_classes_that_the_set_does_not_have_is_refused(tmp_path: Path) -> None:
    spec = set_of(tmp_path, {"": own_labels}, "value,name\n1,artery\n2,vein\n")
    with pytest.raises(DataError, match="its classes are 0 background, 1 cup, 2 disc, but those here are artery, vein"):
        scores(spec, tmp_path / "masks")
