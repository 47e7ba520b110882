"""A second call into the same folder."""

import json
from pathlib import Path

import numpy as np
import pytest

import foveate
from computed_models import changed
from foveate.inference import Segmenter
from foveate.inference.segmentation import Segmentation
from foveate.models import ModelCard
from foveate.records import Mask, Photograph
from foveate_command import (
    RECORD,
    files_in_record,
    green_model,
    images_in_record,
    names,
    opened,
    pixels,
    run,
    save,
    segment,
    states,
)
from green_model import LEAST_GREEN, write_green_model


def expected_mask(photograph: Path, least_green: int = LEAST_GREEN) -> Mask:
    """What the green model finds in a drawn photograph."""
    fov = foveate.load(green_model()).segment(photograph).fov
    return (opened(photograph)[..., 1] >= least_green) & fov


def test_results_that_are_there_are_kept_byte_for_byte(tmp_path: Path) -> None:
    out = tmp_path / "out"
    inputs = [save(tmp_path / f"photo{seed}.png", seed) for seed in range(2)]
    assert segment(*inputs, "-o", out, "--overlay").status == 0
    before = states(out)
    ran = segment(*inputs, "-o", out, "--overlay")
    assert (ran.status, ran.err) == (0, "")
    assert "0 done, 2 kept, 0 failed" in ran.out
    assert states(out) == before


def test_results_are_replaced_on_request_only(tmp_path: Path) -> None:
    out, photograph = tmp_path / "out", save(tmp_path / "photo.png")
    assert segment(photograph, "-o", out).status == 0
    right = (out / "photo_mask.png").read_bytes()
    (out / "photo_mask.png").write_bytes(b"edited by hand")
    ran = segment(photograph, "-o", out)
    assert ran.status == 1
    (line,) = ran.errors
    assert str(photograph) in line
    assert f"{out / 'photo_mask.png'} is there already, and was changed since it was made" in line
    assert (out / "photo_mask.png").read_bytes() == b"edited by hand"
    assert segment(photograph, "-o", out, "--overwrite").status == 0
    assert (out / "photo_mask.png").read_bytes() == right


def test_results_of_another_image_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert segment(save(tmp_path / "a" / "photo.png", 0), "-o", out).status == 0
    before = states(out)["photo_mask.png"]
    another, third = save(tmp_path / "b" / "photo.png", 1), save(tmp_path / "third.png", 2)
    for _ in range(2):
        ran = segment(another, third, "-o", out)
        assert ran.status == 1
        (line,) = ran.errors
        assert str(another) in line
        assert str(out / "photo_mask.png") in line
        assert states(out)["photo_mask.png"] == before
        assert "third_mask.png" in names(out)
        assert images_in_record(out)["photo"]["input"] == str(tmp_path / "a" / "photo.png")


def test_results_of_another_image_stay_told_apart_where_a_file_has_no_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert segment(save(tmp_path / "a" / "photo.png", 0), "-o", out).status == 0
    save(tmp_path / "photo.png", 1).rename(tmp_path / "photo")
    before = states(out)["photo_mask.png"]
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        ran = segment("photo", "-o", out)
        assert (ran.status, len(ran.errors)) == (1, 1)
        assert states(out)["photo_mask.png"] == before


def test_an_image_that_changed_is_segmented_anew_on_request(tmp_path: Path) -> None:
    out, photograph = tmp_path / "out", save(tmp_path / "photo.png", 0)
    assert segment(photograph, "-o", out).status == 0
    save(photograph, 1)
    assert segment(photograph, "-o", out).status == 1
    assert segment(photograph, "-o", out, "--overwrite").status == 0
    np.testing.assert_array_equal(opened(out / "photo_mask.png") > 0, expected_mask(photograph))


def test_a_replaced_mask_leaves_no_results_of_the_image_before_it(tmp_path: Path) -> None:
    out, photograph = tmp_path / "out", save(tmp_path / "photo.png", 0)
    assert segment(photograph, "-o", out, "--probabilities").status == 0
    save(photograph, 1)
    assert segment(photograph, "-o", out, "--overwrite").status == 0
    assert files_in_record(out, "photo") == {"mask": "photo_mask.png"}
    before = states(out)
    ran = segment(photograph, "-o", out, "--probabilities")
    assert ran.status == 1
    (line,) = ran.errors
    assert f"{out / 'photo_probability.png'} is there already" in line
    assert states(out) == before
    assert segment(photograph, "-o", out, "--probabilities", "--overwrite").status == 0
    green = np.where(foveate.load(green_model()).segment(photograph).fov, pixels(1)[..., 1], 0)
    # 16 bits and 32-bit floats round to half a step each.
    assert np.abs(opened(out / "photo_probability.png") / 65535 - green / 255).max() <= 1 / 65535


def write_stricter_model(folder: Path) -> Path:
    """The green model with a higher threshold, under a name of its own."""
    folder.mkdir()
    stricter = write_green_model(folder)
    card = ModelCard.parse((folder / "card.json").read_bytes(), "stricter")
    other = changed(card, name="stricter", thresholds=((LEAST_GREEN + 19.5) / 255,))
    (folder / "card.json").write_text(other.to_json(), encoding="utf-8")
    return stricter


