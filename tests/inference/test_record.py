"""What an output folder's record vouches for, and what becomes of outputs that it doesn't."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from computed_models import computed, into_folder
from foveate.errors import ModelError, OutputError
from foveate.inference import Segmenter
from foveate.inference.engine import serial
from foveate.inference.record import ImageRecord
from foveate.inference.shared_record import SharedRecord
from foveate.inference.sink import Outcome, Wanted
from foveate.inference.source import items_of

THRESHOLD = 100 / 255
Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def green(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """A pixel's probability is its green value / 255."""
    return batch[:, 1:2] / np.float32(255)


def model(network: Network = green, **changes: object) -> Segmenter:
    """A model that sees the whole image in its own size."""
    fixed = {"thresholds": (THRESHOLD,), "fov": "whole", "working_minimum": 1.0, "working_maximum": 99.0, "trust": None}
    return computed(network, **fixed | changes)


def overlapping(*names: str) -> Segmenter:
    """A model of classes that may lie over each other, each where it is green."""
    thresholds = (THRESHOLD,) * len(names)
    return model(
        lambda batch: np.repeat(green(batch), len(names), 1), classes=names, exclusive=False, thresholds=thresholds
    )


def draw(path: Path, seed: int = 0) -> Path:
    """A small image of noise whose first red value is the seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)
    pixels[0, 0, 0] = seed
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels).save(path)
    return path


def run(segmenter: Segmenter, paths: list[Path], out: Path, **wanted: Any) -> list[Outcome]:
    return list(into_folder(segmenter, items_of(paths), Wanted(out, **wanted)))


def images_in(out: Path) -> dict[str, Any]:
    images: dict[str, Any] = json.loads((out / "segment.json").read_text(encoding="utf-8"))["images"]
    return images


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "segment.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["mask", "overlay"])
def test_an_output_that_nobody_recorded_is_not_ours_unless_it_may_be_overwritten(kind: str, tmp_path: Path) -> None:
    out, paths = tmp_path / "out", [draw(tmp_path / f"photo{seed}.png", seed) for seed in range(2)]
    foreign = draw(out / f"photo0_{kind}.png", 9)
    theirs = foreign.read_bytes()
    for _ in range(2):
        refused, done = run(model(), paths, out, overlay=True)
        assert f"{paths[0]}: {foreign} is there already, and segment.json does not say" in refused.error
        assert not done.error
        assert {path.name for path in out.glob("photo0*")} == {foreign.name}
        assert foreign.read_bytes() == theirs
        assert (images_in(out)["photo0"]["status"], images_in(out)["photo0"]["outputs"]) == ("failed", {})
    made, kept = run(model(), paths[:1], out, overlay=True, overwrite=True) + run(model(), paths[:1], out, overlay=True)
    assert (made.error, kept.kept) == ("", True)
    assert foreign.read_bytes() != theirs


def test_two_outputs_are_never_one_file_whatever_classes_and_photographs_are_called(tmp_path: Path) -> None:
    out = tmp_path / "out"
    photographs = [draw(tmp_path / "p.png", 0), draw(tmp_path / "p_a.png", 1)]
    for overwrite in (False, True):
        first, second = run(overlapping("a_b", "b"), photographs, out, overwrite=overwrite)
        assert not first.error
        assert f"{photographs[1]}: its result {out / 'p_a_b_mask.png'} is one of {photographs[0]}, too" in second.error
        record = images_in(out)
        assert set(record["p"]["outputs"]) == {"a_b_mask", "b_mask"}
        assert record["p_a"]["status"] == "failed"
    # As two calls, by models of one class each beside another.
    apart = tmp_path / "apart"
    assert not run(overlapping("a_b", "c"), photographs[:1], apart)[0].error
    (late,) = run(overlapping("b", "c"), photographs[1:], apart, overwrite=True)
    assert "p_a_b_mask.png is one of" in late.error
    files = [output["file"] for image in images_in(apart).values() for output in image["outputs"].values()]
    assert sorted(files) == ["p_a_b_mask.png", "p_c_mask.png"]


@pytest.mark.parametrize(
    ("error", "told"),
    [(ModelError("it wants 4 channels."), "it wants 4 channels."), (MemoryError(), "needs more memory than there is")],
    ids=["model", "memory"],
)
def test_a_network_that_fails_while_it_runs_fails_that_image_alone(error: Exception, told: str, tmp_path: Path) -> None:
    out, paths = tmp_path / "out", [draw(tmp_path / f"photo{seed}.png", seed) for seed in range(3)]

    def failing(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        if batch[0, 0, 0, 0] == 1:
            raise error
        return green(batch)

    outcomes = run(model(failing), paths, out)
    assert [told in outcome.error for outcome in outcomes] == [False, True, False]
    assert [image["status"] for image in images_in(out).values()] == ["done", "failed", "done"]
    assert told in rows_of(out)[1]["note"]
    assert [outcome.kept for outcome in run(model(), paths, out)] == [True, False, True]


def test_calls_that_overlap_make_every_image_once_and_lose_nothing(tmp_path: Path) -> None:
    out, paths = tmp_path / "out", [draw(tmp_path / f"photo{seed}.png", seed) for seed in range(6)]
    seen: list[int] = []

    def noting(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append(int(batch[0, 0, 0, 0]))
        return green(batch)

    for overwrite in (False, True):
        first = into_folder(model(noting), items_of(paths), Wanted(out, overwrite=overwrite), engine=serial)
        begun = [next(first)]
        second = into_folder(model(noting), items_of(paths), Wanted(out, overwrite=overwrite), engine=serial)
        begun += [next(second), next(first)]
        outcomes = [*begun, *second, *first]
        assert not any(outcome.error for outcome in outcomes)
        assert {path.name for path in out.iterdir() if path.suffix != ".png"} == {"segment.json", "segment.csv"}
        assert set(images_in(out)) == {f"photo{seed}" for seed in range(6)}
    # The second call to overwrite began after the first had made one image, which it made again.
    assert sorted(seen) == sorted([*range(6), *range(6), 0])


def test_a_record_grows_by_lines_while_a_call_runs_and_is_joined_once_at_its_end(tmp_path: Path) -> None:
    out, paths = tmp_path / "out", [draw(tmp_path / f"photo{seed}.png", seed) for seed in range(8)]
    sizes = []
    for _ in into_folder(model(), items_of(paths), Wanted(out), engine=serial):
        (part,) = (out / "segment.record").glob("*.jsonl")
        sizes.append(part.stat().st_size)
        assert not (out / "segment.json").exists()
    grown = np.diff([0, *sizes])
    # Seconds have more or fewer digits.
    assert grown.max() - grown.min() < 20
    assert (out / "segment.json").exists()


def test_lines_of_a_killed_call_count_and_one_that_was_cut_off_does_not(tmp_path: Path) -> None:
    out, paths = tmp_path / "out", [draw(tmp_path / f"photo{seed}.png", seed) for seed in range(2)]
    killed = into_folder(model(), items_of(paths[:1]), Wanted(out))
    next(killed)
    (part,) = (out / "segment.record").glob("*.jsonl")
    left = part.read_bytes()
    del killed  # which ends it
    for file in (out / "segment.json", out / "segment.csv"):
        file.unlink()
    part.parent.mkdir()
    part.write_bytes(left + left[: len(left) // 3])
    outcomes = run(model(), paths, out)
    assert [(outcome.kept, outcome.error) for outcome in outcomes] == [(True, ""), (False, "")]
    assert set(images_in(out)) == {"photo0", "photo1"}
    assert not part.parent.exists()


def test_a_part_that_is_none_is_told_in_one_line_before_anything_is_written(tmp_path: Path) -> None:
    out, path = tmp_path / "out", draw(tmp_path / "photo.png")
    (out / "segment.record").mkdir(parents=True)
    (out / "segment.record" / "1-a.jsonl").write_text('{"name": "photo"}\n')
    with pytest.raises(OutputError, match=r"1-a\.jsonl: is no part of a record"):
        run(model(), [path], out)
    assert {path.name for path in out.iterdir()} == {"segment.record"}


def as_version_1(out: Path) -> None:
    """Make of a record what foveate 0.1 would have written."""
    record = json.loads((out / "segment.json").read_text(encoding="utf-8")) | {"schema_version": 1}
    for image in record["images"].values():
        image["outputs"] = {kind: output["file"] for kind, output in image["outputs"].items()}
        for later in ("turn", "input_bytes", "announced", "areas"):
            del image[later]
    (out / "segment.json").write_text(json.dumps(record), encoding="utf-8")
    (out / "segment.csv").unlink()


def test_a_record_of_the_version_before_is_read_and_goes_on_as_one_of_this(tmp_path: Path) -> None:
    out, paths = tmp_path / "out", [draw(tmp_path / f"photo{seed}.png", seed) for seed in range(2)]
    run(model(), paths, out)
    as_version_1(out)
    before = (out / "photo0_mask.png").stat().st_mtime_ns
    assert [outcome.kept for outcome in run(model(), paths, out)] == [True, True]
    (other,) = run(model(name="other", sha256="0" * 64), paths[:1], out)
    assert "made by another model (vessels)" in other.error
    (added,) = run(model(), paths[:1], out, overlay=True)
    assert not added.error
    assert (out / "photo0_mask.png").stat().st_mtime_ns == before
    record = json.loads((out / "segment.json").read_text(encoding="utf-8"))
    assert record["schema_version"] == 2
    overlay = record["images"]["photo0"]["outputs"]["overlay"]
    assert overlay["sha256"] == hashlib.sha256((out / "photo0_overlay.png").read_bytes()).hexdigest()
    assert record["images"]["photo1"]["outputs"]["mask"] == {"file": "photo1_mask.png", "sha256": ""}


def test_the_table_has_a_row_for_every_image_with_areas_scores_and_reasons(tmp_path: Path) -> None:
    out = tmp_path / "out"
    paths = [draw(tmp_path / "=photo.png", 1), tmp_path / "empty.png"]
    paths[1].write_bytes(b"")
    done, failed = run(model(), paths, out, confidence=True)
    photograph, empty = rows_of(out)
    with PillowImage.open(paths[0]) as image:
        pixels = np.array(image)
    assert (photograph["image"], photograph["status"]) == (str(paths[0]), "done")
    assert photograph["masks"] == "'=photo_mask.png"
    assert (int(photograph["height"]), int(photograph["width"])) == pixels.shape[:2]
    area = float(photograph["area_vessel"])
    assert area == pytest.approx((pixels[..., 1] / 255 >= THRESHOLD).mean(), abs=1e-6)
    assert float(photograph["expected_f1_vessel"]) == pytest.approx(done.expected_f1["vessel"].value, abs=1e-4)
    assert (photograph["model"], float(photograph["seconds"]) > 0) == ("vessels", True)
    assert (empty["image"], empty["status"], empty["note"]) == (str(paths[1]), "failed", failed.error)
    assert (empty["masks"], empty["area_vessel"], empty["seconds"]) == ("", "", "")


def test_of_two_calls_that_take_an_image_at_the_same_moment_one_has_it(tmp_path: Path) -> None:
    first, second = SharedRecord(tmp_path), SharedRecord(tmp_path)
    # Both have looked, and found that nobody was at it.
    word = ImageRecord(turn=1, input="photo.png", status="announced", announced={"mask": "photo_mask.png"})
    assert first.take("photo", word)
    assert not second.take("photo", word)
    other = ImageRecord(turn=1, input="b.png", status="announced", announced={"mask": "PHOTO_mask.png"})
    assert not second.take("another", other)
    first.close()
    second.close()
