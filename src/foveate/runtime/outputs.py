"""What a network gave, checked whatever ran it; and what is said where it gave nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foveate.errors import ModelError
from foveate.runtime.memory import limit

OUTSIDE = 1e-3
"""How far rounding may take a probability beyond 0 and 1. ONNX Runtime's sigmoid of a large number is 1.0000001."""

FULL = ("Available memory of", "bad_alloc", "Failed to allocate memory", "not enough memory", "out of memory")
"""What a message has where memory ended: ONNX Runtime's, OpenVINO's, PyTorch's."""


def checked(output: object, batch: NDArray[np.float32], maps: int | None, source: str) -> NDArray[np.float32]:
    """The output, where it is probabilities N×`maps`×H×W of a batch N×C×H×W, within 0 to 1.

    Raises ModelError where it isn't, by more than rounding.
    """
    count, _, height, width = batch.shape
    if not isinstance(output, np.ndarray) or output.dtype != np.float32:
        raise ModelError(f"{source}: its output is {_kind(output)}; float32 is expected.")
    expected = (count, maps, height, width)
    if output.ndim != 4 or any(there not in (None, size) for there, size in zip(expected, output.shape, strict=True)):
        raise ModelError(
            f"{source}: makes {in_words(output.shape)} of an image of {in_words(batch.shape)};"
            f" {in_words(expected)} is expected, a map of the image's size for each class."
        )
    if not output.size:
        return output
    lowest, highest = output.min(), output.max()
    # A NaN is neither.
    if not (lowest >= -OUTSIDE and highest <= 1 + OUTSIDE):
        raise ModelError(
            f"{source}: its output goes from {lowest:.3g} to {highest:.3g}; probabilities, 0 to 1,"
            " are expected. Export it with its sigmoid or softmax."
        )
    return output if lowest >= 0 and highest <= 1 else output.clip(0, 1)


def failed(error: Exception, shape: Sequence[int]) -> str:
    """What is said of an image of that shape on which a network failed."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in FULL):
        return (
            f"needs more memory for an image of {in_words(shape)} than there is ({limit() / 2**30:.1f} GiB at most);"
            " shrink or crop the image, or use a smaller network."
        )
    return f"the network fails on an image of {in_words(shape)} ({one_line(error)})."


def one_line(error: Exception) -> str:
    """What a runtime says, with the names that a stranger gave to the parts of a file made harmless."""
    text = " ".join(str(error).split())
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return shown if len(shown) <= 300 else f"{shown[:300]}…"


def in_words(shape: Sequence[int | None]) -> str:
    """A shape; an axis of any length is a question mark."""
    return "×".join("?" if size is None else str(size) for size in shape) or "a single number"


def _kind(value: object) -> str:
    return str(value.dtype) if isinstance(value, np.ndarray) else type(value).__name__
