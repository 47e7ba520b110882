"""Whether bytes are a DICOM file: by content, with or without preamble and file meta information."""

from __future__ import annotations

import importlib.util
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 4096
"""Bytes from a file's start that are looked at."""

_PREAMBLE = 128
_ELEMENTS = 4
"""Without a preamble so many elements must follow one another in order."""

_FIRST_GROUPS = (0x0002, 0x0008)
"""A data set begins with one of these."""

_LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
_SHORT = (
    *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO"),
    *(b"LT", b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
)
"""Value representations with 32 and with 16 bits of length (PS3.5, 7.1.2)."""

_UNDEFINED = 0xFFFFFFFF


def is_installed() -> bool:
    """Whether the extra `dicom` is there."""
    return importlib.util.find_spec("pydicom") is not None


def is_dicom_file(path: Path) -> bool:
    """`is_dicom` for a file; False where it can't be read, which reading then reports."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return is_dicom(file.read(HEAD))
    except (OSError, ValueError):
        return False


def is_dicom(head: bytes) -> bool:
    """Whether the bytes, or the first `HEAD` of them, begin a DICOM file.

    That is the prefix after the preamble; or, as devices and networks may leave both away, elements of the first groups
    that follow one another by tag, with value representations and lengths that elements have.
    """
    if head[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    return any(_is_chain(head[:HEAD], order) for order in "<>")


def _is_chain(head: bytes, order: str) -> bool:
    """Whether elements follow one another from the start, up to the end of what is looked at."""
    place, last = 0, (0, -1)
    for number in range(_ELEMENTS):
        if place + 8 > len(head):
            return number > 1 and place > len(head)  # a value that reaches beyond, after elements that did not
        group, element = struct.unpack_from(f"{order}HH", head, place)
        length, value = _length(head, place, order)
        if length is None or (group, element) <= last or (not number and group not in _FIRST_GROUPS):
            return False
        last, place = (group, element), value + (0 if length == _UNDEFINED else length)
        if length == _UNDEFINED:
            return number > 1
    return True


def _length(head: bytes, place: int, order: str) -> tuple[int | None, int]:
    """The length of an element's value and where that begins; None for what is no element."""
    kind = head[place + 4 : place + 6]
    if kind in _SHORT:
        return struct.unpack_from(f"{order}H", head, place + 6)[0], place + 8
    if kind in _LONG and place + 12 <= len(head):
        return struct.unpack_from(f"{order}I", head, place + 8)[0], place + 12
    length: int = struct.unpack_from("<I", head, place + 4)[0]  # implicit, which is little endian
    plausible = order == "<" and (length == _UNDEFINED or length < 1 << 20) and length % 2 == 0
    return (length, place + 8) if plausible or length == _UNDEFINED else (None, place)
