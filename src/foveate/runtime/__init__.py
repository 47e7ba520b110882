"""Running a model file. Nothing outside this folder imports onnxruntime."""

from foveate.runtime.onnx import open_network

__all__ = ["open_network"]
