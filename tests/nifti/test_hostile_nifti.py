"""Headers that claim what can't be, and files that are damaged: one line each, and no memory taken for a claim."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest

import foveate
from foveate_command import green_model, run
from made_nifti import affine, head, model, opened, samples, saved, volume

DIM, DATATYPE, PIXDIM, OFFSET, MAGIC = 40, 70, 76, 108, 344
SROW = 280


def content(tmp_path: Path) -> bytearray:
    image = volume(head())
    image.set_sform(affine(), 1)
    return bytearray(saved(image, tmp_path / "whole.nii").read_bytes())


def dims(*sizes: int) -> bytes:
    return struct.pack("<8h", len(sizes), *sizes, *[1] * (7 - len(sizes)))


CHANGES: dict[str, tuple[int, bytes, str]] = {
    "seven axes of 32767": (DIM, dims(*[32767] * 7), "with several values for each voxel"),
    "three axes of 32767": (DIM, dims(32767, 32767, 32767), "claims 35181150961663 bytes of samples"),
    "four axes of 32767": (DIM, dims(32767, 32767, 32767, 32767), "claims"),
    "an axis of nothing": (DIM, dims(24, 0, 16), "which is no volume"),
    "a negative axis": (DIM, dims(24, -5, 16), "NIfTI"),
    "two axes": (DIM, dims(24, 32), "which is no volume"),
    "no axis": (DIM, dims(), "NIfTI"),
    "nine axes": (DIM, struct.pack("<h", 9), "NIfTI"),
    "an axis that is too short to see anything": (DIM, dims(4, 32, 16), "at least 16 on each side"),
    "samples behind the end": (OFFSET, struct.pack("<f", 1e9), "cut short or damaged"),
    "samples nowhere": (OFFSET, struct.pack("<f", float("nan")), "NIfTI"),
    "a type that there isn't": (DATATYPE, struct.pack("<hh", 77, 8), "NIfTI"),
    "bits": (DATATYPE, struct.pack("<hh", 1, 1), "NIfTI"),
    "complex numbers": (DATATYPE, struct.pack("<hh", 32, 64), "holds colours or complex numbers"),
    "colours": (DATATYPE, struct.pack("<hh", 128, 24), "holds colours or complex numbers"),
    "an affine of nothing": (SROW, struct.pack("<12f", *[0] * 12), "doesn't say how it lies in space"),
    "an affine that is flat": (SROW, struct.pack("<12f", *[1, 0, 0, 0] * 3), "doesn't say how it lies in space"),
    "an affine that is no number": (SROW, struct.pack("<12f", *[float("nan")] * 12), "NIfTI"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzipped"])
def test_a_header_that_can_not_be_is_one_line_and_takes_no_memory(change: str, zipped: bool, tmp_path: Path) -> None:
    place, new, said = CHANGES[change]
    changed = content(tmp_path)
    changed[place : place + len(new)] = new
    path = tmp_path / ("bad.nii.gz" if zipped else "bad.nii")
    path.write_bytes(gzip.compress(bytes(changed)) if zipped else changed)
    segmenter = model()
    tracemalloc.start()
    try:
        (outcome,) = foveate.segment(path, tmp_path / "out", model=segmenter)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.error.startswith(f"{path}: ")
    assert "\n" not in outcome.error
    if not (zipped and "cut short" in said):  # how much gzip unpacks to is known at its end only
        assert said in outcome.error
    assert peak < 8e6
    assert {each.name for each in (tmp_path / "out").iterdir()} == {"segment.json", "segment.csv"}


@pytest.mark.parametrize("length", [0, 100, 348, 351, 352, 400])
def test_a_file_that_is_cut_anywhere_is_one_line(length: int, tmp_path: Path) -> None:
    whole = content(tmp_path)
    for name, data in (
        ("cut.nii", bytes(whole[:length])),
        ("cut.nii.gz", gzip.compress(bytes(whole))[:length]),
        ("short.nii.gz", gzip.compress(bytes(whole[:length]))),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        ran = run("segment", path, "-o", tmp_path / "out", "--model", green_model())
        assert (ran.status, len(ran.errors)) == (1, 1)
        assert str(path) in ran.errors[0]
        assert "Traceback" not in ran.err + ran.out


def test_a_file_whose_gzip_is_damaged_in_the_middle_is_one_line(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (48, 48, 48), dtype=np.uint8)
    path = saved(volume(noise), tmp_path / "head.nii.gz")  # which gzip stores as it is, with a checksum at its end
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 200] = bytes(200)
    path.write_bytes(damaged)
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model())
    assert "NIfTI" in outcome.error
    assert not outcome.outputs


def test_what_unpacks_to_far_more_than_its_header_says_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bomb.nii.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(bytes(content(tmp_path)))
        for _ in range(80):
            file.write(bytes(2**20))
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model())
    assert "unpacks to more than its header says" in outcome.error


def test_random_bytes_in_a_header_end_in_a_mask_or_in_one_line(tmp_path: Path) -> None:
    random, whole, segmenter = np.random.default_rng(7), content(tmp_path), model()
    path, ends = tmp_path / "bad.nii", set()
    for number in range(30):
        changed = bytearray(whole)
        for place in random.integers(4, MAGIC, 4):
            changed[place] = random.integers(256)
        path.write_bytes(changed)
        (outcome,) = foveate.segment(path, tmp_path / f"out{number}", model=segmenter)
        ends.add(bool(outcome.error))
        assert "\n" not in outcome.error
    assert ends == {True, False}


def test_analyze_is_no_nifti_as_it_does_not_say_how_it_lies(tmp_path: Path) -> None:
    analyze = nibabel.AnalyzeImage(head(), affine())  # type: ignore[no-untyped-call]
    saved(analyze, tmp_path / "head.img")
    for name in ("head.hdr", "head.img"):
        ran = run("segment", tmp_path / name, "-o", tmp_path / "out", "--model", green_model())
        assert (ran.status, len(ran.errors)) == (1, 1)
        assert "is not an image of a known format" in ran.errors[0]


def test_the_samples_of_a_pair_alone_are_one_line(tmp_path: Path) -> None:
    pair = nibabel.Nifti1Pair(head(), affine())  # type: ignore[no-untyped-call]
    saved(pair, tmp_path / "head.img")
    ran = run("segment", tmp_path / "head.img", "-o", tmp_path / "out", "--model", green_model())
    assert (ran.status, len(ran.errors)) == (1, 1)


def test_a_slice_that_does_not_fit_into_the_memory_that_is_allowed_is_one_line(tmp_path: Path) -> None:
    path = saved(volume(np.zeros((1200, 1200, 2), np.uint8)), tmp_path / "wide.nii.gz")
    (outcome,) = foveate.segment(path, tmp_path / "out", model=model(), max_megapixels=1.0)
    assert "each slice has 1 megapixels" in outcome.error
    assert opened(path).shape == samples(path).shape
