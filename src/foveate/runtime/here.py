"""What this machine and this environment can run a model file by."""

from __future__ import annotations

from importlib.util import find_spec

from foveate.runtime.onnx import devices_of_onnxruntime
from foveate.runtime.openvino import has_bf16
from foveate.runtime.session import Execution


def executions_here() -> list[Execution]:
    """Every way to run a model file that can be had, the processor's first."""
    found = [Execution(device=device) for device in devices_of_onnxruntime()]
    if find_spec("openvino"):
        found.append(Execution("openvino"))
        if has_bf16():
            found.append(Execution("openvino", precision="bf16"))
    return found
