"""The size of a picture by its header, before anything is decoded."""

from __future__ import annotations

import gzip
import io
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from foveate.errors import ImageError
from foveate.imaging import read_photograph, size_of

RGB = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)


def encoded(file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(RGB).save(file, file_format, **options)
    return file.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "GIF", "BMP", "WebP", "PPM"])
def test_it_is_that_of_the_photograph_that_is_read(file_format: str) -> None:
    data = encoded(file_format)
    height, width = read_photograph(data).pixels.shape[:2]
    assert size_of(data) == size_of(gzip.compress(data)) == (width, height) == (31, 20)


def test_it_is_that_of_a_tiff_that_pillow_does_not_open() -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, RGB.astype(np.float32) / 255, photometric="rgb")
    data = file.getvalue()
    assert size_of(data) == read_photograph(data).pixels.shape[1::-1]


def test_it_takes_no_more_than_the_header() -> None:
    cut = encoded("PNG")[:64]
    assert size_of(cut) == (31, 20)
    with pytest.raises(ImageError):
        read_photograph(cut)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"II*\0", b"text", encoded("PNG")[:20]])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        size_of(data)


def test_a_gzipped_file_unpacks_to_no_more_than_it_may() -> None:
    zeros = gzip.compress(bytes(100_000))
    with pytest.raises(ImageError, match="unpacks to more than 50000 bytes"):
        size_of(zeros, 50_000)
