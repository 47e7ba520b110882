"""Which of a TIFF file's pictures is read: thumbnails, and composites whose channels are pages."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from foveate.errors import ImageError
from foveate.imaging import read_photograph

RGB = np.random.default_rng(1).integers(0, 256, (64, 80, 3)).astype(np.uint8)
THUMBNAIL = np.ascontiguousarray(RGB[::2, ::2])
NOTE = "its first picture is a thumbnail (40×32): the full one is read"


def with_thumbnail(full: NDArray[Any], *, below: bool, big: bool = False, old_tag: bool = False) -> bytes:
    """The full picture in a directory below the thumbnail's, or on the second page."""
    mark: dict[str, Any] = {"extratags": [(255, "H", 1, 2, True)]} if old_tag else {"subfiletype": 1}
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=big) as writer:
        writer.write(THUMBNAIL, photometric="rgb", metadata=None, subifds=1 if below else 0, **mark)
        writer.write(full, photometric="rgb", metadata=None, compression="zlib")
    return file.getvalue()


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("below", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_full_picture_is_read_where_a_thumbnail_comes_first(below: bool, big: bool, dtype: Any) -> None:
    full = RGB.astype(dtype) * dtype(257 if dtype == np.uint16 else 1)
    photograph = read_photograph(with_thumbnail(full, below=below, big=big))
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.notes == (NOTE,)


def test_the_older_mark_of_a_thumbnail_counts_too() -> None:
    photograph = read_photograph(with_thumbnail(RGB, below=False, old_tag=True))
    np.testing.assert_array_equal(photograph.pixels, RGB)


def test_a_first_page_without_a_mark_is_the_picture_and_so_is_a_lone_thumbnail() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(RGB, photometric="rgb", metadata=None, subifds=1)
        writer.write(THUMBNAIL, photometric="rgb", metadata=None, subfiletype=1)
    photograph = read_photograph(file.getvalue())
    np.testing.assert_array_equal(photograph.pixels, RGB)
    assert photograph.notes == ()
    alone = io.BytesIO()
    tifffile.imwrite(alone, THUMBNAIL, photometric="rgb", metadata=None, subfiletype=1)
    np.testing.assert_array_equal(read_photograph(alone.getvalue()).pixels, THUMBNAIL)


@pytest.mark.parametrize("place", range(8, 400, 7))
def test_a_file_with_a_thumbnail_that_is_damaged_gives_a_picture_or_one_line(place: int) -> None:
    data = bytearray(with_thumbnail(RGB, below=True))
    data[place : place + 3] = b"\xff\xff\xff"
    try:
        read_photograph(bytes(data))
    except ImageError as error:
        assert "\n" not in str(error)  # noqa: PT017


def composite(channels: int, *, kind: str, dtype: Any = np.uint8, slices: int = 1) -> tuple[bytes, NDArray[Any]]:
    """A file of ImageJ or OME with a page for each channel, and its planes."""
    shape = (slices, channels, 64, 80) if slices > 1 else (channels, 64, 80)
    planes = np.random.default_rng(channels).integers(0, 256, shape).astype(dtype)
    file, axes = io.BytesIO(), "ZCYX" if slices > 1 else "CYX"
    if kind == "ImageJ":
        tifffile.imwrite(file, planes, imagej=True, metadata={"axes": axes, "mode": "composite"})
    else:
        tifffile.imwrite(file, planes, ome=True, photometric="minisblack", metadata={"axes": axes})
    return file.getvalue(), planes


every_kind = pytest.mark.parametrize("kind", ["ImageJ", "OME"])


@every_kind
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_three_channels_of_a_composite_are_red_green_and_blue(kind: str, dtype: Any) -> None:
    data, planes = composite(3, kind=kind, dtype=dtype)
    photograph = read_photograph(data)
    np.testing.assert_array_equal(photograph.pixels, np.moveaxis(planes, 0, -1))  # values of 8 bits in either
    assert photograph.notes[0] == "3 pages, the channels of a composite: read as red, green and blue"


@every_kind
@pytest.mark.parametrize(("channels", "slices"), [(2, 1), (4, 1), (3, 2)])
def test_other_composites_are_refused_with_what_to_do(kind: str, channels: int, slices: int) -> None:
    data, _ = composite(channels, kind=kind, slices=slices)
    with pytest.raises(ImageError, match=rf"composite of {channels} channels.*save it as RGB"):
        read_photograph(data)


@every_kind
def test_pages_that_are_no_channels_are_read_as_before(kind: str) -> None:
    planes, file = np.random.default_rng(2).integers(0, 256, (3, 64, 80)).astype(np.uint8), io.BytesIO()
    if kind == "ImageJ":
        tifffile.imwrite(file, planes, imagej=True, metadata={"axes": "ZYX"})
    else:
        tifffile.imwrite(file, planes, ome=True, photometric="minisblack", metadata={"axes": "ZYX"})
    photograph = read_photograph(file.getvalue())
    np.testing.assert_array_equal(photograph.pixels[..., 0], planes[0])
    assert photograph.notes == ("first of 3 pages",)


def test_webp_inside_a_tiff_is_refused_for_what_it_is_and_nothing_else_is_printed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    file = io.BytesIO()
    tifffile.imwrite(file, RGB, photometric="rgb", compression="zlib", metadata=None)
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as opened:
        place = opened.pages.first.tags["Compression"].valueoffset
    data[place : place + 2] = struct.pack("<H", 50001)
    with pytest.raises(ImageError, match="holds WebP, which isn't read; save it as PNG"):
        read_photograph(bytes(data))
    assert capfd.readouterr() == ("", "")
