"""Every network leaves PyTorch: torch.export and ONNX, with free height and width, give what PyTorch gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from every_network import EVERY, Case
from foveate.runtime import open_network
from foveate.training.export import export_program, to_onnx
from foveate.training.validation import Exportable

SIZES = ((16, 16), (33, 47), (72, 56))
"""Heights and widths: the smallest, an odd one, and another; none is the exporter's own."""

MEAN, DEVIATION = 128.0, 64.0
"""Of each channel, 0 to 255."""

# What is frozen doesn't change what is computed.
DIFFERENT = [case for case in EVERY if "freeze" not in case.options]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=DIFFERENT, ids=str)
def model(request: pytest.FixtureRequest) -> Exportable:
    """A network as it is exported, from pixels to probabilities."""
    case: Case = request.param
    channels = case.in_channels
    return Exportable(Case(case.name, case.options).experienced(), [MEAN] * channels, [DEVIATION] * channels).eval()


def largest_difference(model: Exportable, other: Callable[[torch.Tensor], torch.Tensor]) -> float:
    """Of the probabilities, over all sizes, as a share of how far PyTorch's own are from a half."""
    generator = torch.Generator().manual_seed(5)
    worst = 0.0
    for size in SIZES:
        image = 255 * torch.rand(2, len(model.mean), *size, generator=generator)
        with torch.inference_mode():
            expected = model(image)
            found = other(image)
        assert found.shape == expected.shape
        worst = max(worst, float((found - expected).abs().max() / (expected - 0.5).abs().max()))
    return worst


def test_the_exported_program_is_the_network_at_every_size(model: Exportable) -> None:
    assert largest_difference(model, export_program(model).module()) < 1e-4


def test_onnx_runtime_gives_what_pytorch_gives_at_every_size(model: Exportable) -> None:
    in_onnx = open_network(to_onnx(model), source="the exported file")
    run = lambda image: torch.from_numpy(in_onnx(image.numpy().astype(np.float32)))  # noqa: E731
    assert largest_difference(model, run) < 1e-4
