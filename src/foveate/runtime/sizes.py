"""How much a model file makes of an image, known from its shapes before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import prod

from foveate.errors import ModelError
from foveate.runtime.graph import GRAPH, NODE
from foveate.runtime.wire import Value, fields, message

MOST_NUMBERS = 2**28
"""That a file may make, all its steps together, of an image of 32×64: a thousand times what the networks here do."""

# Fields of a graph, a node, a described value, its type, a tensor's type, a shape and an axis; and float32.
INPUT, OUTPUT, KNOWN = 11, 12, 13
NODE_OUTPUT = 2
NAME, TYPE = 1, 2
TENSOR_TYPE, ELEMENT, SHAPE, AXIS, SIZE = 1, 1, 2, 1, 1
FLOAT = 1


def check_sizes(model: bytes, source: str, name: str, image: Sequence[int]) -> None:
    """Raise ModelError where the steps make more than `MOST_NUMBERS` of an image of that shape, as far as is known.

    ONNX Runtime infers the shapes of a copy whose input, `name`, has this shape, and all of whose steps are outputs.
    An axis that it can't infer counts once; what that leaves out is left to the limit of memory.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    copy = _with_all_outputs(model, name, image)
    session = onnxruntime.InferenceSession(copy, options, providers=["CPUExecutionProvider"])
    # Its sizes have 32 bits, so that a size beyond them comes out negative, or as nothing after others that are large.
    total = sum(prod(abs(size) for size in output.shape if isinstance(size, int)) for output in session.get_outputs())
    if total > MOST_NUMBERS:
        raise ModelError(
            f"{source}: makes {total:.1e} numbers of an image of {image[2]}×{image[3]}, more than {MOST_NUMBERS:.1e}."
            " Such a file isn't run."
        )


def _with_all_outputs(model: bytes, name: str, image: Sequence[int]) -> bytes:
    """The model with one input of that shape, and every value that a node makes as an output."""
    parts = list(fields(memoryview(model)))
    inside = list(chain.from_iterable(_inside(value) for number, value in parts if number == GRAPH))
    names = (name for number, node in inside if number == NODE for name in _texts(node, NODE_OUTPUT))
    made = dict.fromkeys(bytes(output) for output in names if len(output))
    kept = [(number, value) for number, value in inside if number not in (INPUT, OUTPUT, KNOWN)]
    axes = message(*((AXIS, message((SIZE, size))) for size in image))
    of_image = message((TENSOR_TYPE, message((ELEMENT, FLOAT), (SHAPE, axes))))
    image_in = (INPUT, message((NAME, name.encode()), (TYPE, of_image)))
    outputs = [(OUTPUT, message((NAME, output))) for output in made]
    graph = message(*kept, image_in, *outputs)
    return message(*((number, value) for number, value in parts if number != GRAPH), (GRAPH, graph))


def _inside(value: Value) -> list[tuple[int, Value]]:
    return [] if isinstance(value, int) else list(fields(value))


def _texts(value: Value, number: int) -> list[memoryview]:
    return [content for field, content in _inside(value) if field == number and not isinstance(content, int)]
