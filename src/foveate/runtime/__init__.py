"""Running a model file. Nothing outside this folder imports onnxruntime."""

from foveate.runtime.graph import OPERATORS, check_graph
from foveate.runtime.onnx import OnnxNetwork, open_network

__all__ = ["OPERATORS", "OnnxNetwork", "check_graph", "open_network"]
