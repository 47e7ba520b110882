"""Both engines do the same; one of them has several images at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Barrier, Lock

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from computed_models import computed, into_folder
from foveate.errors import DataError, FoveateError, ImageError, UsageError
from foveate.inference import engine
from foveate.inference.engine import Pass, abreast, serial
from foveate.inference.record import ImageRecord, read_record
from foveate.inference.sink import Wanted
from foveate.inference.source import BytesItem, files_of

SIDE = 40
WHOLE = {"fov": "whole", "working_minimum": 1.0, "working_maximum": 99.0, "trust": None, "thresholds": (100 / 255,)}


def green(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    return batch[:, 1:2] / np.float32(255)


def draw(folder: Path, count: int) -> list[Path]:
    """Images of noise; the red of all their pixels is their number."""
    folder.mkdir()
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        pixels[..., 0] = number
        PillowImage.fromarray(pixels).save(folder / f"photo{number}.png")
    return sorted(folder.iterdir())


def without_times(image: ImageRecord) -> ImageRecord:
    return msgspec.structs.replace(image, seconds=0.0)


def test_both_engines_write_the_same_files_and_record_whatever_fails(tmp_path: Path) -> None:
    paths = draw(tmp_path / "in", 7)
    paths[2].write_bytes(b"no image")

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        if batch[0, 0, 0, 0] == 4:
            raise foveate.FoveateError("number four")
        return green(batch)

    made = {}
    for one_pass in (serial, abreast):
        out = tmp_path / one_pass.__name__
        for repetition in range(2):
            wanted = Wanted(out, probabilities=True, overlay=True)
            outcomes = list(into_folder(computed(network, **WHOLE), files_of(paths), wanted, engine=one_pass))
            assert [bool(outcome.error) for outcome in outcomes] == [number in (2, 4) for number in range(7)]
            assert [outcome.kept for outcome in outcomes] == [
                bool(repetition) and not outcome.error for outcome in outcomes
            ]
        files = {path.name: path.read_bytes() for path in out.glob("*.png")}
        made[one_pass.__name__] = files, {name: without_times(i) for name, i in read_record(out)}
    assert made["serial"] == made["abreast"]
    assert len(made["serial"][0]) == 5 * 3


@pytest.mark.parametrize(("large", "together"), [(False, 2), (True, 1)])
def test_two_images_are_in_the_network_at_a_time_unless_they_are_large(
    large: bool, together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "LARGE", SIDE * SIDE if large else SIDE * SIDE + 1)
    inside, most = Lock(), [0, 0]
    met = Barrier(together)

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with inside:
            most[0] += 1
            most[1] = max(most)
        met.wait(timeout=100)  # breaks where fewer than that come together
        with inside:
            most[0] -= 1
        return green(batch)

    items = files_of(draw(tmp_path / "in", 6))
    two = partial(abreast, threads=2)
    outcomes = list(into_folder(computed(network, **WHOLE), items, Wanted(tmp_path / "out"), engine=two))
    assert [outcome.error for outcome in outcomes] == [""] * 6
    assert most[1] == together


def test_a_call_that_is_left_early_vouches_for_what_it_wrote(tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcomes = into_folder(computed(green, **WHOLE), files_of(draw(tmp_path / "in", 6)), Wanted(out), engine=abreast)
    assert isinstance(outcomes, Iterator)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    status = {name: image.status for name, image in read_record(out)}
    assert [status[path.name.removesuffix("_mask.png")] for path in out.glob("*.png")].count("done") >= 1
    assert all(status[path.name.removesuffix("_mask.png")] == "done" for path in out.glob("*.png"))
    assert not (out / "segment.record").exists()
    again = list(into_folder(computed(green, **WHOLE), files_of(sorted((tmp_path / "in").iterdir())), Wanted(out)))
    assert not any(outcome.error for outcome in again)
    assert len(list(out.glob("*.png"))) == 6


def test_images_that_lie_in_no_file_are_segmented_into_a_folder_in_python(tmp_path: Path) -> None:
    contents = [path.read_bytes() for path in draw(tmp_path / "in", 2)]
    items = [BytesItem(content, f"sent/{number}", f"upload {number}") for number, content in enumerate(contents)]
    items.append(BytesItem(b"nothing", "sent/2", "upload 2"))
    told: list[str] = []
    outcomes = foveate.segment(
        items, tmp_path / "out", model=computed(green, **WHOLE), on_image=lambda outcome: told.append(outcome.key)
    )
    assert told == ["upload 0", "upload 1", "upload 2"]
    assert [bool(outcome.error) for outcome in outcomes] == [False, False, True]
    assert outcomes[2].error.startswith("upload 2: ")
    record = dict(read_record(tmp_path / "out"))
    assert record["sent/0"].input == "upload 0"
    with PillowImage.open(tmp_path / "out" / "sent" / "1_mask.png") as mask:
        np.testing.assert_array_equal(np.array(mask) > 0, computed(green, **WHOLE).segment(contents[1]).mask)
    with pytest.raises(ImageError, match=r"^upload 2: "):
        items[2].read()


@pytest.mark.parametrize("name", ["../escaped", "a/../../escaped", "/tmp/escaped", ""])
def test_a_name_of_a_source_that_leads_out_of_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    (content,) = (path.read_bytes() for path in draw(tmp_path / "in", 1))
    out = tmp_path / "deep" / "out"
    items = [BytesItem(content, name, "upload"), BytesItem(content, "fine", "upload 2")]
    refused, made = foveate.segment(items, out, model=computed(green, **WHOLE))
    assert refused.error.startswith("upload: its results can't be called")
    assert not made.error
    assert {path.name for path in tmp_path.rglob("*_mask.png")} == {"fine_mask.png"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("one_pass", [serial, abreast])
def test_two_images_of_a_source_under_one_name_are_not_taken_for_each_other(
    one_pass: Pass, overwrite: bool, tmp_path: Path
) -> None:
    contents = [path.read_bytes() for path in draw(tmp_path / "in", 2)]
    items = [BytesItem(contents[0], "same", "upload 0"), BytesItem(contents[1], "Same", "upload 1")]
    wanted = Wanted(tmp_path / "out", overwrite=overwrite)
    first, second = into_folder(computed(green, **WHOLE), items, wanted, engine=one_pass)
    assert not first.error
    assert second.error.startswith("upload 1: its results would be called as those of upload 0")
    ((_, image),) = read_record(tmp_path / "out")
    assert (image.input, image.status) == ("upload 0", "done")


def test_what_ran_the_model_is_in_the_record(tmp_path: Path) -> None:
    (path,) = draw(tmp_path / "in", 1)
    foveate.segment(path, tmp_path / "out", model="vessels", threads=1)
    ((_, image),) = read_record(tmp_path / "out")
    assert image.execution == foveate.Execution("onnxruntime", "cpu", "f32", 1)


def test_options_for_a_model_that_is_opened_already_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    paths = draw(tmp_path / "in", 1)
    with pytest.raises(UsageError, match=r"give its options to foveate\.load"):
        foveate.segment(paths, tmp_path / "out", model=computed(green, **WHOLE), min_size=5)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", "photo1.png\n\n  photo0.png  \n"),
        ("list.csv", "patient,path\n7,photo1.png\n8,photo0.png\n"),
        ("list.csv", "\ufeffstatus;image\ndone;photo1.png\ndone;photo0.png\n"),
        ("list.CSV", "image,path\nx.png,photo1.png\ny.png,photo0.png\n"),
    ],
)
def test_a_list_of_photographs_is_taken_in_its_order_from_its_own_folder(name: str, text: str, tmp_path: Path) -> None:
    first, second = draw(tmp_path / "in", 2)
    (tmp_path / "in" / name).write_text(text, encoding="utf-8")
    assert [item.path for item in files_of([tmp_path / "in" / name])] == [second, first]
    assert [item.path for item in files_of([first, tmp_path / "in" / name])] == [first, second]


@pytest.mark.parametrize(
    ("name", "text", "kind", "told"),
    [
        ("list.txt", "\n \n", UsageError, "names no image"),
        ("list.csv", "path\n", UsageError, "names no image"),
        ("list.csv", "file\na.png\n", DataError, "has no column 'path'"),
        ("list.csv", "path,path\na.png,b.png\n", DataError, "has two columns 'path'"),
        ("list.csv", "path,eye\n,left\n", DataError, "line 2: has no path"),
        ("list.csv", "path\na.png,b.png\n", DataError, "line 2: has more cells than the header"),
        ("list.txt", None, UsageError, "no such file"),
    ],
)
def test_a_list_that_names_nothing_or_can_not_be_read_is_refused_by_its_name(
    name: str, text: str | None, kind: type[FoveateError], told: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(kind) as refused:
        files_of([tmp_path / name])
    assert str(refused.value).startswith(str(tmp_path / name))
    assert told in str(refused.value)
