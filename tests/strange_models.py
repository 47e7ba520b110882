"""Model files and cards as a stranger could send them, each wrong in one way; what the refusal must name beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from foveate.models import open_model
from foveate.models.card import PREPARATION

FREE = ("height", "width")


def graph(
    *nodes: Any,
    size: tuple[Any, ...] = (1, 3, *FREE),
    out: tuple[Any, ...] | None = (1, 1, *FREE),
    kind: int = TensorProto.FLOAT,
    kind_out: int = TensorProto.FLOAT,
    weights: list[Any] | None = None,
    inputs: tuple[str, ...] = ("image",),
    outputs: tuple[str, ...] = ("probability",),
    opset: int = 17,
) -> onnx.ModelProto:
    """A model of these nodes, from 'image' to 'probability'; by itself the probability is green / 255."""
    kernel = numpy_helper.from_array(np.array([0, 1 / 255, 0], np.float32).reshape(1, 3, 1, 1), "kernel")
    nodes = nodes or (helper.make_node("Conv", ["image", "kernel"], ["probability"]),)
    made = helper.make_graph(
        list(nodes),
        "strange",
        [helper.make_tensor_value_info(name, kind, size) for name in inputs],
        [helper.make_tensor_value_info(name, kind_out, out) for name in outputs],
        [kernel, *(weights or [])],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def then(*nodes: Any, **options: Any) -> onnx.ModelProto:
    """Green / 255 as 'green', and further nodes that make 'probability' of it."""
    return graph(helper.make_node("Conv", ["image", "kernel"], ["green"]), *nodes, **options)


def node(operator: str, inputs: str, output: str = "probability", **attributes: Any) -> Any:
    """A node; `inputs` with spaces between."""
    return helper.make_node(operator, inputs.split(), [output], **attributes)


def whole(name: str, *values: int) -> Any:
    """A constant of whole numbers."""
    return numpy_helper.from_array(np.array(values, np.int64), name)


def external(place: str) -> onnx.ModelProto:
    """The weights in another file."""
    model = graph()
    (kernel,) = model.graph.initializer
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    for key, value in (("location", place), ("offset", "0"), ("length", "12")):
        kernel.external_data.add(key=key, value=value)
    return model


def endless(operator: str) -> onnx.ModelProto:
    """A node that runs a graph of its own: of a Loop 2^62 times."""
    body = helper.make_graph(
        [node("Identity", "c", "d"), node("Add", "x x", "y")],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("d", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    true = numpy_helper.from_array(np.array(True), "true")
    return then(node(operator, "many true green", body=body), weights=[whole("many", 2**62), true])


def without_weights(model: onnx.ModelProto, *dimensions: int) -> onnx.ModelProto:
    """The model with a weight that claims a size without having the numbers."""
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dimensions)
    return model


def doubled(times: int) -> onnx.ModelProto:
    """Green beside itself again and again: each node asks for twice the memory of the last."""
    names = ["green", *(f"twice{number}" for number in range(times))]
    nodes = [node("Concat", f"{name} {name}", after, axis=1) for name, after in pairwise(names)]
    return then(*nodes, node("ReduceMax", names[-1], axes=[1], keepdims=1))


def of_another_maker() -> onnx.ModelProto:
    """An operator outside ONNX itself."""
    return then(helper.make_node("Gelu", ["green"], ["probability"], domain="com.microsoft"))


def two(ends: str) -> onnx.ModelProto:
    """Two inputs or two outputs."""
    if ends == "inputs":
        return graph(node("Conv", "image kernel"), inputs=("image", "other"))
    return graph(
        node("Conv", "image kernel"), node("Identity", "probability", "other"), outputs=("probability", "other")
    )


@dataclass(frozen=True)
class Strange:
    """One way to be wrong."""

    told: str
    """What the line must have in it."""
    card: dict[str, Any] = field(default_factory=dict)
    """Fields that replace those of a card that is right."""
    graph: Callable[[], onnx.ModelProto] = graph
    content: Callable[[bytes], bytes] = bytes
    """What becomes of the file's bytes."""
    text: Callable[[str], str | bytes] = str
    """What becomes of the card's text."""


def named(told: str, *names: str) -> Strange:
    """Classes of these names, that may overlap, so that each is in the name of a file."""
    thresholds = [0.5] * len(names)
    return Strange(told, {"classes": names, "exclusive": False, "thresholds": thresholds})


def card(told: str, **fields: Any) -> Strange:
    """A card with these fields."""
    return Strange(told, fields)


def of(told: str, made: Callable[..., onnx.ModelProto], *values: Any, **options: Any) -> Strange:
    """A graph."""
    return Strange(told, graph=partial(made, *values, **options))


NO_NAME = "a class's name"

