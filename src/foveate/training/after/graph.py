"""What PyTorch's exporter writes, made to run faster, and by older runtimes.

The rules below replace parts of a graph by equal ones that write fewer bytes at full resolution, where a small network
spends its time. They change rounding and nothing else, for images whose sides are multiples of `STRIDE`, as
`arrays.prepare` makes them.

| rule | in place of | stands |
| --- | --- | --- |
| `SameSize` | a map resized to the size that it has | the map |
| `SeparableOfFew` | a depthwise and a 1×1 convolution of an image's few channels | one convolution |
| `RegionMap` | a 1×1 convolution of F·g + m, where g and m have one channel | g·(convolution of F) + (m·Σw + b) |
| `JoinedSeparable` | such convolutions of maps that are joined | the sum of those of each |
| `JoinedPointwise` | a 1×1 convolution of maps that are joined | the sum of that of each |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from numpy.typing import NDArray
from onnx_ir.passes.common import RemoveUnusedNodesPass
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.pattern import MatchResult, RewriteRule

from foveate.arrays.prepare import STRIDE

SIZES = ((8, 8), (17, 25), (41, 32))
"""Heights and widths, in `STRIDE`, at which a map has to keep its size for `SameSize`; most are odd."""

FEW = 4
"""Channels: so few fill no vector of a processor, and one convolution of nine times their weights is quicker."""

OPSET, FORMAT = 17, 8
"""Versions of ONNX's operators and of its files, those of 2022, which ONNX Runtime 1.16 reads."""

PLAIN = {"strides": 1, "dilations": 1, "pads": 0, "group": 1}
"""Attributes of a convolution that takes every pixel and all of its channels."""

SAYING_NOTHING: dict[tuple[str, str], object] = {
    ("Resize", "antialias"): 0,
    ("Resize", "keep_aspect_ratio_policy"): "stretch",
    ("ReduceMean", "noop_with_empty_axes"): 0,
    ("ReduceMax", "noop_with_empty_axes"): 0,
    ("AveragePool", "dilations"): (1, 1),
}
"""Attributes younger than `OPSET`, at the value at which they change nothing."""


def faster(content: bytes) -> bytes:
    """The same network as a model file (see above); of `OPSET`, where all of its operators have a form of then."""
    model = rewrite(ir.from_proto(onnx.load_from_string(content)), pattern_rewrite_rules=RULES)
    made: bytes = ir.to_proto(model).SerializeToString()
    _say_in_older_words(model)
    RemoveUnusedNodesPass()(model)
    older = ir.to_proto(model)
    try:
        onnx.checker.check_model(older)
    except onnx.checker.ValidationError:
        return made
    return bytes(older.SerializeToString())


def _say_in_older_words(model: ir.Model) -> None:
    """Name the operators as `OPSET` does. The model is not valid afterwards where that has none for what one does."""
    for node in model.graph:
        for (operator, name), value in SAYING_NOTHING.items():
            if node.op_type == operator and name in node.attributes and node.attributes[name].value == value:
                del node.attributes[name]
        if node.op_type in ("ReduceMean", "ReduceMax") and len(node.inputs) == 2:
            axes = _array(node.inputs[1])
            if axes is not None:
                node.attributes["axes"] = ir.AttrInt64s("axes", axes.tolist())
                node.resize_inputs(1)
    model.opset_imports[""], model.ir_version = OPSET, FORMAT


class SameSize:
    """A map is resized to a size that it has at all of `SIZES`: after a transposed convolution of pooled maps."""

    @staticmethod
    def pattern(op: Any, features: Any) -> Any:
        """Resize, whatever tells it the size."""
        return op.Resize(features, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["resized"])

    @staticmethod
    def fits(context: Any, features: ir.Value, resized: ir.Value) -> MatchResult:
        """Whether both have the same size everywhere."""
        result = MatchResult()
        if features.shape is None or resized.shape is None:
            return result.fail("sizes are not known")
        for height, width in SIZES:
            sides = {"images": 1, "height": STRIDE * height, "width": STRIDE * width}
            if features.shape.evaluate(sides) != resized.shape.evaluate(sides):
                return result.fail("sizes differ")
        return result

    @staticmethod
    def rewrite(op: Any, features: ir.Value, resized: ir.Value) -> Any:
        """The map itself."""
        return op.Identity(features)


