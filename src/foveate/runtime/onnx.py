"""A model file as a session of ONNX Runtime's CPU provider."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foveate.errors import ModelError
from foveate.runtime.graph import check_graph
from foveate.runtime.memory import limit, limit_memory
from foveate.runtime.session import Execution
from foveate.runtime.sizes import check_sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIAL = (32, 64)
"""Height and width of the image on which a file is tried before it is called a model."""

OUTSIDE = 1e-3
"""How far rounding may take a probability beyond 0 and 1."""

FULL = ("Available memory of", "bad_alloc", "Failed to allocate memory")
"""What ONNX Runtime's message has where memory ended."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OnnxSession:
    """A `Session`. It pickles: another process opens the same bytes again."""

    model: bytes
    source: str
    channels: int | None
    maps: int | None
    execution: Execution
    call: Callable[[NDArray[np.float32]], Any]

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels N×C×H×W (float32, 0 to 255) to probabilities N×K×H×W (0 to 1).

        Raises ModelError where the file's network fails on them, or gives something else.
        """
        try:
            output = self.call(batch)
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise ModelError(f"{self.source}: {_failure(error, batch.shape)}") from error
        count, _, height, width = batch.shape
        if not isinstance(output, np.ndarray) or output.dtype != np.float32:
            raise ModelError(f"{self.source}: its output is {_kind(output)}; float32 is expected.")
        expected = (count, self.maps, height, width)
        if output.ndim != 4 or any(
            there not in (None, size) for there, size in zip(expected, output.shape, strict=True)
        ):
            raise ModelError(
                f"{self.source}: makes {_sizes(output.shape)} of an image of {_sizes(batch.shape)};"
                f" {_sizes(expected)} is expected, a map of the image's size for each class."
            )
        # A NaN is neither.
        if output.size and not (output.min() >= -OUTSIDE and output.max() <= 1 + OUTSIDE):
            raise ModelError(
                f"{self.source}: its output goes from {output.min():.3g} to {output.max():.3g}; probabilities, 0 to 1,"
                " are expected. Export it with its sigmoid or softmax."
            )
        return output

    def __reduce__(self) -> tuple[Callable[..., OnnxSession], tuple[object, ...]]:
        return _opened, (self.model, self.source, self.channels, self.maps, self.execution)


def open_session(
    model: bytes,
    *,
    source: str,
    channels: int | None = None,
    maps: int | None = None,
    execution: Execution | None = None,
) -> OnnxSession:
    """A model file, ready to run.

    `source` names the model in errors; C and K are `channels` and `maps`, or where these are None what the file has.
    Raises ModelError for bytes that consist of more than `graph` allows, that ONNX
    Runtime can't load, that have other than one input and one output of that kind, or that fail on a small image.
    """
    session = _opened(model, source, channels, maps, execution or Execution())
    if channels is not None:
        session.run(np.full((1, channels, *TRIAL), 128, np.float32))
    return session


def _opened(model: bytes, source: str, channels: int | None, maps: int | None, execution: Execution) -> OnnxSession:
    check_graph(model, source)
    # ONNX Runtime reports its use to its makers, and reads only when it is imported that it must not. Whoever set the
    # variable himself is left his choice.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    limit_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = execution.threads
    # Its log would come between the lines of whoever runs this; what matters is in its exceptions.
    options.log_severity_level = 4
    # A plan of the buffers is kept for every image size that was seen; photographs come in many sizes.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.use_env_allocators", "1")
    once = onnxruntime.RunOptions()
    # Nor are the largest buffers kept for the next image.
    once.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    with _loading(source):
        # What depends on no image is computed with the rest, under the limit of memory.
        runtime = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"], disabled_optimizers=["ConstantFolding"]
        )
    inputs, outputs = runtime.get_inputs(), runtime.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{source}: has {len(inputs)} inputs and {len(outputs)} outputs; one of each is expected.")
    _check_end("input", inputs[0], channels, source)
    _check_end("output", outputs[0], maps, source)
    name = inputs[0].name
    if channels is not None:
        with _loading(source):
            check_sizes(model, source, name, (1, channels, *TRIAL))
    return OnnxSession(
        model, source, channels, maps, execution, lambda batch: runtime.run(None, {name: batch}, once)[0]
    )


@contextmanager
def _loading(source: str) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise ModelError(f"{source}: ONNX Runtime can't load this file ({_one_line(error)}).") from error


def _check_end(which: str, end: Any, planes: int | None, source: str) -> None:
    """Raise ModelError where an input or output can't be N×`planes`×H×W of float32 with any height and width."""
    if end.type != "tensor(float)":
        raise ModelError(f"{source}: its {which} is {end.type}; tensor(float), float32, is expected.")
    if not end.shape and which == "output":  # the file says nothing of it; the trial will
        return
    fixed = [size if isinstance(size, int) else None for size in end.shape]
    fits = len(fixed) == 4 and fixed[0] in (None, 1) and (planes is None or fixed[1] in (None, planes))
    if not fits or (which == "input" and fixed[2:] != [None, None]):
        expected = _sizes((None, planes, None, None))
        raise ModelError(
            f"{source}: its {which} is {_sizes(fixed)}; {expected} is expected, with any height and width, by its card."
        )


def _failure(error: Exception, shape: Sequence[int]) -> str:
    if isinstance(error, MemoryError) or any(words in str(error) for words in FULL):
        return (
            f"needs more memory for an image of {_sizes(shape)} than there is ({limit() / 2**30:.1f} GiB at most);"
            " shrink or crop the image, or use a smaller network."
        )
    return f"the network fails on an image of {_sizes(shape)} ({_one_line(error)})."


def _one_line(error: Exception) -> str:
    """What ONNX Runtime says, with the names that a stranger gave to the parts of a file made harmless."""
    text = " ".join(str(error).split())
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return shown if len(shown) <= 300 else f"{shown[:300]}…"


def _sizes(shape: Sequence[int | None]) -> str:
    return "×".join("?" if size is None else str(size) for size in shape) or "a single number"


def _kind(value: object) -> str:
    return str(value.dtype) if isinstance(value, np.ndarray) else type(value).__name__
