"""A model whose answer is known: the probability of a pixel is its green value / 255."""

import hashlib
import struct
from importlib.resources import files
from pathlib import Path

from computed_models import changed
from foveate.models import ModelCard

LEAST_GREEN = 90
THRESHOLD = (LEAST_GREEN - 0.5) / 255
"""Between two green values, so that rounding decides nothing: foreground is green >= LEAST_GREEN."""


def write_green_model(folder: Path, maps: int = 1) -> Path:
    """The model with its card, in a folder that is there; photographs keep their size up to 2000 pixels.

    Its `maps` are all the same, one for each class that is written into the card.
    """
    content = _onnx(maps)
    shipped = files("foveate.models") / "vessels" / "card.json"
    card = changed(
        ModelCard.parse(shipped.read_bytes(), "vessels"),
        name="green",
        file="green.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        working_minimum=1.0,
        working_maximum=2000.0,
        context=0,
        thresholds=(THRESHOLD,),
        threshold_from="nothing at all",
        trust=None,
    )
    (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
    (folder / "green.onnx").write_bytes(content)
    return folder / "green.onnx"


def _onnx(maps: int) -> bytes:
    """One 1×1 convolution, written by hand so that the tests need no package for it (field numbers: onnx.proto)."""
    weights = struct.pack("<3f", 0, 1 / 255, 0) * maps
    dims = b"".join(_field(1, size) for size in (maps, 3, 1, 1))
    kernel = dims + _field(2, 1) + _field(8, b"kernel") + _field(9, weights)
    node = _field(1, b"image") + _field(1, b"kernel") + _field(2, b"probability") + _field(4, b"Conv")
    graph = (
        _field(1, node)
        + _field(2, b"green")
        + _field(5, kernel)
        + _field(11, _float_map(b"image", 3))
        + _field(12, _float_map(b"probability", maps))
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 17))


def _float_map(name: bytes, channels: int) -> bytes:
    sizes = (_field(1, 1), _field(1, channels), _field(2, b"height"), _field(2, b"width"))
    shape = b"".join(_field(1, size) for size in sizes)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])