class SeparableOfFew:
    """Two convolutions with nothing between them are one, whose weights are their product."""

    @staticmethod
    def pattern(op: Any, image: Any, depthwise: Any, pointwise: Any) -> Any:
        """A depthwise convolution of the image, and a 1×1 convolution of that."""
        between = op.Conv(image, depthwise, _allow_other_attributes=True, _outputs=["between"])
        return op.Conv(
            between, pointwise, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["features"]
        )

    @staticmethod
    def fits(context: Any, depthwise: ir.Value, between: ir.Value, features: ir.Value, **_: Any) -> MatchResult:
        """Whether they are of that kind, and few."""
        result = MatchResult()
        if not _is_separable(between, depthwise, features) or len(_weights(depthwise)) > FEW:
            return result.fail("no separable convolution of few channels")
        return result

    @staticmethod
    def rewrite(op: Any, image: ir.Value, depthwise: ir.Value, pointwise: ir.Value, **values: ir.Value) -> Any:
        """One convolution with the attributes of the depthwise one, but in one group."""
        first, last = _node(values["between"]), _node(values["features"])
        product = np.einsum("oc,chw->ochw", _weights(pointwise)[:, :, 0, 0], _weights(depthwise)[:, 0])
        attributes = {**first.attributes, "group": 1}
        return op.Conv(image, _constant(op, product, last, "merged"), *last.inputs[2:], **attributes)


class RegionMap:
    """Σ w·(F·g + m) + b = g·Σ w·F + m·Σ w + b: what has one channel is multiplied after the sum, not before."""

    @staticmethod
    def pattern(op: Any, features: Any, gate: Any, region: Any, weights: Any, bias: Any) -> Any:
        """Paper 003's inverse addition attention, and the convolution that follows it."""
        attended = op.Add(op.Mul(features, gate), region)
        return op.Conv(attended, weights, bias, _allow_other_attributes=True, _outputs=["after"])

    @staticmethod
    def fits(
        context: Any, gate: ir.Value, region: ir.Value, weights: ir.Value, after: ir.Value, **_: Any
    ) -> MatchResult:
        """Whether gate and map have one channel, and the convolution no neighbours."""
        result = MatchResult()
        if _channels(gate) != 1 or _channels(region) != 1:
            return result.fail("more than one channel")
        if not _is_pointwise(after) or len(_weights(weights)) != 1:
            return result.fail("no 1×1 convolution to one channel")
        return result

    @staticmethod
    def rewrite(op: Any, weights: ir.Value, bias: ir.Value, **values: ir.Value) -> Any:
        """The right side of the equation."""
        features, gate, region = (values[name] for name in ("features", "gate", "region"))
        last = _node(values["after"])
        total = _constant(op, _weights(weights).sum(keepdims=True), last, "sum")
        shift = _constant(op, _weights(bias).reshape(1, 1, 1, 1), last, "shift")
        return op.Add(op.Mul(op.Conv(features, weights), gate), op.Add(op.Mul(region, total), shift))


class JoinedSeparable:
    """A depthwise convolution takes each channel by itself, so that maps need not be joined before it."""

    @staticmethod
    def pattern(op: Any, depthwise: Any, pointwise: Any) -> Any:
        """Maps joined, a depthwise convolution, a 1×1 convolution."""
        joined = op.Concat(axis=1, _allow_other_inputs=True, _outputs=["joined"])
        between = op.Conv(joined, depthwise, _allow_other_attributes=True, _outputs=["between"])
        return op.Conv(
            between, pointwise, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["features"]
        )

    @staticmethod
    def fits(
        context: Any, depthwise: ir.Value, joined: ir.Value, between: ir.Value, features: ir.Value, **_: Any
    ) -> MatchResult:
        """Whether the convolutions are of that kind, and the maps' channels known."""
        result = MatchResult()
        if not _is_separable(between, depthwise, features) or None in _parts(joined):
            return result.fail("no separable convolution of joined maps")
        return result

    @staticmethod
    def rewrite(op: Any, depthwise: ir.Value, pointwise: ir.Value, **values: ir.Value) -> Any:
        """The sum of the separable convolutions of each."""
        first, last = _node(values["between"]), _node(values["features"])
        filtered = []
        for number, (maps, part) in enumerate(_slices(values["joined"])):
            own = _constant(op, _weights(depthwise)[part], first, f"of_{number}")
            filtered.append(op.Conv(maps, own, **{**first.attributes, "group": part.stop - part.start}))
        return _summed(op, filtered, values["joined"], pointwise, last)