KINDS: dict[str, Strange] = {
    "class that climbs out of the folder": named(NO_NAME, "x/../../../escaped", "b"),
    "class that is an absolute path": named(NO_NAME, "/tmp/escaped", "b"),
    "class that is a path of Windows": named(NO_NAME, "..\\escaped", "b"),
    "class with a zero byte": named(NO_NAME, "a\0b", "b"),
    "class without a name": named(NO_NAME, "", "b"),
    "class of 300 letters": named(NO_NAME, "a" * 300, "b"),
    "class that Windows takes for a device": named(NO_NAME, "CON", "b"),
    "class that begins with a dash": named(NO_NAME, "-rf", "b"),
    "class that begins with a dot": named(NO_NAME, ".hidden", "b"),
    "class that drives a terminal": named(NO_NAME, "\x1b[31mred", "b"),
    "class that is a formula": named(NO_NAME, "=1+1", "b"),
    "class called background": named(NO_NAME, "background", "b"),
    "classes that differ in case": named("upper and lower case", "Vein", "vein"),
    "300 classes": named("255", *(f"c{number}" for number in range(300))),
    "file that is a path": card("file", file="../../etc/passwd"),
    "file in another folder": card("file", file="../model.onnx"),
    "file that is absolute": card("file", file="/etc/passwd.onnx"),
    "name with an escape sequence": card("name", name="nice\x1b[2J\x1b[31m"),
    "name of two lines": card("name", name="nice\nfoveate: done"),
    "name that turns its direction": card("name", name="nice\u202egnp"),
    "name without end": card("name", name="n" * 100_000),
    "name of 101 letters": card("name", name="n" * 101),
    "words beside the threshold that drive a terminal": card("threshold_from", threshold_from="\x1b]0;mine\x07"),
    "key that drives a terminal": Strange("no field of a card", {"\x1b[31mkey\n": 1}),
    "threshold NaN": card("thresholds", thresholds=[float("nan")]),
    "threshold infinite": card("thresholds", thresholds=[float("inf")]),
    "two thresholds for one class": card("thresholds", thresholds=[0.4, 0.5]),
    "two classes on a graph with one map": named("?×2×?×?", "artery", "vein"),
    "one class on a graph with two maps": of(
        "?×1×?×?",
        graph,
        node("Slice", "image starts ends axes"),
        out=(1, 2, *FREE),
        weights=[whole("starts", 0), whole("ends", 2), whole("axes", 1)],
    ),
    "working size of 1e9": card("working_minimum", working_minimum=1e9, working_maximum=1e9),
    "working size of 1e300": card("working_minimum", working_minimum=1e300, working_maximum=1e300),
    "working size NaN": card("working_minimum", working_minimum=float("nan")),
    "working size of 0": card("working_minimum", working_minimum=0),
    "working size below 0": card("working_minimum", working_minimum=-5),
    "context of -1": card("context", context=-1),
    "context of 1e6": card("context", context=10**6),
    "working sizes that cross": card("larger than", working_minimum=900, working_maximum=800),
    "clip limit of 1e300": card("clahe", clahe=1e300),
    "clip limit below 0": card("clahe", clahe=-1),
    "clip limit that no histogram keeps": card("clahe", clahe=0.5),
    "trust of 1e308": card("trust", trust={"shift": 1e308, "margin": 1e308, "images": 2, "command": "none"}),
    "more parameters than atoms": card("parameters", parameters=10**40),
    "card nested without end": Strange(
        "recursion", text=lambda text: text.replace('"options": {', '"options": {"a": ' + "[" * 100_000)
    ),
    "card that says a thing twice": Strange("twice", text=lambda text: text.replace("{", '{"sha256": "0", ', 1)),
    "card of 5 MiB": Strange("4 MiB", text=lambda text: text + " " * 5 * 2**20),
    "card that is no UTF-8": Strange("not a model card", text=lambda text: text.encode("utf-16")),
    "card that is a list": Strange("not a model card", text=lambda text: "[]"),
    "nothing for a model": Strange("no ONNX file", content=lambda content: b""),
    "a page for a model": Strange("no ONNX file", content=lambda content: b"<!DOCTYPE html>\n" * 9),
    "a model cut in the middle": Strange("no ONNX file", content=lambda content: content[: len(content) // 2]),
    "a number without end": Strange("no ONNX file", content=lambda content: b"\xff" * 999),
    "bytes that are no fields": Strange("no ONNX file", content=lambda content: b"\x07" * 99),
    "a million empty fields": Strange("fields", content=lambda content: b"\x12\x00" * 10**6),
    "weights from /etc": of("another file", external, "/etc/passwd"),
    "weights from a folder above": of("another file", external, "../../secret"),
    "endless Loop": of("'Loop'", endless, "Loop"),
    "If": of("'If'", endless, "If"),
    "Scan": of("'Scan'", endless, "Scan"),
    "operator of another maker": of("com.microsoft", of_another_maker),
    "operator that is drawn by chance": of("'RandomNormalLike'", then, node("RandomNormalLike", "green")),
    "operator that there isn't": of("'No\\n", then, node("No\nOperator\x1b[31m", "green")),
    "giant ConstantOfShape": of(
        "numbers of an image",
        then,
        node("ConstantOfShape", "shape", "zeros"),
        node("ReduceMax", "zeros", "zero", keepdims=1),
        node("Add", "green zero"),
        weights=[whole("shape", 1, 1, 10**5, 10**5)],
    ),
    "giant ConstantOfShape in a node": of(
        "numbers of an image",
        then,
        node("Constant", "", "shape", value_ints=[1, 1, 10**5, 10**5]),
        node("ConstantOfShape", "shape", "zeros"),
        node("ReduceMax", "zeros", "zero", keepdims=1),
        node("Add", "green zero"),
    ),
    "giant Expand": of(
        "numbers of an image",
        then,
        node("Expand", "green shape", "many"),
        node("ReduceMax", "many", axes=[1], keepdims=1),
        weights=[whole("shape", 1, 10**6, 32, 64)],
    ),
    "giant Resize": of(
        "numbers of an image",
        then,
        helper.make_node("Resize", ["green", "", "", "shape"], ["probability"]),
        weights=[whole("shape", 1, 1, 10**6, 10**6)],
    ),
    "memory that doubles": of("numbers of an image", doubled, 40),
    "weights that are not there": of("not in the file", lambda: without_weights(graph(), 10**9, 3, 1, 1)),
    "weights of a negative size": of("not in the file", lambda: without_weights(graph(), -1, 3, 1, 1)),
    "weights of 10^36 numbers": of("not in the file", lambda: without_weights(graph(), *[10**9] * 4)),
    "two inputs": of("2 inputs", two, "inputs"),
    "two outputs": of("2 outputs", two, "outputs"),
    "rank of 3": of("3×?×?", graph, node("Identity", "image"), size=(3, *FREE), out=(3, *FREE)),
    "one channel": of("1×1×?×?", graph, node("Identity", "image"), size=(1, 1, *FREE)),
    "seven channels": of("1×7×?×?", graph, node("ReduceMax", "image", axes=[1]), size=(1, 7, *FREE)),
    "a fixed size": of("1×3×224×224", graph, size=(1, 3, 224, 224), out=None),
    "an odd fixed size": of("1×3×?×33", graph, size=(1, 3, "height", 33), out=None),
    "batches of 8": of("8×3×?×?", graph, size=(8, 3, *FREE), out=(8, 1, *FREE)),
    "bytes for an input": of(
        "tensor(uint8)",
        graph,
        node("Cast", "image", "float", to=1),
        node("Conv", "float kernel"),
        kind=TensorProto.UINT8,
    ),
    "doubles for an input": of(
        "tensor(double)",
        graph,
        node("Cast", "image", "float", to=1),
        node("Conv", "float kernel"),
        kind=TensorProto.DOUBLE,
    ),
    "doubles for an output": of("tensor(double)", then, node("Cast", "green", to=11), kind_out=TensorProto.DOUBLE),
    "output half as large": of(
        "1×1×16×32", then, node("MaxPool", "green", kernel_shape=[2, 2], strides=[2, 2]), out=None
    ),
    "output of rank 3": of("1×?×?", then, node("Squeeze", "green axes"), out=None, weights=[whole("axes", 1)]),
    "output that is one number": of("a single number", then, node("ReduceMax", "green", keepdims=0), out=()),
    "output beyond 1": of("0 to 1", graph, node("ReduceMax", "image", axes=[1])),
    "output below 0": of("0 to 1", then, node("Neg", "green")),
    "output NaN": of("nan", then, node("Sub", "green green", "zero"), node("Div", "zero zero")),
    "output infinite": of("inf", then, node("Sub", "green green", "zero"), node("Div", "green zero")),
    "a graph that contradicts itself": of(
        "fails", then, node("Reshape", "green shape"), out=None, weights=[whole("shape", 1, 1, 7, 11)]
    ),
    "an input that nothing gives": of("can't load", graph, node("Add", "image nothing")),
    "an opset to come": of("can't load", graph, opset=9999),
}
"""Name to one way of being wrong."""


def write_strange(folder: Path, kind: Strange) -> Path:
    """The model's file and its card, in a folder that is there."""
    content = kind.content(kind.graph().SerializeToString())
    of_shipped = json.loads(open_model("vessels").card.to_json())
    size = {"working_minimum": 1.0, "working_maximum": 2000.0}
    changes = {name: value for name, value in kind.card.items() if name not in PREPARATION}
    preparation = of_shipped["preparation"] | size | {n: v for n, v in kind.card.items() if n in PREPARATION}
    fields = of_shipped | {
        "name": "strange",
        "file": "model.onnx",
        "sha256": hashlib.sha256(content).hexdigest(),
        "preparation": preparation,
        "thresholds": [0.5],
        "trust": None,
    }
    text = kind.text(json.dumps(fields | changes, indent=2))
    (folder / "model.onnx").write_bytes(content)
    (folder / "card.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder / "model.onnx"
