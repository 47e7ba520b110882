"""A model file as a session of OpenVINO, on the processor."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

from foveate.errors import ModelError, UsageError, needs
from foveate.runtime.outputs import checked, failed, one_line
from foveate.runtime.session import NAMES, Execution

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Shape = tuple[int, ...]

OFTEN = 4
"""Images of one size after which a network is compiled for that size alone: then it takes four fifths of the time, and
compiling costs about as much as one and a half images."""

KEPT = 4
"""Sizes that are compiled for at once."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compiled:
    """A network for images of any size, or of one, with requests that are free; a request serves one call at a time."""

    network: Any
    free: SimpleQueue[Any] = field(default_factory=SimpleQueue)

    def __call__(self, batch: NDArray[np.float32]) -> Any:
        """Its output, copied: the request's own memory is written again by the next call."""
        try:
            request = self.free.get_nowait()
        except Empty:
            request = self.network.create_infer_request()
        try:
            return request.infer([batch])[0].copy()
        finally:
            self.free.put(request)


@dataclass(slots=True, eq=False, repr=False)
class Sizes:
    """Of a network, what is compiled: one for any size, and those for sizes that came often."""

    compile: Callable[[Shape | None], Compiled]
    any_size: Compiled
    of_size: OrderedDict[Shape, Compiled] = field(default_factory=OrderedDict)
    seen: Counter[Shape] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def fitting(self, shape: Shape) -> Compiled:
        """What runs a batch of that shape quickest."""
        with self.lock:
            self.seen[shape] += 1
            if shape in self.of_size:
                self.of_size.move_to_end(shape)
            elif self.seen[shape] > OFTEN:
                self.of_size[shape] = self.compile(shape)
                if len(self.of_size) > KEPT:
                    self.of_size.popitem(last=False)
            return self.of_size.get(shape, self.any_size)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpenvinoSession:
    """A `Session`. It pickles: another process compiles the same bytes again."""

    model: bytes
    source: str
    maps: int | None
    execution: Execution
    sizes: Sizes

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels N×C×H×W (float32, 0 to 255) to probabilities N×K×H×W (0 to 1).

        Raises ModelError where the file's network fails on them, or gives something else.
        """
        try:
            output = self.sizes.fitting(batch.shape)(batch)
        except Exception as error:  # OpenVINO raises RuntimeError, and what pybind makes of others
            raise ModelError(f"{self.source}: {failed(error, batch.shape)}") from error
        return checked(output, batch, self.maps, self.source)

    def __reduce__(self) -> tuple[Callable[..., OpenvinoSession], tuple[object, ...]]:
        return open_in_openvino, (self.model, self.source, self.maps, self.execution)


def _core() -> Any:
    """OpenVINO's own, of which a process has one, and keeps it.

    The plugin for the processor gives threads that compile another stack for signals, and frees it when
    the last core goes: Ctrl-C would then end the process by a fault of memory.
    """
    import openvino

    return _kept(openvino.Core)


_kept = cache(lambda make: make())


def has_bf16() -> bool:
    """Whether OpenVINO, which is installed, finds a processor with instructions for bf16."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def open_in_openvino(model: bytes, source: str, maps: int | None, execution: Execution) -> OpenvinoSession:
    """A session of a file that ONNX Runtime has loaded.

    Raises UsageError without the extra `openvino`, for another device than the processor, and for bf16 on a processor
    that has no instructions for it; ModelError for a file that OpenVINO can't compile.
    """
    if execution.device != "cpu":
        raise UsageError(f"device {execution.device}: --backend openvino runs on the processor (cpu) alone.")
    with needs("openvino", "--backend openvino"):
        core = _core()
    if execution.precision == "bf16" and not has_bf16():
        raise UsageError("precision bf16: this processor has no instructions for it. Use f32, or auto.")
    settings = {
        # By itself it would take bf16 where the processor has it.
        "INFERENCE_PRECISION_HINT": execution.precision,
        "INFERENCE_NUM_THREADS": execution.threads,
        # One stream of work for all calls: with one for each, the images of a folder took a tenth longer.
        "PERFORMANCE_HINT": "LATENCY",
        # Threads that are bound to cores wait for whatever else is bound there.
        "ENABLE_CPU_PINNING": False,
    }
    try:
        network = core.read_model(model)

        def compiled(shape: Shape | None) -> Compiled:
            own = network
            if shape is not None:
                own = network.clone()
                own.reshape(list(shape))
            return Compiled(core.compile_model(own, "CPU", settings))

        return OpenvinoSession(model, source, maps, execution, Sizes(compiled, compiled(None)))
    except Exception as error:  # as above
        raise ModelError(f"{source}: {NAMES['openvino']} can't compile this file ({one_line(error)}).") from error
