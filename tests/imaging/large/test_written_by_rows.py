"""Files that are written from top to bottom hold what other readers find in them."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.imaging import encode_labels, overlay
from foveate.imaging.large.drawing import Drawing
from foveate.imaging.large.tiff_file import TILE, TiffFile
from foveate.imaging.overlay import Pen, Style
from foveate.imaging.png_file import Kind, PngFile

HEIGHT, WIDTH = 2 * TILE + 31, TILE + 77
RANDOM = np.random.default_rng(4)
VALUES: dict[Kind, NDArray[Any]] = {
    "grey": RANDOM.integers(0, 256, (HEIGHT, WIDTH), np.uint8),
    "rgb": RANDOM.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8),
    "palette": RANDOM.integers(0, 3, (HEIGHT, WIDTH), np.uint8),
}
NAMES = ("artery", "vein")


def written(form: type[PngFile | TiffFile], kind: Kind, values: NDArray[Any], **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    output = form(file, (HEIGHT, WIDTH), kind, **options)
    for top, bottom in ((0, 1), (1, 300), (300, 301), (301, HEIGHT)):
        output.add(values[top:bottom])
    output.finish()
    file.seek(0)
    return file


@pytest.mark.parametrize("form", [PngFile, TiffFile])
@pytest.mark.parametrize("kind", VALUES)
def test_other_readers_find_the_rows_that_were_added(form: type[PngFile | TiffFile], kind: Kind) -> None:
    values = VALUES[kind]
    file = written(form, kind, values, names=NAMES if kind == "palette" else ())
    np.testing.assert_array_equal(np.asarray(PillowImage.open(file)), values)


@pytest.mark.parametrize("form", [PngFile, TiffFile])
def test_sixteen_bits_are_kept(form: type[PngFile | TiffFile]) -> None:
    values = RANDOM.integers(0, 65536, (HEIGHT, WIDTH), np.uint16)
    np.testing.assert_array_equal(np.asarray(PillowImage.open(written(form, "grey", values, wide=True))), values)


def test_a_tiff_is_a_bigtiff_of_packed_tiles() -> None:
    with tifffile.TiffFile(written(TiffFile, "rgb", VALUES["rgb"])) as file:
        page = file.pages.first
        assert file.is_bigtiff
        assert (page.tilewidth, page.tilelength, page.compression) == (TILE, TILE, 8)
        np.testing.assert_array_equal(page.asarray(), VALUES["rgb"])


def test_a_label_image_has_the_colours_and_the_words_of_one_that_is_written_at_once() -> None:
    numbers = VALUES["palette"]
    at_once = PillowImage.open(io.BytesIO(encode_labels(numbers, NAMES)))
    for form in (PngFile, TiffFile):
        by_rows = PillowImage.open(written(form, "palette", numbers, names=NAMES))
        np.testing.assert_array_equal(np.asarray(by_rows.convert("RGB")), np.asarray(at_once.convert("RGB")))
    assert (
        PillowImage.open(written(PngFile, "palette", numbers, names=NAMES)).info["Classes"] == at_once.info["Classes"]
    )


def test_a_label_image_names_classes_of_any_script() -> None:
    names = ("Gefäß", "血管")
    picture = PillowImage.open(written(PngFile, "palette", VALUES["palette"], names=names))
    assert picture.info["Classes"] == "0 background, 1 Gefäß, 2 血管"


@pytest.mark.parametrize("style", ["outline", "fill"])
def test_a_drawing_by_rows_is_the_overlay(style: Style) -> None:
    height, width = 2300, 2100  # so that a line is two pixels wide, and the field's four
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    masks = np.stack([(rows // 40 + columns // 50) % 5 == 0, (rows + 2 * columns) % 300 < 40])
    fov = (rows - 1150) ** 2 + (columns - 1050) ** 2 < 1100**2
    pen = Pen.of((height, width), style, 0.7)
    assert pen.line > 1
    drawing = Drawing(
        (height, width), lambda top, bottom: image[top:bottom], lambda top, bottom: fov[top:bottom], pen, [0, 1]
    )
    assert masks[0].sum() > masks[1].sum()
    tops = [0, 1, 3, 700, 701, 1900, height]
    pieces = [piece for top, end in pairwise(tops) for piece in drawing.add(masks[:, top:end])]
    np.testing.assert_array_equal(
        np.concatenate(pieces), overlay(image, masks, fov=fov, style=style, opacity=0.7)
    )  # fmt: skip
