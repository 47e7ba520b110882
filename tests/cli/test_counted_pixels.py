"""Which pixels count is decided by the data set and its images, never by who predicts; and a report says which."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from foveate.imaging import write_mask, write_rgb
from foveate_command import run
from known_model import known_model

SIDE, RADIUS = 96, 40


def disc(radius: float = RADIUS) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    inside: NDArray[np.bool_] = np.hypot(rows - SIDE / 2, columns - SIDE / 2) <= radius
    return inside


def folder_of(where: Path, *, eyes: bool, own: int = 0) -> Path:
    """Three images with masks and predictions; of eyes, or lit to their corners; `own` of them with an FOV."""
    for number in range(3):
        line = np.zeros((SIDE, SIDE), bool)
        line[40 + 4 * number : 46 + 4 * number, 20:76] = True
        inside = disc() if eyes else np.ones((SIDE, SIDE), bool)
        image = np.where(inside[..., None], np.array([190, 80, 45]), 0).astype(np.uint8)
        image[line] = (150, 140, 30)
        write_rgb(image, where / "set" / "images" / f"{number}.png")
        write_mask(line, where / "set" / "masks" / f"{number}.png")
        write_mask(np.roll(line, 2, axis=0), where / "theirs" / f"{number}.png")
        if number < own:
            write_mask(disc(30), where / "set" / "fov" / f"{number}.png")
    return where / "set"


def model_that(where: Path, fov: str) -> Path:
    file = known_model(where / f"model-{fov}", name=fov, on="folder")
    card = json.loads((file.parent / "card.json").read_text(encoding="utf-8"))
    (file.parent / "card.json").write_text(
        json.dumps(card | {"preparation": card["preparation"] | {"fov": fov}}), encoding="utf-8"
    )
    return file


def reports_on(root: Path, *options: object) -> list[dict[str, Any]]:
    """Of a model that looks for discs, one that does not, and of masks."""
    where = root.parent
    models = [model_that(where, fov) for fov in ("find", "whole") if not (where / f"model-{fov}").exists()]
    models = models or [where / f"model-{fov}" / "green.onnx" for fov in ("find", "whole")]
    out = where / "reports.json"
    data = ("--data", f"folder:{root}", "--split", "all", "--predictions", where / "theirs", "--no-boundary")
    ran = run("evaluate", *models, *data, *options, "--json", out, "--overwrite")
    assert (ran.status, ran.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["reports"]
    assert len(found) == 3
    return found


def counted(report: dict[str, Any]) -> list[int]:
    return [sum(image["classes"]["foreground"]["fov"]["counts"].values()) for image in report["images"]]


def sources(report: dict[str, Any]) -> list[str]:
    return [image["fov_source"] for image in report["images"]]


@pytest.mark.parametrize(
    ("eyes", "own", "told", "words"),
    [
        (True, 0, ["estimated"] * 3, "estimated"),
        (True, 3, ["set"] * 3, "the set's own masks"),
        (True, 1, ["set", "estimated", "estimated"], "the set's own masks, estimated where one is missing"),
        (False, 0, ["whole"] * 3, "the whole image"),
        (False, 1, ["set", "whole", "whole"], "the set's own masks, the whole image where one is missing"),
    ],
)
def test_models_and_masks_are_counted_in_the_same_pixels_and_the_report_says_in_which(
    eyes: bool, own: int, told: list[str], words: str, tmp_path: Path
) -> None:
    reports = reports_on(folder_of(tmp_path, eyes=eyes, own=own))
    expected = {"set": disc(30).sum(), "estimated": disc().sum(), "whole": SIDE * SIDE}
    for report in reports:
        assert sources(report) == told
        # Of a disc that is found, half a pixel of its radius.
        np.testing.assert_allclose(counted(report), [expected[each] for each in told], rtol=0.5 * 2 / RADIUS)
        assert report["protocol"]["fov_for_counting"] == words
    assert counted(reports[0]) == counted(reports[1]) == counted(reports[2])


@pytest.mark.parametrize("fov", ["set", "estimated", "whole"])
def test_where_pixels_count_can_be_said(fov: str, tmp_path: Path) -> None:
    own = folder_of(tmp_path, eyes=True, own=3)
    expected = {"set": disc(30).sum(), "estimated": disc().sum(), "whole": SIDE * SIDE}[fov]
    for report in reports_on(own, "--fov", fov):
        assert sources(report) == [fov] * 3
        np.testing.assert_allclose(counted(report), expected, rtol=0.5 * 2 / RADIUS)


def test_the_sets_own_field_of_view_is_refused_where_it_has_none_in_the_same_words_by_every_command(
    tmp_path: Path,
) -> None:
    root = folder_of(tmp_path, eyes=True, own=2)
    call = (model_that(tmp_path, "find"), "--data", f"folder:{root}", "--split", "all", "--fov", "set")
    errors = [
        run(command, *call, *more)
        for command, more in (
            ("evaluate", ()),
            ("compare", ("--predictions", tmp_path / "theirs")),
            ("cross", ()),
            ("report", ("-o", tmp_path / "report")),
        )
    ]
    assert {ran.status for ran in errors} == {1}
    (said,) = {ran.err for ran in errors}
    assert "2: has no field of view of its own" in said
    assert "--fov estimated" in said


def test_a_colleagues_masks_are_compared_with_a_model_on_a_plain_folder(tmp_path: Path) -> None:
    root = folder_of(tmp_path, eyes=True)
    call = ("--data", f"folder:{root}", "--split", "all", "--predictions", tmp_path / "theirs", "--no-published")
    ran = run("compare", model_that(tmp_path, "find"), *call)
    assert (ran.status, ran.err) == (0, "")
    assert "minus find" in ran.out


def test_results_that_count_other_pixels_are_refused_with_the_cause_and_compared_over_the_whole_image(
    tmp_path: Path,
) -> None:
    root = folder_of(tmp_path, eyes=True)
    files = []
    for fov in ("estimated", "whole"):
        files.append(tmp_path / f"{fov}.json")
        call = ("--predictions", tmp_path / "theirs", "--data", f"folder:{root}", "--split", "all", "--fov", fov)
        assert run("evaluate", *call, "--json", files[-1]).status == 0
    ran = run("compare", *files)
    assert ran.status == 2
    assert "inside an estimated field of view, the other the whole image" in ran.err
    assert "--fov" in ran.err
    assert run("compare", *files, "--scope", "image").status == 0
    ran = run("compare", *files, "--fov", "whole")
    assert (ran.status, "--data" in ran.err) == (2, True)


def test_a_page_on_images_that_are_no_fundus_photographs_has_no_word_of_a_field_of_view(tmp_path: Path) -> None:
    root = folder_of(tmp_path, eyes=False)
    call = ("--predictions", tmp_path / "theirs", "--data", f"folder:{root}", "--split", "all", "--no-boundary")
    out = tmp_path / "report"
    ran = run("report", model_that(tmp_path, "whole"), *call, "-o", out)
    assert (ran.status, ran.err) == (0, "")
    page = (out / "index.html").read_text(encoding="utf-8").lower()
    assert "whole image" in page
    assert "field of view" not in page
    assert "vessel" not in page.replace("model-whole", "")


def test_a_page_on_fundus_photographs_without_masks_of_the_fov_counts_inside_it(tmp_path: Path) -> None:
    root = folder_of(tmp_path, eyes=True)
    call = ("--predictions", tmp_path / "theirs", "--data", f"folder:{root}", "--split", "all", "--no-boundary")
    out = tmp_path / "report"
    assert run("report", model_that(tmp_path, "find"), *call, "-o", out).status == 0
    for report in json.loads((out / "report.json").read_text(encoding="utf-8"))["reports"]:
        assert sources(report) == ["estimated"] * 3
    assert "Inside the field of view" in (out / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["evaluate", "compare", "cross", "report"])
def test_a_part_that_a_folder_has_not_is_told_with_what_to_say_instead(command: str, tmp_path: Path) -> None:
    root = folder_of(tmp_path, eyes=True)
    ran = run(command, "vessels", "--data", f"folder:{root}")
    assert ran.status == 2
    assert "no part 'test'" in ran.err
    assert "--split all" in ran.err


@pytest.mark.parametrize("model", ["vesels", "missing.onnx", "no-run"])
def test_a_model_that_is_none_is_refused_in_the_same_words_by_every_command(model: str, tmp_path: Path) -> None:
    (tmp_path / "no-run").mkdir()
    name = tmp_path / model if model == "no-run" else model
    more: dict[str, tuple[object, ...]] = {"report": ("-o", tmp_path / "report")}
    commands = ("evaluate", "compare", "cross", "report")
    errors = [run(command, name, "--data", "synthetic:1", *more.get(command, ())) for command in commands]
    assert {ran.status for ran in errors} == {2}
    (said,) = {ran.err for ran in errors}
    assert model in said
