"""Files with one oddity each, against what was put into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.pixels.utils import compress
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from foveate.imaging import read_photograph
from foveate.imaging.dicom import is_dicom
from made_dicom import CAPTURE, FUNDUS, colours, image, packed, ramp

GREY = ramp(largest=255).astype(np.uint8)
WIDE = ramp()
COLOUR = colours()
WINDOW: dict[str, Any] = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 2048, "WindowWidth": 4096}
TWELVE_BITS = np.rint(WIDE / 4095 * 255).astype(np.uint8)
"""12 bits by a window over all of them."""


def grey(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(plane[..., None], 3, axis=2)


def palette() -> dict[str, Any]:
    """A palette of 256 colours with 16 bits: red rises, green falls, blue stays."""
    rise = np.arange(256, dtype=np.uint16) * 257
    found: dict[str, Any] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, table in (("Red", rise), ("Green", rise[::-1]), ("Blue", np.full(256, 65535, np.uint16))):
        found[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        found[f"{name}PaletteColorLookupTableData"] = table.tobytes()
    return found


def table() -> Dataset:
    """A VOI table of 8 bits, as 12-bit images have it: 4096 entries."""
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [4096, 0, 8], (np.arange(4096) // 16).astype("<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    return item


def ybr(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """PS3.3, C.7.6.3.1.2."""
    weights = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    found: NDArray[np.uint8] = np.rint(rgb @ weights.T + [0, 128, 128]).clip(0, 255).astype(np.uint8)
    return found


def compressed(pixels: NDArray[Any], syntax: Any, **elements: Any) -> bytes:
    dataset = image(pixels, **elements)
    packed(dataset)  # which says that it isn't compressed so far
    compress(dataset, syntax, generate_instance_uid=False)
    return packed(dataset, syntax)


ODD: dict[str, tuple[bytes, NDArray[np.uint8]]] = {
    "implicit": (packed(image(WIDE, **WINDOW), ImplicitVRLittleEndian), grey(TWELVE_BITS)),
    "deflated": (packed(image(WIDE, **WINDOW), DeflatedExplicitVRLittleEndian), grey(TWELVE_BITS)),
    "without a preamble": (packed(image(WIDE, **WINDOW), preamble=False), grey(TWELVE_BITS)),
    "without file meta information": (packed(image(WIDE, **WINDOW), meta=False), grey(TWELVE_BITS)),
    "implicit without file meta information": (
        packed(image(WIDE, **WINDOW), ImplicitVRLittleEndian, meta=False),
        grey(TWELVE_BITS),
    ),
    "big endian": (
        packed(image(WIDE, **WINDOW, PixelData=WIDE.byteswap().tobytes()), ExplicitVRBigEndian),
        grey(TWELVE_BITS),
    ),
    "big endian without file meta information": (
        packed(image(WIDE, **WINDOW, PixelData=WIDE.byteswap().tobytes()), ExplicitVRBigEndian, meta=False),
        grey(TWELVE_BITS),
    ),
    "signed": (packed(image(WIDE.astype(np.int16) - 2048, **WINDOW | {"WindowCenter": 0})), grey(TWELVE_BITS)),
    "white is zero": (packed(image(WIDE, **WINDOW, PhotometricInterpretation="MONOCHROME1")), grey(255 - TWELVE_BITS)),
    "text in unused bits": (packed(image(WIDE | 0xF000, **WINDOW)), grey(TWELVE_BITS)),
    "10 bits in 16": (
        packed(image(WIDE >> 2, BitsStored=10, HighBit=9, WindowCenter=512, WindowWidth=1024)),
        grey(np.rint((WIDE >> 2) / 1023 * 255).astype(np.uint8)),
    ),
    "a table of 4096 entries of 8 bits": (
        packed(image(WIDE, BitsStored=12, HighBit=11, VOILUTSequence=[table()])),
        grey((WIDE // 16).astype(np.uint8)),
    ),
    "8 bits": (packed(image(GREY, FUNDUS)), grey(GREY)),
    "1 bit": (
        packed(
            image(
                GREY,
                FUNDUS,
                BitsAllocated=1,
                BitsStored=1,
                HighBit=0,
                PixelData=np.packbits((GREY > 99).ravel(), bitorder="little").tobytes(),
            )
        ),
        grey(np.where(GREY > 99, 255, 0).astype(np.uint8)),
    ),
    "colour": (packed(image(COLOUR, FUNDUS)), COLOUR),
    "colour by planes": (
        packed(image(COLOUR, FUNDUS, PlanarConfiguration=1, PixelData=COLOUR.transpose(2, 0, 1).tobytes())),
        COLOUR,
    ),
    "16-bit colour": (packed(image(COLOUR.astype(np.uint16) * 257, CAPTURE)), COLOUR),
    "a palette": (
        packed(image(GREY, CAPTURE, **palette())),
        np.stack([GREY, 255 - GREY, np.full_like(GREY, 255)], axis=2),
    ),
    "an odd number of bytes": (packed(image(COLOUR[:47, :33], CAPTURE)), COLOUR[:47, :33]),
    "run-length encoded": (compressed(COLOUR, RLELossless, kind=FUNDUS), COLOUR),
    "JPEG 2000 without loss": (compressed(WIDE, JPEG2000Lossless, **WINDOW), grey(TWELVE_BITS)),
    "JPEG-LS": (compressed(WIDE, JPEGLSLossless, **WINDOW), grey(TWELVE_BITS)),
    "no instance, study or series": (
        packed(image(COLOUR, CAPTURE, SeriesInstanceUID=None, StudyInstanceUID=None)),
        COLOUR,
    ),
    "a wrong number of bytes at the end": (packed(image(COLOUR, CAPTURE)) + bytes(100), COLOUR),
}


@pytest.mark.parametrize("oddity", ODD)
def test_a_file_with_an_oddity_shows_what_was_put_into_it(oddity: str, tmp_path: Path) -> None:
    content, expected = ODD[oddity]
    assert is_dicom(content)
    path = tmp_path / "no ending"
    path.write_bytes(content)
    assert np.array_equal(read_photograph(path).pixels, expected)
    assert np.array_equal(read_photograph(content).pixels, expected)


def test_there_are_twenty_oddities_and_more() -> None:
    assert len(ODD) >= 20


def test_colours_by_luma_and_chroma_are_those_that_they_were_made_of_within_their_rounding() -> None:
    content = packed(image(ybr(COLOUR), FUNDUS, PhotometricInterpretation="YBR_FULL"))
    difference = read_photograph(content).pixels.astype(int) - COLOUR
    assert np.abs(difference).max() <= 2  # half a step of each of three, weighted by up to 1.8


def test_a_file_of_other_forms_is_not_taken_for_dicom(tmp_path: Path) -> None:
    for content in (b"", b"\2\0", b"\x08\0\x05\0CS" + bytes(3000), bytes(5000), b"II*\0" + bytes(4000), b"\x89PNG\r\n"):
        assert not is_dicom(content)
