"""Rows of a TIFF are those of the whole photograph; what can't be is refused in one line."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.errors import ImageError
from foveate.imaging import read_photograph
from foveate.imaging.large.photograph import LargePhotograph, Level, open_tiff
from foveate.imaging.large.rows import Following
from foveate.imaging.large.tiff_layout import NotByRowsError

HEIGHT, WIDTH = 150, 173
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
SMOOTH = np.asarray(PillowImage.fromarray(RGB[::30, ::30]).resize((WIDTH, HEIGHT), PillowImage.Resampling.BICUBIC))
WIDE = RGB.astype(np.uint16) * 16
ALPHA = np.dstack([RGB, np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 256]).astype(np.uint8)


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **({"photometric": "rgb"} | options))
    return file.getvalue()


def by_pillow(image: PillowImage.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "TIFF", **options)
    return file.getvalue()


FORMS: dict[str, Callable[[], bytes]] = {
    "tiles, deflate": lambda: tiff(RGB, tile=(32, 48), compression="zlib"),
    "tiles, not packed, BigTIFF": lambda: tiff(RGB, tile=(64, 64), bigtiff=True),
    "big-endian tiles of 16 bits with a predictor": lambda: tiff(
        WIDE, tile=(32, 32), compression="zlib", predictor=True, byteorder=">"
    ),
    "strips of one row": lambda: tiff(RGB, rowsperstrip=1),
    "one strip, not packed": lambda: tiff(np.tile(RGB, (5, 1, 1)), rowsperstrip=5 * HEIGHT),
    "strips, LZW": lambda: by_pillow(PillowImage.fromarray(SMOOTH), compression="tiff_lzw"),
    "strips, PackBits": lambda: by_pillow(PillowImage.fromarray(RGB), compression="packbits"),
    "JPEG": lambda: by_pillow(PillowImage.fromarray(np.tile(SMOOTH, (4, 1, 1))), compression="jpeg"),
    "palette": lambda: by_pillow(PillowImage.fromarray(RGB).quantize(200), compression="tiff_adobe_deflate"),
    "CMYK": lambda: by_pillow(PillowImage.fromarray(RGB).convert("CMYK"), compression="tiff_lzw"),
    "1 bit, fax": lambda: by_pillow(PillowImage.fromarray(RGB).convert("1"), compression="group4"),
    "white is zero, 16 bits": lambda: tiff(WIDE[..., 0], photometric="miniswhite", rowsperstrip=20),
    "alpha": lambda: tiff(ALPHA, extrasamples=["unassalpha"], tile=(32, 32), compression="zlib"),
    "alpha of 16 bits": lambda: tiff(ALPHA.astype(np.uint16) * 257, extrasamples=["unassalpha"], tile=(32, 32)),
    "floating-point": lambda: tiff(RGB[..., 0] / np.float32(255), photometric="minisblack", rowsperstrip=7),
    "mirrored": lambda: tiff(RGB, rowsperstrip=9, extratags=[(274, 3, 1, 2, True)]),
    "upside down": lambda: tiff(RGB, tile=(32, 32), extratags=[(274, 3, 1, 3, True)]),
}


def in_pieces(large: LargePhotograph, rows: int) -> NDArray[np.uint8]:
    """All of it, `rows` at a time, of which some are asked for twice."""
    with large.open() as source:
        following = Following(source.read, source.height, source.step)
        tops = range(0, large.height, rows)
        pieces = [following.read(max(0, top - 5), min(top + rows, large.height))[min(top, 5) :] for top in tops]
    return np.concatenate(pieces)


@pytest.mark.parametrize("form", FORMS)
def test_rows_and_notes_are_those_of_the_whole_photograph(form: str) -> None:
    data = FORMS[form]()
    whole, large = read_photograph(data), open_tiff(data, "bytes", 10**6)
    assert (large.height, large.width) == whole.pixels.shape[:2]
    assert large.notes == whole.notes
    assert large.sha256 == whole.sha256
    for rows in (29, 64):
        np.testing.assert_array_equal(in_pieces(large, rows), whole.pixels)


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("separately", lambda: tiff(np.moveaxis(WIDE, 2, 0), planarconfig="separate")),
        ("by a quarter", lambda: tiff(RGB, extratags=[(274, 3, 1, 6, True)])),
        ("pages of their own", lambda: tiff(np.moveaxis(RGB, 2, 0), photometric="minisblack", imagej=True,
                                            metadata={"axes": "CYX"})),
        ("too much to unpack", lambda: tiff(np.zeros((6000, 6000, 3), np.uint8), rowsperstrip=6000,
                                            compression="zlib")),
    ],
)  # fmt: skip
def test_what_has_no_rows_of_its_own_is_told_apart_from_what_is_damaged(reason: str, data: Callable[[], bytes]) -> None:
    with pytest.raises(NotByRowsError, match=reason):
        open_tiff(data(), "bytes", 10**8)


def pyramid(path: Path, *, below: bool) -> None:
    """Full size, half and quarter: smaller ones in directories below the first, or after it."""
    sizes = [(4 * HEIGHT, 4 * WIDTH), (2 * HEIGHT, 2 * WIDTH), (HEIGHT, WIDTH)]
    pictures = [np.full((*size, 3), 50 * number, np.uint8) for number, size in enumerate(sizes, start=1)]
    options: dict[str, Any] = {"photometric": "rgb", "tile": (64, 64), "compression": "zlib"}
    with tifffile.TiffWriter(path) as file:
        file.write(pictures[0], subifds=2 if below else 0, **options)
        for picture in pictures[1:]:
            file.write(picture, subfiletype=1, **options)


@pytest.mark.parametrize("below", [True, False], ids=["below", "after"])
def test_of_a_pyramid_the_smallest_level_is_taken_that_is_large_enough(tmp_path: Path, below: bool) -> None:
    pyramid(tmp_path / "pyramid.tif", below=below)
    large = open_tiff(tmp_path / "pyramid.tif", "pyramid.tif", 10**7)
    assert large.notes == ()

    def grey(level: Level) -> int:
        with level.open() as rows:
            return int(rows.read(10, 20).mean())

    levels = {scale: grey(large.at_least(scale)) for scale in (1.0, 0.51, 0.5, 0.26, 0.25, 0.1)}
    assert levels == {1.0: 50, 0.51: 50, 0.5: 100, 0.26: 100, 0.25: 150, 0.1: 150}


def with_tag(data: bytes, tag: int, change: Callable[[list[int]], list[int]]) -> bytes:
    """A little-endian classic TIFF with the whole numbers of one tag changed."""
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        here, kind, values, offset = struct.unpack_from("<HHII", data, place)
        if here == tag:
            letter = {3: "H", 4: "I"}[kind]
            at = offset if values * struct.calcsize(letter) > 4 else place + 8
            changed = change(list(struct.unpack_from(f"<{values}{letter}", data, at)))
            raw = struct.pack(f"<{values}{letter}", *changed)
            return data[:at] + raw + data[at + len(raw) :]
    raise KeyError(tag)


def many_directories(count: int) -> bytes:
    """A chain of empty ones."""
    places = [8 + 6 * number for number in range(1, count)]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(struct.pack("<HI", 0, place) for place in [*places, 0])


def cyclic() -> bytes:
    """A thumbnail whose sub-directory is itself: in the place of its resolution's unit."""
    data = tiff(RGB, subfiletype=1, tile=(32, 32))
    (start,) = struct.unpack_from("<I", data, 4)
    at = data.index(struct.pack("<HHI", 296, 3, 1), start)
    return data[:at] + struct.pack("<HHII", 330, 4, 1, start) + data[at + 12 :]


