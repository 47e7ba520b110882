"""The pages of a TIFF file: whether the first is there in full, and which of them hold the picture.

Pillow and tifffile pass over tags that lie beyond the end of a file that was cut short, and then read its pixels by the
defaults of what is missing: as 1-bit, say. And both begin with the first directory, which may be a thumbnail's.
Composites of ImageJ and OME-TIFF are colour pictures whose channels are pages of one file.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from mmap import mmap

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
_MOST_ENTRIES = 65_535
"""Of a directory: TIFF has no room for more, BigTIFF would have, but no use."""

Content = bytes | mmap
"""All of a file, in memory or not."""


@dataclass(frozen=True, slots=True)
class Field:
    """An entry of a directory: its type, how many values it has, and where these lie."""

    kind: int
    count: int
    place: int


@dataclass(frozen=True, slots=True)
class Form:
    """How the numbers of a file are written."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        """How a place in the file is written."""
        return self.order + ("Q" if self.big else "I")

    @property
    def start(self) -> int:
        """Where the header says where the first directory is."""
        return 8 if self.big else 4


def check_directory(data: bytes) -> None:
    """Refuse a TIFF or BigTIFF file without all entries and all values of its first directory: ImageError."""
    form = form_of(data)
    try:
        (start,) = struct.unpack_from(form.offset, data, form.start)
        for tag, field in fields_of(data, start, form)[0].items():
            outside = field.place + field.count * _VALUE_SIZES.get(field.kind, 0) > len(data)
            if outside and tag < _FIRST_PRIVATE_TAG:
                raise ImageError(f"is cut short: TIFF tag {tag} is missing; copy or export it again")
    except (struct.error, OverflowError) as error:
        raise ImageError("is cut short: its TIFF directory is missing; copy or export it again") from error


def pages_of(data: bytes) -> list[bytes]:
    """The file once for each directory of its chain, with that directory as the first."""
    form = form_of(data)
    return [_beginning_at(data, start, form) for start in chain_of(data, form)]


def without_thumbnail(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The file with the directory of the full picture as the first, where its own first says that it is a smaller
    version of another, which then lies in a directory below it or after it; and a note about that.
    """
    start, notes = full_picture(data)
    return (_beginning_at(data, start, form_of(data)) if notes else data), notes


def full_picture(data: Content) -> tuple[int, tuple[str, ...]]:
    """Where the directory of the full picture is, and a note where that isn't the first; 0 where there is none."""
    form, first = form_of(data), 0
    try:
        first, *others = chain_of(data, form)
        fields = fields_of(data, first, form)[0]
        if not is_reduced(data, fields, form):
            return first, ()
        for start in [*numbers_in(data, fields.get(_SUB_DIRECTORIES), form), *others]:
            candidate = fields_of(data, start, form)[0]
            if not is_reduced(data, candidate, form) and size_of(data, candidate, form) > size_of(data, fields, form):
                width, height = (size_of(data, fields, form)[place] for place in (1, 2))
                return start, (f"its first picture is a thumbnail ({width}×{height}): the full one is read",)
    except (struct.error, OverflowError, ValueError):  # damaged further on: the first is all there is
        pass
    return first, ()


def smaller_pictures(data: Content, start: int) -> list[int]:
    """Where the directories are that may hold smaller versions of the picture at `start`."""
    form = form_of(data)
    try:
        below = numbers_in(data, fields_of(data, start, form)[0].get(_SUB_DIRECTORIES), form)
    except (struct.error, OverflowError):
        below = ()
    found = []
    for other in dict.fromkeys([*below, *chain_of(data, form)]):
        try:
            if other != start and is_reduced(data, fields_of(data, other, form)[0], form):
                found.append(other)
        except (struct.error, OverflowError):  # damaged, and so of no use
            continue
    return found


def form_of(data: Content) -> Form:
    """By the first four bytes."""
    return Form("<" if data[:2] == b"II" else ">", 43 in data[2:4])


def fields_of(data: Content, start: int, form: Form) -> tuple[dict[int, Field], int]:
    """The entries of a directory by tag, and where the next directory is; 0 for none. Raises struct.error."""
    (count,) = struct.unpack_from(form.order + ("Q" if form.big else "H"), data, start)
    if count > _MOST_ENTRIES:
        raise struct.error(f"{count} entries in a directory")
    first = start + (8 if form.big else 2)
    entry = struct.Struct(f"{form.order}HH{form.offset[1:]}{form.offset[1:]}")
    room = struct.calcsize(form.offset)
    fields = {}
    for place in range(first, first + count * entry.size, entry.size):
        tag, kind, values, offset = entry.unpack_from(data, place)
        inside = values * _VALUE_SIZES.get(kind, 0) <= room
        fields[tag] = Field(kind, values, place + entry.size - room if inside else offset)
    end = first + count * entry.size
    (following,) = struct.unpack_from(form.offset, data, end) if end + room <= len(data) else (0,)
    return fields, following


def chain_of(data: Content, form: Form) -> list[int]:
    """Where the directories are, from the first; up to one that can't be read, or was there before."""
    starts: list[int] = []
    try:
        (start,) = struct.unpack_from(form.offset, data, form.start)
        while start and start not in starts and len(starts) < _MOST_DIRECTORIES:
            following = fields_of(data, start, form)[1]
            starts.append(start)
            start = following
    except (struct.error, OverflowError):
        pass
    return starts


def numbers_in(data: Content, field: Field | None, form: Form) -> tuple[int, ...]:
    """The whole numbers of an entry; none where it isn't there, holds no such or too many."""
    if field is None or field.kind not in _WHOLE_NUMBERS or field.count > _MOST_DIRECTORIES:
        return ()
    return struct.unpack_from(f"{form.order}{field.count}{_WHOLE_NUMBERS[field.kind]}", data, field.place)


def is_reduced(data: Content, fields: dict[int, Field], form: Form) -> bool:
    """Whether a directory says that it holds a smaller version of another's picture."""
    new, old = (numbers_in(data, fields.get(tag), form)[:1] for tag in (_NEW_SUBFILE, _OLD_SUBFILE))
    return bool(new and new[0] & _REDUCED) or old == (_OLD_REDUCED,)


def size_of(data: Content, fields: dict[int, Field], form: Form) -> tuple[int, int, int]:
    """Area, width and height."""
    width, height = (sum(numbers_in(data, fields.get(tag), form)[:1]) for tag in (_WIDTH, _HEIGHT))
    return width * height, width, height


def _beginning_at(data: bytes, start: int, form: Form) -> bytes:
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
