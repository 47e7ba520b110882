"""Whether the first directory of a TIFF file is there in full.

Pillow and tifffile pass over tags that lie beyond the end of a file that was cut short, and then read its
pixels by the defaults of what is missing: as 1-bit, say.
"""

from __future__ import annotations

import struct

from foveate.errors import ImageError

_VALUE_SIZES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | {16: 8, 17: 8, 18: 8}
"""Bytes per value of each field type (TIFF 6.0, section 2; BigTIFF)."""

_FIRST_PRIVATE_TAG = 32768


def check_directory(data: bytes) -> None:
    """Refuse a TIFF or BigTIFF file without all entries and all values of its first directory: ImageError."""
    order, big = ("<" if data.startswith(b"II") else ">"), 43 in data[2:4]
    number, count_form = ("Q", "Q") if big else ("I", "H")
    entry_form = struct.Struct(f"{order}HH{number}{number}")
    try:
        (start,) = struct.unpack_from(order + number, data, 8 if big else 4)
        (count,) = struct.unpack_from(order + count_form, data, start)
        first = start + struct.calcsize(count_form)
        for place in range(first, first + count * entry_form.size, entry_form.size):
            tag, kind, values, offset = entry_form.unpack_from(data, place)
            size = values * _VALUE_SIZES.get(kind, 0)
            outside = size > struct.calcsize(number) and offset + size > len(data)
            if outside and tag < _FIRST_PRIVATE_TAG:
                raise ImageError(f"is cut short: TIFF tag {tag} is missing; copy or export it again")
    except (struct.error, OverflowError) as error:
        raise ImageError("is cut short: its TIFF directory is missing; copy or export it again") from error
