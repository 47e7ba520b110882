"""The pages of a TIFF file: whether the first is there in full, and which of them hold the picture.

Pillow and tifffile pass over tags that lie beyond the end of a file that was cut short, and then read its pixels by the
defaults of what is missing: as 1-bit, say. And both begin with the first directory, which may be a thumbnail's.
Composites of ImageJ and OME-TIFF are colour pictures whose channels are pages of one file.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from foveate.errors import ImageError

_VALUE_SIZES = dict(enumerate((1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4), start=1)) | {16: 8, 17: 8, 18: 8}
"""Bytes per value of each field type (TIFF 6.0, section 2; BigTIFF)."""
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""Field types of numbers without a sign."""

_FIRST_PRIVATE_TAG = 32768
_NEW_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _SUB_DIRECTORIES = 254, 255, 256, 257, 330
_REDUCED, _OLD_REDUCED = 1, 2
"""A bit of the one tag, a value of the other, that mean a smaller version of another picture."""
_MOST_DIRECTORIES = 1000


@dataclass(frozen=True, slots=True)
class _Field:
    """An entry of a directory: its type, how many values it has, and where these lie."""

    kind: int
    count: int
    place: int


@dataclass(frozen=True, slots=True)
class _Form:
    """How the numbers of a file are written."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def start(self) -> int:
        """Where the header says where the first directory is."""
        return 8 if self.big else 4


def check_directory(data: bytes) -> None:
    """Refuse a TIFF or BigTIFF file without all entries and all values of its first directory: ImageError."""
    form = _form_of(data)
    try:
        (start,) = struct.unpack_from(form.offset, data, form.start)
        for tag, field in _fields(data, start, form)[0].items():
            outside = field.place + field.count * _VALUE_SIZES.get(field.kind, 0) > len(data)
            if outside and tag < _FIRST_PRIVATE_TAG:
                raise ImageError(f"is cut short: TIFF tag {tag} is missing; copy or export it again")
    except (struct.error, OverflowError) as error:
        raise ImageError("is cut short: its TIFF directory is missing; copy or export it again") from error


def pages_of(data: bytes) -> list[bytes]:
    """The file once for each directory of its chain, with that directory as the first."""
    form = _form_of(data)
    return [_beginning_at(data, start, form) for start in _chain(data, form)]


def without_thumbnail(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The file with the directory of the full picture as the first, where its own first says that it is a smaller
    version of another, which then lies in a directory below it or after it; and a note about that.
    """
    form = _form_of(data)
    try:
        first, *others = _chain(data, form)
        fields = _fields(data, first, form)[0]
        if not _is_reduced(data, fields, form):
            return data, ()
        for start in [*_numbers(data, fields.get(_SUB_DIRECTORIES), form), *others]:
            candidate = _fields(data, start, form)[0]
            if not _is_reduced(data, candidate, form) and _size(data, candidate, form) > _size(data, fields, form):
                width, height = (_size(data, fields, form)[place] for place in (1, 2))
                note = f"its first picture is a thumbnail ({width}×{height}): the full one is read"
                return _beginning_at(data, start, form), (note,)
    except (struct.error, OverflowError, ValueError):  # damaged further on: the first is all there is
        pass
    return data, ()


def _form_of(data: bytes) -> _Form:
    return _Form("<" if data.startswith(b"II") else ">", 43 in data[2:4])


def _fields(data: bytes, start: int, form: _Form) -> tuple[dict[int, _Field], int]:
    """The entries of a directory by tag, and where the next directory is; 0 for none. Raises struct.error."""
    (count,) = struct.unpack_from(form.order + ("Q" if form.big else "H"), data, start)
    first = start + (8 if form.big else 2)
    entry = struct.Struct(f"{form.order}HH{form.offset[1:]}{form.offset[1:]}")
    room = struct.calcsize(form.offset)
    fields = {}
    for place in range(first, first + count * entry.size, entry.size):
        tag, kind, values, offset = entry.unpack_from(data, place)
        inside = values * _VALUE_SIZES.get(kind, 0) <= room
        fields[tag] = _Field(kind, values, place + entry.size - room if inside else offset)
    end = first + count * entry.size
    (following,) = struct.unpack_from(form.offset, data, end) if end + room <= len(data) else (0,)
    return fields, following


def _chain(data: bytes, form: _Form) -> list[int]:
    """Where the directories are, from the first; up to one that can't be read, or was there before."""
    starts: list[int] = []
    try:
        (start,) = struct.unpack_from(form.offset, data, form.start)
        while start and start not in starts and len(starts) < _MOST_DIRECTORIES:
            following = _fields(data, start, form)[1]
            starts.append(start)
            start = following
    except (struct.error, OverflowError):
        pass
    return starts


def _numbers(data: bytes, field: _Field | None, form: _Form) -> tuple[int, ...]:
    if field is None or field.kind not in _WHOLE_NUMBERS or field.count > _MOST_DIRECTORIES:
        return ()
    return struct.unpack_from(f"{form.order}{field.count}{_WHOLE_NUMBERS[field.kind]}", data, field.place)


def _is_reduced(data: bytes, fields: dict[int, _Field], form: _Form) -> bool:
    new, old = (_numbers(data, fields.get(tag), form)[:1] for tag in (_NEW_SUBFILE, _OLD_SUBFILE))
    return bool(new and new[0] & _REDUCED) or old == (_OLD_REDUCED,)


def _size(data: bytes, fields: dict[int, _Field], form: _Form) -> tuple[int, int, int]:
    """Area, width and height."""
    width, height = (sum(_numbers(data, fields.get(tag), form)[:1]) for tag in (_WIDTH, _HEIGHT))
    return width * height, width, height


def _beginning_at(data: bytes, start: int, form: _Form) -> bytes:
    pointer = struct.pack(form.offset, start)
    return data[: form.start] + pointer + data[form.start + len(pointer) :]


@dataclass(frozen=True, slots=True)
class Composite:
    """How many pages of each kind a description claims."""

    channels: int
    others: int
    """Depths times times."""


def composite_of(description: object, samples_per_pixel: int) -> Composite | None:
    """What a TIFF's ImageDescription says of its pages; None where they are not channels of one picture."""
    text = description if isinstance(description, str) else ""
    if samples_per_pixel != 1:
        return None
    if text.startswith("ImageJ="):
        sizes = [_count(rf"^{axis}=(\d+)", text) for axis in ("channels", "slices", "frames")]
    elif "<OME" in text:
        sizes = [_count(rf'\bSize{axis}="(\d+)"', text) for axis in "CZT"]
    else:
        return None
    composite = Composite(sizes[0], sizes[1] * sizes[2])
    return composite if composite.channels > 1 else None


def check_composite(composite: Composite, pages: int) -> None:
    """Refuse what isn't red, green and blue of one picture in a page each: ImageError says how to save it."""
    if composite != Composite(3, 1) or pages != composite.channels:
        stack = f" in {composite.others} depths or times" if composite.others > 1 else ""
        raise ImageError(
            f"is a composite of {composite.channels} channels{stack}, each a picture of its own, of which only red,"
            " green and blue of one picture are read; save it as RGB (in ImageJ: Image > Type > RGB Color)"
        )


def _count(pattern: str, text: str) -> int:
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1][:9]) if match else 1
