"""Rules that rewrite a graph: each on a graph that it is for, and on one that it must leave alone."""

from collections import Counter

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import load_from_string
from torch import Tensor, nn
from torch.nn.functional import interpolate

from foveate.records import Classes
from foveate.training.after.export import to_onnx
from foveate.training.after.graph import FORMAT, OPSET, faster
from foveate.training.after.validation import Exportable


class Pieces(nn.Module):
    """What all of the rules are for, in one network of a few channels, and beside it what they are not for."""

    def __init__(self, *, gates: int = 1, pooled: int = 2, separable_bias: bool = False) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, 3, 3, padding=1, groups=3, bias=separable_bias), nn.Conv2d(3, 8, 1), nn.ReLU()
        )
        self.pool = nn.MaxPool2d(pooled, ceil_mode=True)
        self.up = nn.ConvTranspose2d(8, 6, pooled, stride=pooled)
        self.joined = nn.Sequential(nn.Conv2d(14, 14, 3, padding=1, groups=14, bias=False), nn.Conv2d(14, 8, 1))
        self.gate = nn.Conv2d(8, gates, 1)
        self.region = nn.Conv2d(8, 1, 1)
        self.head = nn.Conv2d(8, 1, 1)
        self.mixed = nn.Conv2d(9, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits B×1×H×W."""
        skip = self.first(image)
        up = interpolate(self.up(self.pool(skip)), size=skip.shape[2:], mode="bilinear")
        decoded = torch.relu(self.joined(torch.cat((skip, up), dim=1)))
        attended = self.head(decoded * torch.sigmoid(self.gate(decoded)) + self.region(decoded))
        mixed: Tensor = self.mixed(torch.cat((decoded, attended), dim=1))
        return mixed


class Twice(nn.Module):
    """The same weights at two places of a graph."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = Pieces()

    def forward(self, image: Tensor) -> Tensor:
        """Logits B×1×H×W."""
        both: Tensor = self.pieces(image) - self.pieces(-image)
        return both


def graphs(network: nn.Module) -> tuple[bytes, bytes]:
    torch.manual_seed(1)
    model = Exportable(network.eval(), [128.0] * 3, [64.0] * 3, Classes(("a",))).eval()
    plain = to_onnx(model)
    return plain, faster(plain)


def operators(content: bytes) -> Counter[str]:
    return Counter(node.op_type for node in load_from_string(content).graph.node)


def answers(content: bytes, height: int, width: int) -> np.ndarray:
    batch = np.random.default_rng(height).uniform(0, 255, (2, 3, height, width)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    # As it stands in the file: what ONNX Runtime makes of it isn't looked at here.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    (probability,) = session.run(None, {"image": batch})
    return np.asarray(probability)


def test_every_rule_finds_what_it_is_for_and_the_answers_stay() -> None:
    plain, rewritten = graphs(Pieces())
    before, after = operators(plain), operators(rewritten)
    # Shapes are joined, too, of which there is nothing left where nothing is resized.
    assert (before["Resize"], after["Resize"]) == (1, 0)
    assert after["Concat"] == 0
    # The first pair is one; the joined pair became two pairs; the last one two.
    assert after["Conv"] == before["Conv"] - 1 + 2 + 1
    for size in ((16, 16), (40, 136), (72, 24)):
        np.testing.assert_allclose(answers(rewritten, *size), answers(plain, *size), atol=1e-5)


def test_weights_that_a_network_uses_twice_are_rewritten_at_both_places() -> None:
    (_, once), (plain, twice) = graphs(Pieces()), graphs(Twice())
    assert operators(twice)["Conv"] == 2 * operators(once)["Conv"]
    np.testing.assert_allclose(answers(twice, 40, 72), answers(plain, 40, 72), atol=1e-5)


def test_a_map_that_is_of_another_size_at_some_sizes_is_still_resized() -> None:
    # Of 8 × 17 rows a pooling by 16 makes 9 of 16, which are 144.
    plain, rewritten = graphs(Pieces(pooled=16))
    assert operators(rewritten)["Resize"] == operators(plain)["Resize"] == 1
    np.testing.assert_allclose(answers(rewritten, 136, 200), answers(plain, 136, 200), atol=1e-5)


def test_a_gate_of_several_channels_is_applied_before_the_sum() -> None:
    _, one = graphs(Pieces())
    plain, several = graphs(Pieces(gates=8))
    # Of one channel there are two products, of map and of gate; of several the one that was there.
    assert (operators(one)["Mul"], operators(several)["Mul"]) == (2, operators(plain)["Mul"])
    np.testing.assert_allclose(answers(several, 24, 32), answers(plain, 24, 32), atol=1e-5)


def test_the_bias_of_a_depthwise_convolution_is_not_lost() -> None:
    plain, rewritten = graphs(Pieces(separable_bias=True))
    np.testing.assert_allclose(answers(rewritten, 24, 32), answers(plain, 24, 32), atol=1e-5)


def test_a_pointwise_convolution_that_leaves_pixels_out_is_left_as_it_is() -> None:
    sparse = Pieces()
    sparse.first[1] = nn.Conv2d(3, 8, 1, stride=2)
    plain, rewritten = graphs(sparse)
    assert operators(rewritten)["Conv"] == operators(plain)["Conv"] + 2 + 1  # the first pair stays two
    np.testing.assert_allclose(answers(rewritten, 48, 32), answers(plain, 48, 32), atol=1e-5)


class Reduced(nn.Module):
    """Operators that got another form after 2022, and one that there was none of."""

    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.head, self.last = nn.Conv2d(3, 1, 1), last

    def forward(self, image: Tensor) -> Tensor:
        """Logits B×1×H×W."""
        smaller = interpolate(image, size=(image.shape[2] // 2, image.shape[3] // 2), mode="bilinear")
        larger = interpolate(smaller, size=image.shape[2:], mode="bilinear")
        mean, most = image.mean(dim=1, keepdim=True), image.amax(dim=1, keepdim=True)
        changed: Tensor = self.last(self.head(larger) + mean * most)
        return changed


def test_a_file_is_of_2022_where_its_operators_had_a_form_then() -> None:
    plain, older = graphs(Reduced(nn.Identity()))
    proto = load_from_string(older)
    assert (proto.opset_import[0].version, proto.ir_version) == (OPSET, FORMAT) == (17, 8)
    assert load_from_string(plain).opset_import[0].version > OPSET
    np.testing.assert_allclose(answers(older, 24, 32), answers(plain, 24, 32), atol=1e-5)


def test_a_file_with_an_operator_that_there_was_not_keeps_its_age() -> None:
    plain, kept = graphs(Reduced(nn.GELU()))
    if "Gelu" not in operators(plain):
        pytest.skip("PyTorch's exporter writes GELU in older operators")
    assert load_from_string(kept).opset_import == load_from_string(plain).opset_import
    np.testing.assert_allclose(answers(kept, 24, 32), answers(plain, 24, 32), atol=1e-5)
