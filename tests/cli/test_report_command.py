import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets.sets.synthetic import entries
from foveate.pictures import OUTCOMES
from foveate_command import green_model, names, run
from known_model import known_model

LOG = """epoch,loss,validation_loss,mean_f1,f1_synthetic,threshold,learning_rate,best,images_per_second,seconds
1,1.5,1.4,0.6,0.6,0.5,0.01,0,1,9
2,1.1,1.0,0.7,0.7,0.5,0.01,1,1,9
"""

SYNTHETIC = ("--data", "synthetic:2", "--no-boundary")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two models with its pictures."""
    folder = tmp_path_factory.mktemp("written") / "deep" / "report"
    options = ("--pictures", "png", "--colours", "paper", "--empty", "one", "--no-vessels")
    ran = run("report", green_model(), "vessels", *SYNTHETIC, "-o", folder, *options)
    assert (ran.status, ran.err) == (0, "")
    assert str(folder / "index.html") in ran.out
    assert ran.out.count("Expected F1 of vessel masks") == 2
    return folder


def test_the_page_has_the_scores_that_are_in_the_json_beside_it(written: Path) -> None:
    page = (written / "index.html").read_text(encoding="utf-8")
    both = json.loads((written / "report.json").read_text(encoding="utf-8"))["reports"]
    assert [report["model"]["name"] for report in both] == ["green", "vessels"]
    for report in both:
        assert report["protocol"]["empty"] == "one"
        assert report["protocol"]["measures"] == ["mask", "probability"]
        for scope in ("fov", "image"):
            assert f"<td>{report['classes']['vessel'][scope]['pooled']['values']['f1']:.4f}" in page
    assert "http://" not in page
    assert "https://" not in page


def test_every_picture_is_a_file_of_its_own(written: Path) -> None:
    found = names(written / "pictures")
    figures = {"roc", "precision_recall", "scores", "reliability", "expected_f1", "risk_coverage"}
    figures |= {"confusion_green", "confusion_vessels"}
    assert {f"synthetic_test_{name}.png" for name in figures} <= found
    ids = [entry.id for entry in entries("2") if entry.split == "test"]
    images = {
        f"synthetic_test_{case}_{model}_{kind}.png"
        for case in ids
        for model in ("green", "vessels")
        for kind in ("strip", "vessel_analytic", "vessel_missed")
    }
    assert images <= found
    assert len(found) == len(figures) + len(images)
    with PillowImage.open(written / "pictures" / f"synthetic_test_{ids[0]}_green_vessel_analytic.png") as image:
        colours = {tuple(pixel) for pixel in np.asarray(image).reshape(-1, 3).tolist()}
    assert {OUTCOMES["paper"].true_positive, OUTCOMES["paper"].false_negative} <= colours
    assert OUTCOMES["safe"].true_positive not in colours


def finished_run(folder: Path) -> Path:
    """What a run leaves behind, with the model whose answer is known as its export."""
    model = known_model(folder)
    (folder / "best.safetensors").touch()
    model.rename(folder / "model.onnx").touch()
    card = json.loads((folder / "card.json").read_text(encoding="utf-8")) | {"file": "model.onnx"}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "log.csv").write_text(LOG, encoding="utf-8")
    return folder


def test_the_runs_that_are_given_stand_in_one_plot_of_how_they_learned_by_their_folders_names(tmp_path: Path) -> None:
    runs = [finished_run(tmp_path / name) for name in ("first", "second")]
    ran = run("report", *runs, *SYNTHETIC, "-o", tmp_path / "report", "--pictures", "svg")
    assert (ran.status, ran.err) == (0, "")
    both = json.loads((tmp_path / "report" / "report.json").read_text(encoding="utf-8"))["reports"]
    assert [report["model"]["name"] for report in both] == ["first", "second"]
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "first: best validation F1 0.7000; second: best validation F1 0.7000" in page
    assert "runs_learning.svg" in names(tmp_path / "report" / "pictures")


@pytest.mark.parametrize("there", ["index.html", "report.json", "pictures"])
def test_a_report_that_is_there_is_kept_unless_replacing_is_asked_for(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine", encoding="utf-8")
    ran = run("report", green_model(), *SYNTHETIC, "-o", tmp_path, "--pictures", "png")
    assert ran.status == 1
    (line,) = ran.errors
    assert str(tmp_path / there) in line
    assert "--overwrite" in line
    assert names(tmp_path) == {there}
    assert (tmp_path / there).read_text(encoding="utf-8") == "mine"


def test_a_report_is_replaced_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    assert run("report", green_model(), *SYNTHETIC, "-o", tmp_path, "--overwrite").status == 0
    assert (tmp_path / "index.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert names(tmp_path) == {"index.html", "report.json"}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("vessels",), "--data"),
        (("--data", "synthetic:2"), "--predictions"),
        (("vesels", "--data", "synthetic:2"), "'vessels'"),
        (("vessels", "--data", "synthetic:2", "--split", "tset"), "'test'"),
        (("vessels", "--data", "synthetic:2", "--size", "big"), "HEIGHTxWIDTH"),
        (("vessels", "--data", "synthetic:2", "--pictures", "bmp"), "bmp"),
    ],
)
def test_a_wrong_call_is_told_in_one_line_and_nothing_is_written(
    arguments: tuple[str, ...], part: str, tmp_path: Path
) -> None:
    ran = run("report", *arguments, "-o", tmp_path / "report")
    assert ran.status == 2
    (line,) = ran.errors
    assert part in line
    assert names(tmp_path) == set()


@pytest.mark.slow
def test_the_page_of_drives_20_images_is_small_and_has_the_published_rows_beside_it(
    shared_data: Path, tmp_path: Path
) -> None:
    quickly = ("--no-boundary", "--no-vessels")
    ran = run("report", "vessels", "--data", f"drive:{shared_data / 'DRIVE'}", *quickly, "-o", tmp_path)
    assert ran.status == 0
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert len(page) < 6_000_000
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    rising = sorted(report["images"], key=lambda row: row["classes"]["vessel"]["fov"]["values"]["f1"])
    for why, row in (("Best", rising[-1]), ("Median", rising[9]), ("Worst", rising[0])):
        assert f"{why} image: {row['id']}</h4>" in page
    assert "second observer" in page
    assert "the row was counted inside the field of view" in page
    assert "not to be redistributed" in page


def test_the_attention_of_the_shipped_model_is_drawn_over_a_photograph(tmp_path: Path) -> None:
    case = next(iter(entries("1"))).load()
    PillowImage.fromarray(case.image).save(tmp_path / "eye.png")
    sheet = tmp_path / "attention.png"
    ran = run("attention", "vessels", tmp_path / "eye.png", "-o", sheet)
    assert (ran.status, ran.err) == (0, "")
    assert "iaa.0, iaa.1, iaa.2" in ran.out
    with PillowImage.open(sheet) as image:
        assert image.width > 4 * image.height / 2
    before = sheet.read_bytes()
    again = run("attention", "vessels", tmp_path / "eye.png", "-o", sheet)
    assert again.status == 1
    assert "--overwrite" in again.err
    assert run("attention", "vessels", tmp_path / "eye.png", "-o", sheet, "--overwrite").status == 0
    assert sheet.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("vessels", "eye.png", "-o", "sheet.jpg"), ".svg"),
        (("vesels", "eye.png", "-o", "sheet.png"), "'vessels'"),
        (("vessels", "missing.png", "-o", "sheet.png"), "missing.png"),
        ((".", "eye.png", "-o", "sheet.png"), "best.safetensors"),
    ],
)
def test_a_wrong_call_of_attention_is_told_in_one_line(
    arguments: tuple[str, ...], part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    PillowImage.fromarray(np.full((64, 64, 3), 90, np.uint8)).save("eye.png")
    ran = run("attention", *arguments)
    assert ran.status == 2
    (line,) = ran.errors
    assert part in line
    assert names(tmp_path) == {"eye.png"}