TILED = tiff(RGB, tile=(32, 48), compression="zlib")
BOMB = tiff(np.zeros((16, 16, 3), np.uint8), tile=(16, 16), compression="zlib")
HOSTILE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "tiles over each other": ("lie over each other", lambda: with_tag(TILED, 324, lambda at: [at[0]] * len(at))),
    "a tile beyond the file": ("cut short", lambda: with_tag(TILED, 324, lambda at: [*at[:-1], 2**32 - 9])),
    "a tile of no bytes": ("cut short", lambda: with_tag(TILED, 325, lambda long: [0, *long[1:]])),
    "a tile with other tiles' bytes": (
        "lie over each other",
        lambda: with_tag(TILED, 325, lambda long: [long[0] + 1, *long[1:]]),
    ),
    "fewer tiles than its size takes": ("lists 20", lambda: with_tag(TILED, 256, lambda _: [500])),
    "tiles of 17 pixels": ("17", lambda: with_tag(TILED, 322, lambda _: [17])),
    "more pixels than it may have": ("over the limit of 1 mega", lambda: with_tag(TILED, 256, lambda _: [60000])),
    "no pixels": ("is 0×150 pixels", lambda: with_tag(TILED, 256, lambda _: [0])),
    "other bytes than pixels": (
        "can't be decoded",
        lambda: with_tag(TILED, 324, lambda at: at).replace(b"\x78", b"\x00"),
    ),
    "a million directories": ("is 0×0 pixels", lambda: many_directories(10**6)),
    "a directory without end": ("is 0×0 pixels", lambda: b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60)),
    "cut off": ("cut short", lambda: TILED[: len(TILED) - 3000]),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_ends_in_one_line(kind: str) -> None:
    words, data = HOSTILE[kind]
    with pytest.raises(ImageError, match=words) as refused:
        open_tiff(data(), "bytes", 10**6)
    assert "\n" not in str(refused.value)


def test_a_directory_that_leads_back_to_itself_is_read_once() -> None:
    data = cyclic()
    assert open_tiff(data, "bytes", 10**6).levels[0].width == WIDTH
    assert len(open_tiff(data, "bytes", 10**6).levels) == 1


def test_a_file_that_claims_more_than_its_bytes_can_hold_is_refused() -> None:
    side = 16 * 60
    tiles = 60 * 60
    bomb = tiff(np.zeros((side, side, 3), np.uint8), tile=(16, 16), compression="zlib")
    assert open_tiff(bomb, "bytes", 10**7).width == side
    smaller = with_tag(with_tag(bomb, 325, lambda _: [1] * tiles), 324, lambda _: list(range(8, 8 + tiles)))
    assert open_tiff(BOMB, "bytes", 10**7).width == 16
    with pytest.raises(ImageError, match="can't be decoded"):
        open_tiff(smaller, "bytes", 10**7)
    with pytest.raises(ImageError, match=r"more than its 4 bytes of them can hold"):
        open_tiff(with_tag(with_tag(with_tag(BOMB, 325, lambda _: [4]), 322, lambda _: [128]), 256, lambda _: [128]),
                  "bytes", 10**7)  # fmt: skip
