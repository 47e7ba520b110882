"""A model file as a function from array to array, on ONNX Runtime's CPU provider."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from foveate.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def open_network(
    model: bytes, *, source: str, threads: int = 0
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """A function from RGB pixels N×3×H×W (float32, 0 to 255) to probabilities N×K×H×W (0 to 1).

    `source` names the model in errors; `threads` of 0 takes one per core. Raises ModelError for bytes that
    ONNX Runtime can't load, or that have other than one input and one output.
    """
    # ONNX Runtime reports its use to its makers, and reads only when it is imported that it must not. Whoever set the
    # variable himself is left his choice.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    # ONNX Runtime's exceptions share no base of their own.
    refused = (
        *(state.Fail, state.InvalidArgument, state.InvalidGraph),
        *(state.InvalidProtobuf, state.NotImplemented, state.RuntimeException),
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # The arena keeps the largest buffers of every image size it has seen; photographs come in many sizes.
    options.enable_cpu_mem_arena = False
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except refused as error:
        raise ModelError(f"{source}: ONNX Runtime can't load this file ({error}).") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{source}: has {len(inputs)} inputs and {len(outputs)} outputs; one of each is expected.")
    input_name = inputs[0].name

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return cast("NDArray[np.float32]", session.run(None, {input_name: batch})[0])

    return run
