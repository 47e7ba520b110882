"""A stranger's card and model file, wrong in one way each, is refused in one line before it can do harm."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs onnx, which comes with foveate[train]")
import foveate
from foveate.errors import FoveateError, ModelError
from strange_models import KINDS, Strange, write_strange

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def peak_bytes() -> int:
    """The most memory that this process has had in RAM (getrusage(2): in KiB, on macOS in bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@every_kind
def test_a_strange_model_is_refused_in_one_line_without_gigabytes(kind: Strange, tmp_path: Path) -> None:
    model = write_strange(tmp_path, kind)
    before = peak_bytes()
    with pytest.raises(FoveateError) as refused:
        foveate.load(model)
    line = str(refused.value)
    assert isinstance(refused.value, ModelError)
    assert line.startswith(f"{model}: ")
    assert line.isprintable()
    assert len(line) < 1000
    assert kind.told in line
    assert peak_bytes() - before < 2**30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.json", "model.onnx"]


def test_what_the_strange_models_are_changed_from_is_a_model(tmp_path: Path) -> None:
    green = np.random.default_rng(0).integers(0, 256, (40, 50), dtype=np.uint8)
    pixels = np.stack([np.full_like(green, 90), green, np.full_like(green, 90)], axis=2)
    whole = np.ones(green.shape, bool)
    found = foveate.load(write_strange(tmp_path, Strange(""))).segment(pixels, fov=whole)
    np.testing.assert_allclose(found.probability, green / 255, atol=1e-6)  # float32


def test_a_model_that_is_a_link_to_a_device_is_refused(tmp_path: Path) -> None:
    model = write_strange(tmp_path, Strange(""))
    for path in (model, tmp_path / "card.json"):
        kept = path.read_bytes()
        path.unlink()
        path.symlink_to("/dev/zero")
        with pytest.raises(FoveateError, match=r"no such file|no card\.json"):
            foveate.load(model)
        path.unlink()
        path.write_bytes(kept)


def test_a_model_larger_than_any_is_not_read(tmp_path: Path) -> None:
    model = write_strange(tmp_path, Strange(""))
    with model.open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(ModelError, match="512 MiB"):
        foveate.load(model)
