"""What a notebook or a script does with foveate beside segmenting one file."""

from __future__ import annotations

import io
import multiprocessing
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from foveate.arrays.fov import find_fov
from foveate.arrays.postprocess import PostProcessing
from foveate.datasets import open_set
from foveate.drawn import draw
from foveate.errors import FoveateError, ImageError, UsageError
from foveate.inference import Procedure, Segmenter
from foveate.models import open_model

PIXELS = draw(0, height=96, width=104).image


def masked(segmenter: Segmenter) -> NDArray[np.bool_]:
    return segmenter.segment(PIXELS).mask


def png(pixels: NDArray[np.uint8] = PIXELS) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_segmenter_works_in_a_process_that_was_spawned() -> None:
    segmenter = foveate.load("vessels", min_size=3, threads=1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        (found,) = pool.map(masked, [segmenter])
    np.testing.assert_array_equal(found, masked(segmenter))
    assert found.any()


def test_a_pickled_segmenter_and_result_are_what_they_were() -> None:
    segmenter = foveate.load("vessels", tta=2, hysteresis=0.2, threads=1)
    again = pickle.loads(pickle.dumps(segmenter))
    assert (again.card, again.procedure) == (segmenter.card, segmenter.procedure)
    result = segmenter.segment(PIXELS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(result)).probability, again.segment(PIXELS).probability)


def test_the_options_of_the_command_are_those_of_load() -> None:
    segmenter = foveate.load(
        "vessels", tta=4, hysteresis=0.2, reconnect=5, min_size=9, largest=True, fill_holes=-1, threads=1
    )
    assert segmenter.procedure == Procedure(4, PostProcessing(0.2, 5, 9, True, -1))
    plain = foveate.load("vessels").segment(PIXELS)
    cleaned = foveate.load("vessels", min_size=40).segment(PIXELS)
    assert 0 < cleaned.mask.sum() < plain.mask.sum()
    np.testing.assert_array_equal(cleaned.probability, plain.probability)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"tta": 3}, ("tta 3", "1, 2, 4 or 8")),
        ({"tta": "8"}, ("tta '8'", "1, 2, 4 or 8")),
        ({"tta": True}, ("tta True",)),
        ({"hysteresis": "low"}, ("hysteresis 'low'",)),
        ({"hysteresis": float("nan")}, ("hysteresis nan",)),
        ({"hysteresis": 0.9}, ("hysteresis 0.9", "threshold")),
        ({"reconnect": 2.5}, ("reconnect 2.5", "whole number")),
        ({"reconnect": "5"}, ("reconnect '5'", "whole number")),
        ({"reconnect": -1}, ("reconnect -1", "whole number")),
        ({"min_size": 2.5}, ("min_size 2.5", "whole number")),
        ({"min_size": True}, ("min_size True", "whole number")),
        ({"fill_holes": -2}, ("fill_holes -2", "whole number")),
        ({"largest": "no"}, ("largest 'no'",)),
    ],
)
def test_an_option_out_of_range_is_refused_by_its_name(options: dict[str, Any], parts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as refused:
        foveate.load("vessels", **options)
    assert all(part in str(refused.value) for part in parts)


def test_an_open_file_is_a_photograph_with_that_files_name(tmp_path: Path) -> None:
    segmenter = foveate.load("vessels", threads=1)
    path = tmp_path / "photo.png"
    path.write_bytes(png())
    expected = segmenter.segment(path)
    with path.open("rb") as opened:
        found = segmenter.segment(opened)
    in_memory = segmenter.segment(io.BytesIO(png()))
    for each in (found, in_memory):
        np.testing.assert_array_equal(each.mask, expected.mask)
        assert each.photograph.sha256 == expected.photograph.sha256
    assert (found.photograph.source, in_memory.photograph.source) == (str(path), "open file")


def test_an_open_file_without_an_image_is_named(tmp_path: Path) -> None:
    segmenter = foveate.load("vessels", threads=1)
    path = tmp_path / "words.txt"
    path.write_text("words")
    with path.open("rb") as opened, pytest.raises(ImageError, match=rf"^{path}: "):
        segmenter.segment(opened)
    with pytest.raises(ImageError, match=rf"^{path}: .*closed"):
        segmenter.segment(opened)
    with path.open() as text, pytest.raises(UsageError, match=rf"^{path}: .*'rb'"):
        segmenter.segment(text)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match=r"^open file: "):
        segmenter.segment(io.BytesIO(b"words"))


def test_results_print_shortly_and_say_what_they_are() -> None:
    segmenter = foveate.load("vessels", tta=2, threads=1)
    result = segmenter.segment(PIXELS)
    share = result.mask.sum() / result.fov.sum()
    assert repr(segmenter) == "<Segmenter vessels: vessel, mean of 2 views (left and right); none>"
    assert repr(result) == f"<Segmentation of array, 96×104, by vessels: vessel {share:.1%}>"
    assert repr(result.photograph) == "<Photograph array, 96×104>"
    (case,) = (entry.load() for entry in open_set("synthetic:1").entries[:1])
    assert repr(case) == f"<Case {case.id}, {case.image.shape[0]}×{case.image.shape[1]}, of {case.group}>"


def test_a_notebook_shows_the_overlay() -> None:
    result = foveate.load("vessels", threads=1).segment(PIXELS)
    with PillowImage.open(io.BytesIO(result._repr_png_())) as shown:
        np.testing.assert_array_equal(np.asarray(shown), result.overlay())


def test_what_holds_arrays_compares_without_an_error() -> None:
    segmenter = foveate.load("vessels", threads=1)
    one, two = segmenter.segment(PIXELS), segmenter.segment(PIXELS)
    assert one == one
    assert one != two
    assert one.photograph != two.photograph
    assert draw(0, height=96, width=104) != draw(0, height=96, width=104)
    assert find_fov(PIXELS) != find_fov(PIXELS)
    assert {one, two, one} == {two, one}


def test_foveate_shows_its_public_names_and_nothing_else() -> None:
    assert dir(foveate) == sorted(foveate.__all__)
    for name in foveate.__all__:
        assert getattr(foveate, name) is not None
    assert foveate.FoveateError is FoveateError
    assert isinstance(foveate.load("vessels", threads=1), foveate.Segmenter)
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        foveate.laod  # noqa: B018


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is not the folder of a run"):
        foveate.load(tmp_path)


def test_a_shipped_model_is_itself_whatever_folder_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vessels").mkdir()
    monkeypatch.chdir(tmp_path)
    assert foveate.load("vessels", threads=1).card == open_model("vessels").card
