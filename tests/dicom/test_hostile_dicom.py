"""Files that claim what isn't there, or more than anyone can hold: one line each, and memory within bounds."""

from __future__ import annotations

import io
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import Decoder
from pydicom.pixels.utils import compress
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from foveate.errors import FoveateError, ImageError
from foveate.imaging import read_photograph
from foveate.imaging.dicom import parse
from foveate.imaging.dicom.parse import MAX_INFLATED
from foveate.inference.source import items_of
from foveate_command import names, segment
from made_dicom import CAPTURE, colours, image, packed, ramp, saved

ROOM = 100 << 20
"""Bytes: what a refusal may take, but for a deflated file up to what those may unpack to."""


def claiming(**elements: Any) -> bytes:
    return packed(image(colours(), CAPTURE, PixelData=colours().tobytes(), **elements))


def run_length_encoded() -> bytes:
    dataset = image(colours(), CAPTURE)
    packed(dataset)
    compress(dataset, RLELossless)
    return packed(dataset, RLELossless)


def nested(depth: int) -> bytes:
    """Sequences of undefined length, one in the other."""
    start = b"\x08\0\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    whole = claiming()
    place = whole.index(b"\x10\0\x10\0PN")
    return whole[:place] + start * depth + whole[place:]


def bomb() -> bytes:
    """Deflated zeros, twice as many as are unpacked."""
    whole = packed(image(ramp()), DeflatedExplicitVRLittleEndian)
    start = 144 + int.from_bytes(whole[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(2 * MAX_INFLATED >> 20)]
    return whole[:start] + b"".join(parts) + packer.flush()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "pixels that are cut short": (lambda: claiming()[:-100], "is cut short"),
    "a header that is cut short": (lambda: claiming()[:300], "without an image"),
    "compressed pixels that are cut short": (lambda: run_length_encoded()[:-4000], "can't be decoded"),
    "compressed pixels of noise": (
        lambda: run_length_encoded()[:-9000] + np.random.default_rng(1).bytes(9000),
        "can't be decoded",
    ),
    "65535 rows and columns": (lambda: claiming(Rows=65535, Columns=65535), "over the limit of 200000000"),
    "no rows": (lambda: claiming(Rows=0), "Rows is 0"),
    "a thousand million frames": (lambda: claiming(NumberOfFrames=10**9), "over the limit of 65536"),
    "frames that aren't there": (lambda: claiming(NumberOfFrames=60000), "is cut short"),
    "a thousand samples": (lambda: claiming(SamplesPerPixel=1000), "1000 samples per pixel"),
    "more bits than there is room for": (lambda: claiming(BitsStored=99), "99 of 8 bits"),
    "deeply nested sequences": (lambda: nested(50_000), "can't be read"),
    "a deflated bomb": (bomb, f"unpacks to more than {MAX_INFLATED} bytes"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line_within_bounds(
    what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, complaint = HOSTILE[what]
    path = tmp_path / "scan.dcm"
    path.write_bytes(make())
    (item,) = items_of([path])
    tracemalloc.start()
    try:
        with pytest.raises(FoveateError) as caught:
            item.read()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert complaint in said
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")
    assert peak < ROOM + (MAX_INFLATED * 9 // 8 if what == "a deflated bomb" else 0)


def test_a_hostile_file_stops_none_of_the_others(tmp_path: Path) -> None:
    for number, what in enumerate(("frames that aren't there", "compressed pixels of noise", "no rows")):
        (tmp_path / f"bad{number}").write_bytes(HOSTILE[what][0]())
    (tmp_path / "good").write_bytes(claiming())
    ran = segment(tmp_path, "-o", tmp_path / "out")
    assert (ran.status, len(ran.errors)) == (1, 3)
    assert "good_mask.png" in names(tmp_path / "out")


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000", "JP2"])
def test_a_codestream_of_another_size_than_the_file_says_is_never_unpacked(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    options = {"no_jp2": kind == "JPEG2000"} if kind != "JPEG" else {}
    PillowImage.new("RGB", (3000, 2000)).save(file, kind.replace("JP2", "JPEG2000"), **options)
    dataset = image(colours(), CAPTURE, PixelData=encapsulate([file.getvalue()]))
    dataset["PixelData"].is_undefined_length = True
    path = tmp_path / "scan.dcm"
    path.write_bytes(packed(dataset, JPEGBaseline8Bit if kind == "JPEG" else JPEG2000Lossless))
    (item,) = items_of([path])
    unpacked: list[object] = []
    monkeypatch.setattr(Decoder, "as_array", lambda *_, **__: unpacked.append(kind))
    with pytest.raises(ImageError, match="pixels are of another size than it says"):
        item.read()
    assert not unpacked


def test_more_elements_than_a_device_writes_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = claiming()
    place = whole.index(b"\x10\0\x10\0PN")
    monkeypatch.setattr(parse, "MAX_HEADER", 1 << 14)  # as many as are read take seconds
    read_photograph(whole)
    with pytest.raises(ImageError, match=f"more than {1 << 14} bytes before its pixels"):
        read_photograph(whole[:place] + b"\x09\0\x10\x10LO\0\0" * (1 << 12) + whole[place:])


def test_a_directory_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(claiming())
    folder = tmp_path / "disc"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "image").write_bytes(claiming())
    places: list[Any] = [["..", "secret"], str(secret), ["link", "secret"], "../secret", "image"]
    records = []
    for place in places:
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", place
        records.append(record)
    directory = Dataset()
    directory.SOPClassUID, directory.SOPInstanceUID = "1.2.840.10008.1.3.10", "1.2.3"
    directory.DirectoryRecordSequence = records
    (folder / "DICOMDIR").write_bytes(packed(directory))
    ran = segment(folder / "DICOMDIR", "-o", tmp_path / "out")
    assert (ran.status, ran.errors) == (0, [])
    assert {name for name in names(tmp_path / "out") if name.endswith("png")} == {"image_mask.png"}


def test_samples_that_do_not_begin_at_the_lowest_bit_are_refused_in_one_line(tmp_path: Path) -> None:
    path = saved(tmp_path / "left.dcm", image(ramp() << 4, BitsStored=12, HighBit=15))
    with pytest.raises(ImageError, match="12 bits a sample end at bit 15"):
        read_photograph(path)
