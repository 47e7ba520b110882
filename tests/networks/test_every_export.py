"""Every network leaves PyTorch: torch.export and ONNX, with free height and width, give what PyTorch gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch

from every_network import DIFFERENT, EXPORTS, TOGETHER, Case, base_options
from foveate.networks.registry.options import DATA_OPTIONS
from foveate.records import Classes
from foveate.runtime import open_session
from foveate.training.after.export import to_onnx
from foveate.training.after.validation import Exportable

SIZES = ((33, 47), (40, 136), (72, 56))
"""None is that at which the network is traced."""

SMALLEST = (16, 16)
"""In ONNX; PyTorch's own form treats a side of 1, which is 1/32 of this, as a case of its own, and refuses it."""

MEAN, DEVIATION = 128.0, 64.0
"""Of each channel, 0 to 255."""

pytestmark = pytest.mark.slow


def exportable(case: Case) -> Exportable:
    """A network as it is exported, from pixels to probabilities."""
    channels = case.in_channels
    count = case.options.get("classes", 1)
    names = tuple(f"class {number}" for number in range(count))
    # Three maps are the background's and two classes' that exclude each other.
    classes = Classes(names[1:]) if count == 3 else Classes(names, exclusive=False)
    network = Case(case.name, case.options).experienced()
    return Exportable(network, [MEAN] * channels, [DEVIATION] * channels, classes).eval()


def largest_difference(
    model: Exportable, other: Callable[[torch.Tensor], torch.Tensor], sizes: Sequence[tuple[int, int]]
) -> float:
    """Of the probabilities, over the sizes, as a share of how far PyTorch's own are from a half."""
    generator = torch.Generator().manual_seed(5)
    worst = 0.0
    for size in sizes:
        image = 255 * torch.rand(2, len(model.mean), *size, generator=generator)
        with torch.inference_mode():
            expected = model(image)
            found = other(image)
        assert found.shape == expected.shape
        worst = max(worst, float((found - expected).abs().max() / (expected - 0.5).abs().max()))
    return worst


def test_every_value_that_brings_other_operations_is_in_an_export() -> None:
    def values(cases: Iterable[Case]) -> set[tuple[str, str, object]]:
        # Other channels and classes are only numbers of the first and last layer: enough in one network.
        return {
            ("any" if key in DATA_OPTIONS else case.name, key, value)
            for case in cases
            for key, value in case.options.items()
        }

    assert values(DIFFERENT) - values(EXPORTS) == set()


@pytest.mark.parametrize("case", [case for case in EXPORTS if case.name in TOGETHER], ids=str)
def test_values_that_are_exported_together_leave_each_other_in_the_graph(case: Case) -> None:
    image = case.images(32, 48)
    network = case.fresh().eval()
    # Widths belong to their encoder; dropout is nothing but in training.
    for changed in case.options.keys() - base_options(case.name).keys() - {"encoder", "dropout"}:
        without = Case(case.name, {key: value for key, value in case.options.items() if key != changed})
        other = without.fresh().eval()
        if str(other) == str(network) and shapes(other) == shapes(network):
            other.load_state_dict(network.state_dict())
            with torch.inference_mode():
                assert not torch.equal(other(image), network(image)), changed


def shapes(network: torch.nn.Module) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in network.state_dict().items()}


@pytest.mark.parametrize("case", EXPORTS, ids=str)
def test_the_exported_program_and_onnx_runtime_give_what_pytorch_gives_at_every_size(case: Case) -> None:
    model = exportable(case)
    channels, maps = len(model.mean), len(model.classes.names)
    content, program = exported(model)
    in_onnx = open_session(content, source="the exported file", channels=channels, maps=maps)
    run = lambda image: torch.from_numpy(in_onnx.run(image.numpy().astype(np.float32)))  # noqa: E731
    assert largest_difference(model, program.module(), SIZES) < 1e-4
    assert largest_difference(model, run, (SMALLEST, *SIZES)) < 1e-4


def exported(model: Exportable) -> tuple[bytes, torch.export.ExportedProgram]:
    """The file, and the program of torch.export's that the way to it leads through."""
    programs = []
    export = torch.export.export

    def kept(*arguments: Any, **options: Any) -> torch.export.ExportedProgram:
        programs.append(export(*arguments, **options))
        return programs[-1]

    with mock.patch.object(torch.export, "export", kept):
        content = to_onnx(model)
    (program,) = programs
    return content, program
