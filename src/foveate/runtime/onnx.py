"""A model file as a session of ONNX Runtime."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from foveate.errors import ModelError, UsageError
from foveate.runtime.memory import limit_memory
from foveate.runtime.outputs import checked, failed, in_words, one_line
from foveate.runtime.session import NAMES, Device, Execution

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PROVIDERS: dict[Device, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
"""By device. Wheels of ONNX Runtime differ in which of them they have."""


Call = Callable[["NDArray[np.float32]"], Any]


class SharedNetwork:
    """One network for calls from several threads: by `alone`, with all threads of its own, where calls come one after
    the other, and each by what `beside` opens, which has a single thread, where they come together.

    Calls that share threads wait for each other at every operation: two images took half as much processor time again.
    """

    def __init__(self, alone: Call, beside: Callable[[], Call]) -> None:
        self._alone, self._open = alone, beside
        self._beside: Call | None = None
        self._running, self._lock = 0, Lock()
        self._in_company = False
        """Whether the last call came while another ran: then the next will probably be joined by one, too."""

    def __call__(self, batch: NDArray[np.float32]) -> Any:
        """The network's output."""
        with self._lock:
            joins = self._running > 0
            if joins and self._beside is None:
                self._beside = self._open()
            call = self._beside if self._beside is not None and (joins or self._in_company) else self._alone
            self._in_company = joins
            self._running += 1
        try:
            return call(batch)
        finally:
            with self._lock:
                self._running -= 1


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OnnxSession:
    """A `Session`, and what its file says of its ends. It pickles: another process opens the same bytes again."""

    model: bytes
    source: str
    input: str
    """The name of its one input."""
    channels: int | None
    maps: int | None
    execution: Execution
    call: Call

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels N×C×H×W (float32, 0 to 255) to probabilities N×K×H×W (0 to 1).

        Raises ModelError where the file's network fails on them, or gives something else.
        """
        try:
            output = self.call(batch)
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise ModelError(f"{self.source}: {failed(error, batch.shape)}") from error
        return checked(output, batch, self.maps, self.source)

    def __reduce__(self) -> tuple[Callable[..., OnnxSession], tuple[object, ...]]:
        return open_in_onnxruntime, (self.model, self.source, self.channels, self.maps, self.execution)


def open_in_onnxruntime(
    model: bytes, source: str, channels: int | None, maps: int | None, execution: Execution
) -> OnnxSession:
    """A session of a file that `graph` has looked through.

    Raises ModelError for one that ONNX Runtime can't load, or whose input and output are not those of a network from
    C to K maps, and UsageError for a device or precision that it hasn't.
    """
    onnxruntime = _silent_runtime()
    provider = _provider(execution)
    limit_memory()
    once = onnxruntime.RunOptions()
    # What didn't fit into the first piece of memory is not kept for the next image.
    once.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    with loading(source):
        runtime = _loaded(model, provider, execution.threads)
    if runtime.get_providers()[0] != provider:
        raise UsageError(
            f"device {execution.device}: ONNX Runtime has {NAMES[execution.device]}, but can't use it here (are its"
            " libraries installed?). Choose --device cpu, or mend that."
        )
    inputs, outputs = runtime.get_inputs(), runtime.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{source}: has {len(inputs)} inputs and {len(outputs)} outputs; one of each is expected.")
    _check_end("input", inputs[0], channels, source)
    _check_end("output", outputs[0], maps, source)
    name = inputs[0].name

    def call_of(runtime: Any) -> Call:
        return lambda batch: runtime.run(None, {name: batch}, once)[0]

    call = call_of(runtime)
    if execution.device == "cpu" and execution.threads != 1:
        call = SharedNetwork(call, lambda: call_of(_loaded(model, provider, 1)))
    return OnnxSession(model, source, name, channels, maps, execution, call)


def _loaded(model: bytes, provider: str, threads: int) -> Any:
    onnxruntime = _silent_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Its log would come between the lines of whoever runs this; what matters is in its exceptions.
    options.log_severity_level = 4
    # A plan of the buffers is kept for every image size that was seen; photographs come in many sizes.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.use_env_allocators", "1")
    # What depends on no image is computed with the rest, under the limit of memory.
    return onnxruntime.InferenceSession(model, options, providers=[provider], disabled_optimizers=["ConstantFolding"])


def _silent_runtime() -> Any:
    # ONNX Runtime reports its use to its makers, and reads only when it is imported that it must not. Whoever set the
    # variable himself is left his choice.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def devices_of_onnxruntime() -> list[Device]:
    """Those for which the installed ONNX Runtime was built; whether their libraries are here shows when one is used."""
    there = _silent_runtime().get_available_providers()
    return [device for device, provider in PROVIDERS.items() if provider in there]


def _provider(execution: Execution) -> str:
    there = devices_of_onnxruntime()
    if execution.device not in there:
        raise UsageError(
            f"device {execution.device}: the installed ONNX Runtime has no such device. It has: {', '.join(there)}."
        )
    if execution.precision != "f32":
        raise UsageError(
            f"precision {execution.precision}: ONNX Runtime computes in f32 alone. Use --backend openvino or torch."
        )
    return PROVIDERS[execution.device]


@contextmanager
def loading(source: str) -> Iterator[None]:
    """Around the loading of a file: what ONNX Runtime raises becomes ModelError."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise ModelError(f"{source}: ONNX Runtime can't load this file ({one_line(error)}).") from error


def _check_end(which: str, end: Any, planes: int | None, source: str) -> None:
    """Raise ModelError where an input or output can't be N×`planes`×H×W of float32 with any height and width."""
    if end.type != "tensor(float)":
        raise ModelError(f"{source}: its {which} is {end.type}; tensor(float), float32, is expected.")
    if not end.shape and which == "output":  # the file says nothing of it; the trial will
        return
    fixed = [size if isinstance(size, int) else None for size in end.shape]
    fits = len(fixed) == 4 and fixed[0] in (None, 1) and (planes is None or fixed[1] in (None, planes))
    if not fits or (which == "input" and fixed[2:] != [None, None]):
        expected = in_words((None, planes, None, None))
        raise ModelError(
            f"{source}: its {which} is {in_words(fixed)}; {expected} is expected, with any height and width, by its"
            " card."
        )
