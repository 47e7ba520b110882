"""Running a model file. Nothing outside this folder imports onnxruntime or openvino."""

from foveate.runtime.graph import OPERATORS, check_graph
from foveate.runtime.onnx import OnnxSession
from foveate.runtime.opened import chosen, open_session
from foveate.runtime.session import Backend, Device, Execution, Precision, Session, Wish, cores

__all__ = [
    "OPERATORS",
    "Backend",
    "Device",
    "Execution",
    "OnnxSession",
    "Precision",
    "Session",
    "Wish",
    "check_graph",
    "chosen",
    "cores",
    "open_session",
]