class JoinedPointwise:
    """A 1×1 convolution sums over channels, so that it can be summed over the maps that they belong to."""

    @staticmethod
    def pattern(op: Any, pointwise: Any) -> Any:
        """Maps joined, and a 1×1 convolution."""
        joined = op.Concat(axis=1, _allow_other_inputs=True, _outputs=["joined"])
        return op.Conv(joined, pointwise, _allow_other_inputs=True, _allow_other_attributes=True, _outputs=["features"])

    @staticmethod
    def fits(context: Any, joined: ir.Value, features: ir.Value, **_: Any) -> MatchResult:
        """Whether the convolution is of that kind, and the maps' channels known."""
        result = MatchResult()
        if not _is_pointwise(features) or None in _parts(joined):
            return result.fail("no 1×1 convolution of joined maps")
        return result

    @staticmethod
    def rewrite(op: Any, pointwise: ir.Value, joined: ir.Value, features: ir.Value) -> Any:
        """The sum of the convolutions of each."""
        return _summed(op, [maps for maps, _ in _slices(joined)], joined, pointwise, _node(features))


RULES = [
    RewriteRule(rule.pattern, rule.rewrite, rule.fits, name=rule.__name__)
    for rule in (SameSize, SeparableOfFew, RegionMap, JoinedSeparable, JoinedPointwise)
]
"""In the order in which they are tried."""


def _summed(op: Any, maps: Sequence[ir.Value], joined: ir.Value, pointwise: ir.Value, last: ir.Node) -> Any:
    """Of each of the maps its part of a 1×1 convolution, whose bias the first one has, and their sum."""
    total = None
    for number, (own, (_, part)) in enumerate(zip(maps, _slices(joined), strict=True)):
        weights = _constant(op, _weights(pointwise)[:, part], last, f"of_{number}")
        term = op.Conv(own, weights, *(() if number else last.inputs[2:]), **last.attributes)
        total = term if total is None else op.Add(total, term)
    return total


def _is_separable(between: ir.Value, depthwise: ir.Value, features: ir.Value) -> bool:
    """A depthwise convolution without bias, and a 1×1 convolution of what it makes."""
    weights, group = _array(depthwise), _node(between).attributes.get("group")
    alone = weights is not None and group is not None and weights.shape[1] == 1 and len(weights) == group.value
    return alone and _is_pointwise(features)


def _is_pointwise(made: ir.Value) -> bool:
    """A value made by a 1×1 convolution of every pixel, of all channels."""
    node = _node(made)
    array = _array(node.inputs[1])
    attributes = {name: node.attributes[name].value for name in PLAIN if name in node.attributes}
    plain = all(set(np.atleast_1d(value).tolist()) <= {PLAIN[name]} for name, value in attributes.items())
    return plain and array is not None and array.ndim == 4 and array.shape[2:] == (1, 1)


def _slices(joined: ir.Value) -> list[tuple[ir.Value, slice]]:
    """Each of the maps that were joined, and which channels it became."""
    ends = np.cumsum([0, *_parts(joined)]).tolist()
    return [
        (maps, slice(start, end))
        for maps, start, end in zip(_node(joined).inputs, ends[:-1], ends[1:], strict=True)
        if maps is not None
    ]


def _parts(joined: ir.Value) -> list[int | None]:
    """The channels of each of the maps that were joined; None where they are not known."""
    return [_channels(maps) for maps in _node(joined).inputs]


def _channels(value: ir.Value | None) -> int | None:
    shape = None if value is None else value.shape
    channels = None if shape is None or len(shape) != 4 else shape[1]
    return channels if isinstance(channels, int) else None


def _array(value: ir.Value | None) -> NDArray[Any] | None:
    """What a value is where it is always the same."""
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return None if tensor is None else tensor.numpy()


def _weights(value: ir.Value) -> NDArray[Any]:
    array = _array(value)
    if array is None:
        raise ValueError(f"{value.name} is no constant")
    return array


def _node(value: ir.Value) -> ir.Node:
    node = value.producer()
    if node is None:
        raise ValueError(f"{value.name} is made by no node")
    return node


def _constant(op: Any, array: NDArray[Any], last: ir.Node, what: str) -> Any:
    """A constant of the graph, called after the node that it is made for: several may have the same weights."""
    return op.initializer(ir.tensor(np.ascontiguousarray(array, np.float32)), name=f"{last.outputs[0].name}_{what}")
