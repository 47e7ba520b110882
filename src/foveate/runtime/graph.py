"""What a model file may consist of, looked up in its bytes before ONNX Runtime sees them.

A model file is a program. One that consists of the operators below computes a map from an image and nothing else: it
holds no graphs within it, so that nothing in it runs without end, and reads no other file.

| bound | value | why |
| --- | --- | --- |
| operators | `OPERATORS`, of ONNX itself | no loops, no code of other makers, nothing drawn by chance |
| nodes | `MOST_NODES` | the largest network here has a thousand |
| weights | inside the file, no more numbers than bytes | what is not in the file would be read from elsewhere |
| what it makes of a small image | `sizes.MOST_NUMBERS` | looked up from the shapes before anything runs |
| fields of the file | `MOST_FIELDS` | looking at them takes a second |
| memory while it runs | `memory.limit()` | a message instead of a machine that stands still |

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import prod

from foveate.errors import ModelError
from foveate.runtime.wire import Value, fields, numbers, signed

# fmt: off
OPERATORS = frozenset({
    "Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Constant",
    "ConstantOfShape", "Conv", "ConvTranspose", "DepthToSpace", "Div", "Elu", "Equal", "Erf", "Exp", "Expand",
    "Flatten", "Floor", "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater",
    "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LayerNormalization",
    "LeakyRelu", "Less", "Log", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mish", "Mod", "Mul", "Neg", "Not", "PRelu",
    "Pad", "Pow", "Range", "Reciprocal", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu",
    "Reshape", "Resize", "ScatterElements", "Selu", "Shape", "Sigmoid", "Slice", "Softmax", "Softplus",
    "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile", "Transpose", "Unsqueeze", "Upsample",
    "Where",
})
# fmt: on
"""What networks that segment consist of; all that `foveate export` writes is among them."""

MOST_NODES = 20_000
MOST_FIELDS = 300_000
MOST_AXES = 8

# Fields of a model, a graph, a node, an attribute and a tensor.
GRAPH, TRAINING, FUNCTIONS = 7, 20, 25
NODE, INITIALIZER, SPARSE_INITIALIZER = 1, 5, 15
OPERATOR, ATTRIBUTE, DOMAIN = 4, 5, 7
TENSOR, SUBGRAPH, TENSORS, SUBGRAPHS, SPARSE, SPARSES = 5, 6, 10, 11, 22, 23
DIMENSIONS, EXTERNAL, PLACE = 1, 13, 14


@dataclass(slots=True)
class _Seen:
    """What was found so far."""

    fields: int = 0
    nodes: int = 0

    def of(self, message: Value) -> Iterator[tuple[int, Value]]:
        """The fields of a message, counted."""
        if isinstance(message, int):
            raise ValueError("a number stands where there should be more")
        for field in fields(message):
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise ValueError(f"more than {MOST_FIELDS} fields")
            yield field


def check_graph(model: bytes, source: str) -> None:
    """Raise ModelError, which begins with `source`, for a file that is no ONNX model or oversteps the table above."""
    seen = _Seen()
    try:
        graphs = 0
        for number, value in seen.of(memoryview(model)):
            if number in (TRAINING, FUNCTIONS):
                raise _RefusedError("holds functions or a training of its own")
            if number == GRAPH:
                graphs += 1
                _check_nodes(value, seen)
        if not graphs:
            raise ValueError("no graph in it")
    except _RefusedError as refused:
        raise ModelError(f"{source}: {refused}. Such a file isn't run; have it exported without.") from None
    except ValueError as error:
        raise ModelError(f"{source}: is no ONNX file, or damaged ({error}). Get or export it again.") from error


class _RefusedError(Exception):
    """What a file holds that none may."""


def _check_nodes(graph: Value, seen: _Seen) -> None:
    for number, value in seen.of(graph):
        if number == SPARSE_INITIALIZER:
            raise _RefusedError("its weights are sparse")
        if number == INITIALIZER:
            _check_tensor(value, seen)
        elif number == NODE:
            seen.nodes += 1
            if seen.nodes > MOST_NODES:
                raise _RefusedError(f"has more than {MOST_NODES} nodes")
            _check_node(value, seen)


def _check_node(node: Value, seen: _Seen) -> None:
    for number, value in seen.of(node):
        if number == OPERATOR and (operator := _text(value)) not in OPERATORS:
            raise _RefusedError(f"has the operator {operator!r}, which is not among those that a model may consist of")
        if number == DOMAIN and (maker := _text(value)) not in ("", "ai.onnx"):
            raise _RefusedError(f"has an operator of {maker!r}, not of ONNX itself")
        if number == ATTRIBUTE:
            _check_attribute(value, seen)


def _check_attribute(attribute: Value, seen: _Seen) -> None:
    for number, value in seen.of(attribute):
        if number in (SUBGRAPH, SUBGRAPHS):
            raise _RefusedError("holds a graph within its graph")
        if number in (SPARSE, SPARSES):
            raise _RefusedError("its weights are sparse")
        if number in (TENSOR, TENSORS):
            _check_tensor(value, seen)


def _check_tensor(tensor: Value, seen: _Seen) -> None:
    dimensions: list[int] = []
    for number, value in seen.of(tensor):
        if number == EXTERNAL or (number == PLACE and value != 0):
            raise _RefusedError("its weights are in another file")
        if number == DIMENSIONS:
            dimensions += _integers(value)
        if len(dimensions) > MOST_AXES:
            raise _RefusedError(f"one of its weights has more than {MOST_AXES} axes")
    elements = prod(dimensions)
    if min(dimensions, default=0) < 0 or elements > _length(tensor):
        raise _RefusedError(f"says that one of its weights has {elements:.2g} numbers, which are not in the file")


def _integers(value: Value) -> list[int]:
    return [signed(value)] if isinstance(value, int) else list(islice(numbers(value), MOST_AXES + 1))


def _length(value: Value) -> int:
    return 0 if isinstance(value, int) else len(value)


def _text(value: Value) -> str:
    """The beginning of a text, enough to know and to name it by."""
    if isinstance(value, int):
        raise ValueError("a number stands where there should be more")
    return bytes(value[:40]).decode("utf-8", "replace")
