"""Memory: a slab of a volume, whatever the axis across which its slices lie."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foveate.imaging.nifti import slabs
from foveate.imaging.nifti.header import volume_header
from made_nifti import LEAST, affine, head, model, samples, saved, turned, volume

SLAB = 2**17


@pytest.mark.parametrize(("axes", "name"), [("RAS", "long.nii"), ("SAR", "long.nii.gz")])
def test_a_volume_many_times_larger_than_a_slab_is_segmented_in_a_few_slabs(
    axes: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = head((64, 64, 128)).astype(np.float64)
    levels[0, 0, 0] = 255
    path = saved(turned(volume(levels), axes), tmp_path / name)
    small = saved(volume(head()), tmp_path / "small.nii.gz")
    monkeypatch.setattr(slabs, "SLAB_BYTES", SLAB)
    segmenter = model()
    segmenter.segment_volume(small).save(tmp_path / "before")  # what is imported on the way
    tracemalloc.start()
    try:
        (mask,) = segmenter.segment_volume(path).save(tmp_path / "out").values()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    low = levels.min()
    assert np.array_equal(samples(mask), np.rint((samples(path) - low) / (255 - low) * 255) >= LEAST)
    assert levels.nbytes == 32 * SLAB
    assert peak < 10 * SLAB  # a slab, what it is read from, and 100 bytes for each pixel of a slice in the network


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_planes_are_those_of_the_whole_volume_from_wherever_they_begin(
    dtype: Any, axis: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slabs, "SLAB_BYTES", 3 * 8 * 24 * 32)
    films = np.stack([head(seed=seed) for seed in range(2)], axis=-1).astype(dtype)
    path = saved(volume(films, affine()), tmp_path / "film.nii.gz")
    header = volume_header(path)
    for frame in range(2):
        expected = np.moveaxis(films[..., frame], axis, 0)
        for start in (0, 5):
            assert np.array_equal(list(slabs.planes(header, frame, axis, start)), expected[start:])
