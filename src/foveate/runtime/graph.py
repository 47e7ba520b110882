"""What a model file may consist of, looked up in its bytes before ONNX Runtime sees them.

A model file is a program. One that consists of the operators below computes a map from an image and nothing else: it
holds no graphs within it, so that nothing in it runs without end, and reads no other file.

| bound | value | why |
| --- | --- | --- |
| operators | `OPERATORS`, of ONNX itself | no loops, no code of other makers, nothing drawn by chance |
| nodes | `MOST_NODES` | the largest network here has a thousand |
| weights | inside the file, no more numbers than bytes | what is not in the file would be read from elsewhere |
| shapes that are written in the file | `LARGEST_SHAPE` numbers | sizes come from the image |
| fields of the file | `MOST_FIELDS` | looking at them takes a second or two |
| memory while it runs | `memory.limit()` | a message instead of a machine that stands still |

Field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from foveate.errors import ModelError
from foveate.runtime.wire import Value, fields, numbers, signed

# fmt: off
OPERATORS = frozenset({
    "Abs", "Add", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Constant",
    "ConstantOfShape", "Conv", "ConvTranspose", "DepthToSpace", "Div", "Elu", "Equal", "Erf", "Exp", "Expand",
    "Flatten", "Floor", "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater",
    "GroupNormalization", "HardSigmoid", "HardSwish", "Identity", "InstanceNormalization", "LayerNormalization",
    "LeakyRelu", "Less", "Log", "MatMul", "Max", "MaxPool", "Mean", "Min", "Mish", "Mul", "Neg", "Not", "PRelu",
    "Pad", "Pow", "Range", "Reciprocal", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Relu",
    "Reshape", "Resize", "ScatterElements", "Selu", "Shape", "Sigmoid", "Slice", "Softmax", "Softplus",
    "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Tanh", "Tile", "Transpose", "Unsqueeze", "Upsample",
    "Where",
})
# fmt: on
"""What networks that segment consist of; all that `foveate export` writes is among them."""

SHAPED = frozenset({"ConstantOfShape", "Expand", "Pad", "Range", "Resize", "Tile", "Upsample"})
"""Operators that make as much as a number tells them to."""

MOST_NODES = 20_000
MOST_FIELDS = 1_000_000
LARGEST_SHAPE = 2**26
LONGEST_SHAPE = 8
"""Axes that a shape has at most; `Pad` says both ends of four."""

# Fields of a model, a graph, a node, an attribute and a tensor.
GRAPH, TRAINING, FUNCTIONS = 7, 20, 25
NODE, INITIALIZER, SPARSE_INITIALIZER = 1, 5, 15
INPUT, OUTPUT, OPERATOR, ATTRIBUTE, DOMAIN = 1, 2, 4, 5, 7
TENSOR, SUBGRAPH, TENSORS, SUBGRAPHS, SPARSE, SPARSES = 5, 6, 10, 11, 22, 23
DIMENSIONS, INT64_DATA, NAME, RAW_DATA, EXTERNAL, PLACE = 1, 7, 8, 9, 13, 14


@dataclass(slots=True)
class _Seen:
    """What was found so far."""

    fields: int = 0
    nodes: int = 0
    shapes: dict[bytes, int] = field(default_factory=dict)
    """Name of a short constant to how many numbers a tensor of that shape has."""
    shaped_by: list[tuple[str, bytes]] = field(default_factory=list)
    """Operator and name of what may be such a constant."""

    def of(self, message: Value) -> Iterator[tuple[int, Value]]:
        """The fields of a message, counted."""
        if isinstance(message, int):
            raise ValueError("a number stands where there should be more")
        for each in fields(message):
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise ValueError(f"more than {MOST_FIELDS} fields")
            yield each


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
        for operator, name in seen.shaped_by:
            if seen.shapes.get(name, 0) > LARGEST_SHAPE:
                raise _RefusedError(
                    f"its {operator} makes {seen.shapes[name]:.2g} numbers, more than {LARGEST_SHAPE:.2g}"
                )
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
    operator, inputs, outputs = "", [], []
    attributes: list[Value] = []
    for number, value in seen.of(node):
        if number in (INPUT, OUTPUT):
            (inputs if number == INPUT else outputs).append(_bytes(value))
        elif number == OPERATOR:
            operator = _text(value)
            if operator not in OPERATORS:
                raise _RefusedError(
                    f"has the operator {operator!r}, which is not among those that a model may consist of"
                )
        elif number == DOMAIN and _bytes(value) not in (b"", b"ai.onnx"):
            raise _RefusedError(f"has an operator of {_text(value)!r}, not of ONNX itself")
        elif number == ATTRIBUTE:
            attributes.append(value)
    for attribute in attributes:
        _check_attribute(attribute, seen, outputs)
    if operator in SHAPED:
        seen.shaped_by += [(operator, name) for name in inputs]


def _check_attribute(attribute: Value, seen: _Seen, outputs: list[bytes]) -> None:
    for number, value in seen.of(attribute):
        if number in (SUBGRAPH, SUBGRAPHS):
            raise _RefusedError("holds a graph within its graph")
        if number in (SPARSE, SPARSES):
            raise _RefusedError("its weights are sparse")
        if number in (TENSOR, TENSORS):
            _check_tensor(value, seen, outputs)


def _check_tensor(tensor: Value, seen: _Seen, named: list[bytes] | None = None) -> None:
    """`named`: what else a tensor inside a node is called."""
    dimensions: list[int] = []
    values: list[int] = []
    names = list(named or [])
    for number, value in seen.of(tensor):
        if number == EXTERNAL or (number == PLACE and value != 0):
            raise _RefusedError("its weights are in another file")
        if number == NAME:
            names.append(_bytes(value))
        elif number == DIMENSIONS:
            dimensions += _integers(value)
        elif number == INT64_DATA:
            values += _integers(value)
        elif number == RAW_DATA and not isinstance(value, int) and len(value) in range(8, 65, 8):
            values += [
                int.from_bytes(value[start : start + 8], "little", signed=True) for start in range(0, len(value), 8)
            ]
    elements = prod(dimensions)
    if min(dimensions, default=0) < 0 or elements > len(_bytes(tensor)):
        raise _RefusedError(f"says that one of its weights has {elements:.2g} numbers, which are not in the file")
    if len(values) <= LONGEST_SHAPE:
        seen.shapes |= dict.fromkeys(names, prod(max(1, value) for value in values))


def _integers(value: Value) -> list[int]:
    return [signed(value)] if isinstance(value, int) else list(numbers(value))


def _bytes(value: Value) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where there should be more")
    return bytes(value)


def _length(value: Value) -> int:
    return 0 if isinstance(value, int) else len(value)


def _text(value: Value) -> str:
    return bytes(_bytes(value)[:40]).decode("utf-8", "replace")
