"""Protocol Buffers as bytes: the fields of a message, read without a schema and without a package for it.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5
FIXED = {EIGHT_BYTES: 8, FOUR_BYTES: 4}
LONGEST_VARINT = 10

Value = int | memoryview
"""A number, or the bytes of a text, a message inside, or numbers of a fixed length."""


def fields(content: memoryview) -> Iterator[tuple[int, Value]]:
    """Number and value of each field, in the order of the file. Raises ValueError where it is no message."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        kind = key & 7
        if kind == VARINT:
            number, place = _varint(content, place)
            yield key >> 3, number
            continue
        if kind == LENGTH:
            length, place = _varint(content, place)
        elif kind in FIXED:
            length = FIXED[kind]
        else:
            raise ValueError(f"a field of kind {kind}")
        if length > len(content) - place:
            raise ValueError("it ends too early")
        yield key >> 3, content[place : place + length]
        place += length


def numbers(packed: memoryview) -> Iterator[int]:
    """Signed numbers of 64 bits, one after the other. Raises ValueError where one is cut."""
    place = 0
    while place < len(packed):
        number, place = _varint(packed, place)
        yield signed(number)


def message(*parts: tuple[int, int | bytes | memoryview]) -> bytes:
    """A message of these fields: numbers, and texts or messages inside."""
    written = bytearray()
    for number, value in parts:
        kind = VARINT if isinstance(value, int) else LENGTH
        written += _groups(number << 3 | kind) + _groups(value if isinstance(value, int) else len(value))
        if not isinstance(value, int):
            written += value
    return bytes(written)


def signed(number: int) -> int:
    """The signed number of 64 bits that is stored as this one."""
    return number - 2**64 if number >= 2**63 else number


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the place after it."""
    number = 0
    for shift, byte in enumerate(message[place : place + LONGEST_VARINT]):
        number |= (byte & 127) << 7 * shift
        if byte < 128:
            return number, place + shift + 1
    raise ValueError("it ends in a number")


def _groups(number: int) -> bytes:
    head = bytearray()
    while number > 127:
        head.append(number & 127 | 128)
        number >>= 7
    return bytes((*head, number))
