"""A run by PyTorch's backend: the same probabilities as its exported file, from the weights themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch

import foveate
from foveate.drawn import draw
from foveate.errors import UsageError


def test_a_run_in_pytorch_gives_what_its_exported_file_gives(finished_run: Path, exported_once: None) -> None:
    image = draw(4, height=140, width=130).image
    by_torch = foveate.load(finished_run, backend="torch")
    assert str(by_torch.session.execution) == "PyTorch, processor, float32"
    exported = foveate.load(finished_run).segment(image)
    found = by_torch.segment(image)
    np.testing.assert_allclose(found.probability, exported.probability, atol=1e-4)
    assert exported.probability.std() > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error(finished_run: Path, exported_once: None) -> None:
    with pytest.raises(UsageError, match="finds no CUDA device here"):
        foveate.load(finished_run, backend="torch", device="cuda")
