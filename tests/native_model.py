"""A model that works at the photograph's own size: a small U-Net with random weights, as a file with its card."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from computed_models import changed
from foveate.models import open_model

CONTEXT = 16
"""Pixels. By hand: convolutions of 3×3, one at full and two at half size before the last two, reach 1 + 2·2 + 2, and
pooling and enlarging another 2 + 2."""

WIDTH = 6


@cache
def native_network() -> bytes:
    """Convolution, pooling, two convolutions, enlarging, joining, two convolutions, sigmoid."""
    random = np.random.default_rng(5)
    weights, nodes = [], []

    def convolution(name: str, into: str, out: str, channels: int, maps: int) -> None:
        kernel = random.normal(0, 1.5 / (3 * channels**0.5), (maps, channels, 3, 3)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"{name}_kernel"))
        nodes.append(helper.make_node("Conv", [into, f"{name}_kernel"], [out], pads=[1, 1, 1, 1]))

    weights.append(numpy_helper.from_array(np.array(1 / 40, np.float32), "contrast"))
    weights.append(numpy_helper.from_array(np.array(128, np.float32), "middle"))
    weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice"))
    nodes.append(helper.make_node("Sub", ["image", "middle"], ["centred"]))
    nodes.append(helper.make_node("Mul", ["centred", "contrast"], ["scaled"]))
    convolution("first", "scaled", "a", 3, WIDTH)
    nodes.append(helper.make_node("Relu", ["a"], ["b"]))
    nodes.append(helper.make_node("MaxPool", ["b"], ["c"], kernel_shape=[2, 2], strides=[2, 2]))
    convolution("second", "c", "d", WIDTH, WIDTH)
    convolution("third", "d", "e", WIDTH, WIDTH)
    nodes.append(helper.make_node("Resize", ["e", "", "twice"], ["f"], mode="linear"))
    nodes.append(helper.make_node("Concat", ["b", "f"], ["g"], axis=1))
    convolution("fourth", "g", "h", 2 * WIDTH, WIDTH)
    convolution("last", "h", "i", WIDTH, 1)
    nodes.append(helper.make_node("Sigmoid", ["i"], ["probability"]))
    graph = helper.make_graph(
        nodes,
        "native",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, (1, 3, "height", "width"))],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, (1, 1, "height", "width"))],
        weights,
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def write_native_model(folder: Path, *, context: int) -> Path:
    """The model in a new folder; its card says that it looks so far, or (0) that it sees every image in one piece."""
    folder.mkdir()
    card = changed(
        open_model("vessels").card,
        name="native",
        file="native.onnx",
        sha256=hashlib.sha256(native_network()).hexdigest(),
        working_minimum=1.0,
        working_maximum=100_000.0,
        context=context,
        thresholds=(0.5,),
        trust=None,
    )
    (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
    (folder / "native.onnx").write_bytes(native_network())
    return folder / "native.onnx"
