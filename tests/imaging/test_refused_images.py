import concurrent.futures
import gzip
import io
import logging
import os
import re
import struct
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.errors import ImageError, UsageError
from foveate.imaging import read_photograph
from foveate.imaging.decoding import formats
from foveate.imaging.decoding.samples import Decoded
from foveate.imaging.decoding.tiff import decode_tiff

RGB = np.random.default_rng(2).integers(0, 256, (40, 52, 3), dtype=np.uint8)


def encoded(values: NDArray[Any], file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(values).save(file, file_format, **options)
    return file.getvalue()


def tiff(values: NDArray[Any], **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, photometric="rgb", **options)
    return file.getvalue()


def animated(file_format: str, **options: Any) -> bytes:
    frames = [np.roll(RGB, step, axis=0) for step in (9, 18)]
    more = [PillowImage.fromarray(frame) for frame in frames]
    return encoded(RGB, file_format, save_all=True, append_images=more, **options)


WIDE = RGB.astype(np.uint16) * 257
SAMPLES = {
    "jpeg": encoded(RGB, "JPEG", quality=90),
    "progressive jpeg": encoded(RGB, "JPEG", progressive=True),
    "png": encoded(RGB, "PNG"),
    "16-bit png": encoded(WIDE[..., 0], "PNG"),
    "gif": encoded(RGB[..., 0], "GIF"),
    "animated gif": animated("GIF"),
    "apng": animated("PNG"),
    "webp": encoded(RGB, "WEBP", lossless=True),
    "animated webp": animated("WEBP"),
    "bmp": encoded(RGB, "BMP"),
    "ppm": encoded(RGB, "PPM"),
    "plain ppm": b"P3 20 20 255\n" + b"17 " * 1200,
    "ppm.gz": gzip.compress(encoded(RGB, "PPM"), mtime=0),
    "tiff": encoded(RGB, "TIFF"),
    "lzw tiff": encoded(RGB, "TIFF", compression="tiff_lzw"),
    "deflate tiff": encoded(RGB, "TIFF", compression="tiff_deflate"),
    "jpeg tiff": encoded(RGB, "TIFF", compression="jpeg"),
    "16-bit tiff": tiff(WIDE, rowsperstrip=8),
    "16-bit deflate tiff": tiff(WIDE, compression="zlib", tile=(16, 16)),
    "planar tiff": tiff(np.moveaxis(WIDE, 2, 0), planarconfig="separate", rowsperstrip=8),
    "planar deflate tiff": tiff(np.moveaxis(WIDE, 2, 0), planarconfig="separate", compression="zlib"),
    "float tiff": tiff((RGB / 255).astype(np.float32), tile=(16, 16)),
}

PRINTED_ABOUT = {"lzw tiff", "deflate tiff", "jpeg tiff", "16-bit deflate tiff"}
"""What the C library libtiff decodes. It prints about damage on the standard error of the process by itself;
to catch that would catch the lines of other threads too."""


def read_or_refuse(data: bytes) -> NDArray[Any] | None:
    """The pixels, or None if it is refused in one line; fails on any other exception and on any warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            photograph = read_photograph(data)
        except ImageError as error:
            complaint = str(error)
        else:
            complaint = ""
    if complaint:
        assert re.fullmatch("bytes: .+", complaint)
        return None
    assert photograph.pixels.dtype == np.uint8
    assert photograph.pixels.ndim == 3
    return photograph.pixels


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_cut_short_is_refused_or_read_to_the_last_pixel(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    data = SAMPLES[name]
    whole = read_or_refuse(data)
    assert whole is not None
    places = np.random.default_rng(11).integers(0, len(data), 60).tolist()
    refused = 0
    for place in places:
        pixels = read_or_refuse(data[:place])
        refused += pixels is None
        # An end mark or a checksum may be missing, but no pixel may be made up.
        assert pixels is None or np.array_equal(pixels, whole), place
    # What comes after the first frame of an animation may be missing, but half of the one there is may not.
    assert refused >= (5 if "animated" in name or name == "apng" else 30)
    assert name in PRINTED_ABOUT or capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize("big", [False, True])
def test_a_tiff_cut_anywhere_in_a_directory_at_its_end_is_refused(big: bool) -> None:
    file = io.BytesIO()
    PillowImage.fromarray(RGB).save(file, "TIFF", compression="tiff_deflate", big_tiff=big)
    data = file.getvalue()
    start = int.from_bytes(data[8:16] if big else data[4:8], "little")
    assert start > len(data) // 2
    assert np.array_equal(read_photograph(data).pixels, RGB)
    for place in range(start, len(data) - 8):
        assert read_or_refuse(data[:place]) is None, place


@pytest.mark.parametrize("name", SAMPLES)
def test_a_corrupt_file_gives_an_image_or_an_image_error_and_nothing_else(
    name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    random = np.random.default_rng(12)
    for trial in range(60):
        data = np.frombuffer(SAMPLES[name], np.uint8).copy()
        # Most damage to the first bytes, where the structure of most formats is.
        reach = len(data) if trial % 3 == 0 else min(400, len(data))
        places = random.integers(0, reach, int(random.integers(1, 6)))
        data[places] = random.integers(0, 256, len(places))
        read_or_refuse(data.tobytes())
    assert name in PRINTED_ABOUT or capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_log_lines_of_other_threads_pass_while_a_file_is_read(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, told = threading.Event(), threading.Event()

    def talkative(data: bytes) -> Decoded:
        logging.getLogger("tifffile").warning("of the decoder")
        reading.set()
        assert told.wait(10)
        return decode_tiff(data)

    monkeypatch.setattr("foveate.imaging.decoding.formats.decode_tiff", talkative)
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        read = threads.submit(read_photograph, SAMPLES["planar tiff"])
        assert reading.wait(10)
        logging.getLogger("tifffile").warning("of the calling program")
        told.set()
        read.result()
    assert [record.message for record in caplog.records] == ["of the calling program"]


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tiff_header(width: int, height: int, bits: int, planar: int) -> bytes:
    tags = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1), (262, 3, 1)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, 100), (284, 3, planar)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def resized(data: bytes, width: int, height: int, form: str) -> bytes:
    """The same file with another width and height in its header, written next to each other as in `form`."""
    sizes = {True: (52, 40), False: (40, 52)}[form[0] != "^"]
    order = form.lstrip("^")
    new = (width, height) if form[0] != "^" else (height, width)
    assert data.count(struct.pack(order, *sizes)) >= 1
    return data.replace(struct.pack(order, *sizes), struct.pack(order, *new), 1)


@pytest.mark.parametrize(
    "data",
    [
        png_header(60_000, 60_000),
        b"P6 60000 60000 255\n" + bytes(100),
        gzip.compress(b"P5 60000 60000 255\n" + bytes(100)),
        resized(SAMPLES["bmp"], 60_000, 60_000, "<ii"),
        resized(SAMPLES["gif"], 60_000, 60_000, "<HH"),
        resized(SAMPLES["jpeg"], 60_000, 60_000, "^>HH"),
        tiff_header(60_000, 60_000, bits=8, planar=1),
        tiff_header(60_000, 60_000, bits=64, planar=1),
    ],
    ids=["png", "ppm", "pgm.gz", "bmp", "gif", "jpeg", "tiff", "64-bit tiff"],
)
def test_a_header_that_claims_too_many_pixels_is_refused_before_decoding(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"^bytes: claims 60000×60000 pixels, .* 200000000; .*$"):
            read_photograph(data)


def test_the_limit_is_on_the_pixels_and_lies_above_the_one_at_which_pillow_warns() -> None:
    with pytest.raises(ImageError, match="claims 200001×1000 pixels"):
        read_photograph(png_header(200_001, 1000))
    # Within the limit: the complaint is about the missing pixels.
    with pytest.raises(ImageError, match="can't be decoded"):
        read_photograph(b"P5 20000 10000 255\n" + bytes(100))


def test_a_gzip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_UNZIPPED", 5000)
    content = b"P5 50 50 255\n" + bytes(2500)
    assert read_photograph(gzip.compress(content)).pixels.shape == (50, 50, 3)
    with pytest.raises(ImageError, match="unpacks to more than 5000 bytes"):
        read_photograph(gzip.compress(content + bytes(2500)))


@pytest.mark.parametrize(("width", "height"), [(15, 300), (300, 15), (1, 1)])
def test_an_image_below_16_pixels_is_refused_in_every_form(width: int, height: int) -> None:
    values = np.zeros((height, width, 3), np.uint8)
    for source in (values, PillowImage.fromarray(values), encoded(values, "PNG"), encoded(values, "TIFF")):
        with pytest.raises(ImageError, match=f"is {width}×{height} pixels; at least 16"):
            read_photograph(source)
    enough = np.zeros((16, 16, 3), np.uint8)
    assert read_photograph(encoded(enough, "PNG")).pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("name", [name for name in SAMPLES if "tiff" in name] + ["planar 8-bit tiff"])
def test_a_tiff_with_more_rows_than_its_strips_hold_is_refused(name: str) -> None:
    planes = np.moveaxis(RGB, 2, 0)
    data = SAMPLES.get(name) or tiff(planes, planarconfig="separate", rowsperstrip=8)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages.first.tags["ImageLength"].valueoffset
    longer = data[:place] + struct.pack("<H", 4000) + data[place + 2 :]
    assert read_or_refuse(longer) is None


def dicom() -> bytes:
    return bytes(128) + b"DICM" + bytes(200)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"Dear colleague, please find attached\n", "not an image of a known format; JPEG, PNG"),
        (b"%PDF-1.7\n%\xe2\xe3", "not an image of a known format"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not an image of a known format"),
        (b"P2P networks are no images", "can't be decoded"),
        (b"BM is short for benchmark", "can't be decoded"),
        (dicom(), "is a DICOM file without an image"),
        (gzip.compress(b"only text", mtime=0), "not an image of a known format"),
        (gzip.compress(b"", mtime=0), "is empty"),
    ],
)
def test_other_content_is_refused_in_one_line_with_the_files_name(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_photograph(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_that_are_no_readable_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path / 'none.png'}: no such file")):
        read_photograph(tmp_path / "none.png")
    with pytest.raises(ImageError, match=re.escape(f"{tmp_path}: is a folder")):
        read_photograph(str(tmp_path))
    for impossible in ("x" * 300 + ".png", "a\0b.png"):
        with pytest.raises((ImageError, UsageError), match=r"; check (its|the) name"):
            read_photograph(tmp_path / impossible)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match="not a regular file"):
        read_photograph(tmp_path / "pipe.png")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(SAMPLES["png"])
    path.chmod(0)
    with pytest.raises(ImageError, match=re.escape(f"{path}: can't be read (Permission denied)")):
        read_photograph(path)


def test_a_read_error_of_the_system_is_passed_on_as_an_image_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(SAMPLES["png"])

    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(ImageError, match=re.escape(f"{path}: can't be read (Permission denied); check")):
        read_photograph(path)


def test_too_little_memory_is_an_image_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(formats, "samples_of", exhausted)
    with pytest.raises(ImageError, match=r"^bytes: needs more memory than there is"):
        read_photograph(SAMPLES["png"])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((20, 20), np.float32),
        np.zeros((20, 20), np.int64),
        np.zeros((20, 20), np.bool_),
        np.zeros((3, 40, 40), np.uint8),
        np.zeros((20, 20, 5), np.uint8),
        np.zeros((20, 20, 0), np.uint8),
        np.zeros((2, 20, 20, 3), np.uint8),
        np.zeros(400, np.uint8),
        np.array("text"),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_other_arrays_are_refused_with_what_was_found_and_what_is_accepted(array: NDArray[Any]) -> None:
    found = f"array: has type {array.dtype} and shape {array.shape}; accepted are uint8 and uint16 with shape"
    with pytest.raises(ImageError, match=re.escape(found)):
        read_photograph(array)


@pytest.mark.parametrize("source", [None, 3, [[1, 2], [3, 4]], bytearray(b"P5")])
def test_what_is_no_form_of_image_is_refused(source: Any) -> None:
    with pytest.raises(ImageError, match=f"^{type(source).__name__}: not an image; give a path"):
        read_photograph(source)


def test_a_closed_pillow_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(SAMPLES["png"])
    image = PillowImage.open(tmp_path / "image.png")
    image.close()
    with pytest.raises(ImageError, match=r"^Pillow image: can't be decoded"):
        read_photograph(image)
