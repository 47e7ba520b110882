"""Running a model file. Nothing outside this folder imports onnxruntime."""

from foveate.runtime.graph import OPERATORS, check_graph
from foveate.runtime.onnx import OnnxSession, open_session
from foveate.runtime.session import Execution, Session

__all__ = ["OPERATORS", "Execution", "OnnxSession", "Session", "check_graph", "open_session"]
