"""What size the compressed pixels of a frame say that they have: a few bytes of theirs may unpack to gigabytes."""

from __future__ import annotations

JPEG_BEGINS = b"\xff\xd8"
JPEG_SIZES = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
"""Markers of frame headers: ISO/IEC 10918-1, table B.1; of JPEG-LS, ISO/IEC 14495-1, C.1.1."""

JPEG_2000_BEGINS = b"\xff\x4f\xff\x51"
"""Start of codestream and size: ISO/IEC 15444-1, annex A.4.1 and A.5.1."""

JP2 = b"\0\0\0\x0cjP  "
"""Of a file around it, which doesn't belong into DICOM, but is decoded: annex I.5.1."""


def stated_size(frame: bytes) -> tuple[int, int] | None:
    """Height and width by the header of a JPEG, JPEG-LS or JPEG 2000 codestream; None where there is none."""
    if frame.startswith(JPEG_BEGINS):
        return _of_jpeg(frame)
    begin = frame.find(JPEG_2000_BEGINS) if frame.startswith(JP2) else 0
    if not frame.startswith(JPEG_2000_BEGINS, max(begin, 0)) or len(frame) < begin + 24:
        return None
    right, bottom, left, top = (int.from_bytes(frame[place : place + 4]) for place in range(begin + 8, begin + 24, 4))
    return bottom - top, right - left


def _of_jpeg(frame: bytes) -> tuple[int, int] | None:
    place = len(JPEG_BEGINS)
    while place + 9 <= len(frame) and frame[place] == 0xFF:
        marker = frame[place + 1]
        if marker in JPEG_SIZES:
            return int.from_bytes(frame[place + 5 : place + 7]), int.from_bytes(frame[place + 7 : place + 9])
        # Fill bytes may come before a marker; a marker's length counts itself.
        place += 1 if marker == 0xFF else 2 + int.from_bytes(frame[place + 2 : place + 4])
    return None