def test_what_the_record_calls_a_models_results_are_that_models(tmp_path: Path) -> None:
    out, photograph = tmp_path / "out", save(tmp_path / "photo.png")
    assert segment(photograph, "-o", out).status == 0
    before, recorded = states(out), images_in_record(out)
    stricter = write_stricter_model(tmp_path / "stricter")
    ran = run("segment", photograph, "-o", out, "--overlay", "--model", stricter)
    assert ran.status == 1
    (line,) = ran.errors
    assert "made by another model (green)" in line
    assert states(out) == before
    assert run("segment", photograph, "-o", out, "--overlay", "--model", stricter, "--overwrite").status == 0
    assert (recorded["photo"]["model"]["name"], images_in_record(out)["photo"]["model"]["name"]) == (
        "green",
        "stricter",
    )
    expected = expected_mask(photograph, LEAST_GREEN + 20)
    assert (expected != expected_mask(photograph)).any()
    np.testing.assert_array_equal(opened(out / "photo_mask.png") > 0, expected)


def test_a_kind_of_result_can_be_added_and_the_others_stay(tmp_path: Path) -> None:
    out, photograph = tmp_path / "out", save(tmp_path / "photo.png")
    assert segment(photograph, "-o", out, "--probabilities").status == 0
    before = states(out)
    ran = segment(photograph, "-o", out, "--overlay")
    assert (ran.status, ran.err) == (0, "")
    after = states(out)
    for kind in ("mask", "probability"):
        assert after[f"photo_{kind}.png"] == before[f"photo_{kind}.png"]
    overlay = foveate.load(green_model()).segment(photograph).overlay()
    np.testing.assert_array_equal(opened(out / "photo_overlay.png"), overlay)
    kinds = ("mask", "probability", "overlay")
    assert files_in_record(out, "photo") == {kind: f"photo_{kind}.png" for kind in kinds}


def test_an_interrupted_call_is_continued_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    inputs = [save(tmp_path / f"photo{seed}.png", seed) for seed in range(3)]
    uninterrupted = Segmenter.segment_photograph

    def interrupted(segmenter: Segmenter, photograph: Photograph) -> Segmentation:
        if photograph.source == str(inputs[1]):
            raise KeyboardInterrupt
        return uninterrupted(segmenter, photograph)

    with monkeypatch.context() as patch:
        patch.setattr(Segmenter, "segment_photograph", interrupted)
        ran = segment(*inputs, "-o", out)
    # 128 and the number of SIGINT, by custom.
    assert ran.status == 130
    assert names(out) == {"photo0_mask.png", *RECORD}
    statuses = {name: image["status"] for name, image in images_in_record(out).items()}
    # The third was being read.
    assert statuses == {"photo0": "done", "photo1": "announced", "photo2": "announced"}
    before = states(out)["photo0_mask.png"]
    ran = segment(*inputs, "-o", out)
    assert (ran.status, ran.err) == (0, "")
    assert "2 done, 1 kept, 0 failed" in ran.out
    assert states(out)["photo0_mask.png"] == before
    assert set(images_in_record(out)) == {"photo0", "photo1", "photo2"}


def test_the_record_grows_with_every_call(tmp_path: Path) -> None:
    out = tmp_path / "out"
    inputs = [save(tmp_path / f"photo{seed}.png", seed) for seed in range(3)]
    inputs[1].write_bytes(b"")
    recorded: dict[str, object] = {}
    for path, status in zip(inputs, (0, 1, 0), strict=True):
        assert segment(path, "-o", out).status == status
        now = images_in_record(out)
        assert {name: now[name] for name in recorded} == recorded
        recorded = now
    assert sorted(image["status"] for image in images_in_record(out).values()) == ["done", "done", "failed"]


@pytest.mark.parametrize(
    "content",
    ["", "not JSON", "[]", '{"frames": 12}', '{"schema_version": 3, "images": {}}', '{"images": {"photo": 1}}'],
)
def test_a_record_of_another_program_is_left_alone(content: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "segment.json").write_text(content)
    ran = segment(save(tmp_path / "photo.png"), "-o", out, "--overwrite")
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert str(out / "segment.json") in line
    assert (out / "segment.json").read_text() == content
    assert names(out) == {"segment.json"}


def test_a_folder_in_the_place_of_the_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "out" / "segment.json").mkdir(parents=True)
    ran = segment(save(tmp_path / "photo.png"), "-o", tmp_path / "out")
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert "segment.json" in line


def test_the_record_is_one_that_the_next_call_reads_and_people_too(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert segment(save(tmp_path / "眼.png"), "-o", out).status == 0
    text = (out / "segment.json").read_text(encoding="utf-8")
    assert "眼" in text
    assert list(json.loads(text)["images"]) == ["眼"]
    assert len(text.splitlines()) == 1 + len(json.loads(text)["images"]) + 1
