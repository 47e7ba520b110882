"""The pages of docs/results say what results/*.json say, and nothing else."""

from __future__ import annotations

import json
import math
import re
import statistics
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="needs matplotlib, which comes with foveate[evaluate]")
import write_results

from foveate.recipes.read import read_recipe
from known_reports import HALVES, report_of

ROOT = Path(__file__).parents[2]

PAGES = ROOT / "docs" / "results"
TABLES = [table for table in write_results.tables() if any(row.results for row in table.rows)]


@pytest.fixture(scope="module")
def written() -> dict[Path, str | bytes]:
    return write_results.texts()


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_a_page_of_results_is_what_its_script_writes(page: Path, written: dict[Path, str | bytes]) -> None:
    assert page.read_text(encoding="utf-8") == written[page]


def test_the_pictures_are_those_of_the_pages_and_no_others(written: dict[Path, str | bytes]) -> None:
    pages = {page: page.read_text(encoding="utf-8") for page in PAGES.glob("*.md")}
    linked = {page.parent / link for page, text in pages.items() for link in re.findall(r"\]\((\S+\.svg)\)", text)}
    assert (
        set(PAGES.rglob("*.svg")) == linked == {path for path, content in written.items() if isinstance(content, bytes)}
    )


def test_a_confusion_matrix_of_a_page_has_the_counts_of_its_run(written: dict[Path, str | bytes]) -> None:
    picture = written[PAGES / "pictures" / "003-drive-confusion.svg"]
    assert isinstance(picture, bytes)
    result = json.loads((ROOT / "results" / "003-drive-s0.json").read_text(encoding="utf-8"))
    counts = result["scores"]["drive"]["classes"]["vessel"]["fov"]["pooled"]["counts"]
    assert sorted(counts) == ["false_negative", "false_positive", "true_negative", "true_positive"]
    for count in counts.values():
        assert f"{count:,}".replace(",", " ").encode() in picture


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_row_of_a_page_has_the_f1_that_its_counts_give(table: write_results.Table) -> None:
    rows = re.findall(r"\| ours, seed \d+, (inside the FOV|whole image) \| (\d\.\d{4})", write_results.generated(table))
    expected = []
    done = [result for row in table.rows for result in row.results]
    scored = {name: scores["classes"] for result in done for name, scores in result["scores"].items()}
    for place, label in ((place, label) for place, classes in scored.items() for label in classes):
        for result in (result for result in done if place in result["scores"]):
            scopes = result["scores"][place]["classes"][label]
            everything = scopes["fov"]["pooled"]["counts"] == scopes["image"]["pooled"]["counts"]
            for scope, where in (("fov", "inside the FOV"), ("image", "whole image")):
                counts = scopes[scope]["pooled"]["counts"]
                hits = counts["true_positive"]
                f1 = 2 * hits / (2 * hits + counts["false_positive"] + counts["false_negative"])
                if scope == "image" or not everything:
                    expected.append((where, round(f1, 4)))
    assert [(where, float(cell)) for where, cell in rows] == expected


def test_a_row_without_a_result_is_named_as_not_trained(tmp_path: Path) -> None:
    text = (ROOT / "results" / "rows.toml").read_text(encoding="utf-8")
    (tmp_path / "rows.toml").write_text(text, encoding="utf-8")
    (table, *_) = write_results.tables(tmp_path)
    assert all(row.label in write_results.generated(table) for row in table.rows)
    assert not write_results.pictures(table)


def held_out_result(fold: int, seed: int, f1: dict[str, float], passes: int = 1) -> dict[str, object]:
    keys = ("data.folds=2", f"data.fold={fold}", f"training.seed={seed}", f"network.passes={passes}")
    recipe = read_recipe("region-guided-vessels", keys).model_dump(mode="json")
    if seed == 0:
        del recipe["augmentation"]["whole_pixels"]  # the first ones are of before there was this key
    return {
        "run": "held-out",
        "recipe": recipe,
        "images": dict.fromkeys(f1),
        "validation_f1": {name: [0.9, value] for name, value in f1.items()},
        "crops": 6400,
    }


def test_rows_without_test_images_are_held_against_the_first_one_fold_by_fold_on_its_sets() -> None:
    rows = [
        ("first", held_out_result(0, 0, {"a": 0.70, "b": 0.80})),
        ("first", held_out_result(1, 0, {"a": 0.60, "b": 0.70})),
        ("further seeds", held_out_result(0, 1, {"a": 0.72, "b": 0.80})),
        ("further seeds", held_out_result(0, 2, {"a": 0.74, "b": 0.80})),
        ("other", held_out_result(0, 0, {"a": 0.74, "b": 0.82, "c": 0.1}, passes=2)),
        ("other", held_out_result(1, 0, {"a": 0.61, "b": 0.73, "c": 0.1}, passes=2)),
        ("half done", held_out_result(1, 0, {"a": 0.61, "b": 0.71}, passes=3)),
    ]
    lines = list(write_results.held_out(rows))
    cells = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in lines if line[:2] == "| "}
    assert cells["row"][1:3] == ["a", "b"]
    assert cells["first"] == ["6,400", "0.6500", "0.7500", "0.7500", "0.6500", "0.7000", "–"]
    assert cells["other"] == ["6,400", "0.6750", "0.7750", "0.7800", "0.6700", "0.7250", "+0.0250"]
    assert cells["half done"] == ["6,400", "0.6100", "0.7100", "–", "0.6600", "0.6600", "+0.0100"]
    assert (
        "3 seeds of the first row's fold 0 have a standard deviation of 0.0100: a row counts from +0.0200." in lines[-2]
    )


def test_of_several_classes_each_has_a_table_and_figures_of_its_own() -> None:
    report, again = (report_of("av", number, classes=HALVES) for number in (1, 2))
    result = {
        "run": "av-s0",
        "seed": 0,
        "published": {},
        "scores": {"halves": json.loads(report.model_dump_json())},
        "procedures": {"otherwise": {"scores": {"halves": json.loads(again.model_dump_json())}}},
        "crops": 80,
        "best": {"epoch": 1, "f1": 0.5, "thresholds": [0.4]},
        "hours": 0.1,
        "precision": "32-true",
        "commit": "0" * 40,
        "hardware": {"processor": "a processor", "cores": 2},
        "resumed": 0,
        "command": "foveate train",
        "curves": {"loss": [1.0], "validation_loss": [1.0], "mean_f1": [0.5], "learning_rate": [0.01]},
    }
    row = write_results.Row("av", "both halves", (0,), 1, (result,))
    table = write_results.Table("av", "Halves", "to nothing", (row,))
    text, pictures = write_results.generated(table), write_results.pictures(table)
    for name in ("upper", "lower"):
        _, _, part = text.partition(f"images), {name}, all pixels together:")
        rows = part.partition("\n\n")[2].partition("\n\n")[0]
        for words, scored in (("inside the FOV", report), ("inside the FOV, otherwise", again)):
            f1 = scored.classes[name].fov.pooled.values["f1"]
            assert f"| both halves | ours, seed 0, {words} | {f1:.4f}" in rows
        assert {f"av-halves-{name}-{kind}.svg" for kind in ("roc", "precision-recall", "confusion")} < pictures.keys()
        assert f"![ROC curves, {name}, on halves](pictures/av-halves-{name}-roc.svg)" in text


def test_rows_with_a_test_set_each_stand_in_one_table_with_the_mean_of_those_that_count() -> None:
    table = next(table for table in write_results.tables() if table.name == "unseen")
    short = write_results.generated(table).partition("\n\nOn ")[0]
    cells = {line.split(" | ")[0].strip("| "): line.strip("| ").split(" | ")[1:] for line in short.splitlines()}
    counted = list[float]()
    for row in table.rows:
        for result in row.results:
            ((name, scored),) = result["scores"].items()
            counts = scored["classes"]["vessel"]["fov"]["pooled"]["counts"]
            hits, found = counts["true_positive"], counts["true_positive"] + counts["false_positive"]
            there = hits + counts["false_negative"]
            again = {name: each["scores"] for name, each in result.get("procedures", {}).items()}
            f1, surest, second, best, sensitivity, precision, worst = (
                float(cell.replace("–", "nan")) for cell in cells[row.label]
            )
            expected = [2 * hits / (found + there), hits / there, hits / found]
            assert [f1, sensitivity, precision] == pytest.approx(expected, abs=5e-5)
            assert f1 <= best + 1e-3  # the curve has fewer points than there are thresholds
            assert worst == min(
                round(image["classes"]["vessel"]["fov"]["values"]["f1"], 4) for image in scored["images"]
            )
            assert math.isnan(second) == (scored["second_observer"] is None)
            if math.isnan(surest):
                assert "at the surest size" not in again
            else:
                counts = again["at the surest size"][name]["classes"]["vessel"]["fov"]["pooled"]["counts"]
                wrong = counts["false_positive"] + counts["false_negative"]
                twice = 2 * counts["true_positive"]
                assert surest == pytest.approx(twice / (twice + wrong), abs=5e-5)
            counted += [f1] if name in ("drive", "chase_db1", "stare", "hrf") else []
    assert float(cells["mean of drive, chase_db1, stare, hrf"][0]) == pytest.approx(statistics.fmean(counted), abs=1e-4)


def test_every_result_is_of_a_row_that_is_asked_for_and_names_the_commit_that_trained_it() -> None:
    asked = {f"{row.id}-s{seed}" for table in write_results.tables() for row in table.rows for seed in row.seeds}
    for file in (ROOT / "results").glob("*.json"):
        result = json.loads(file.read_text(encoding="utf-8"))
        assert file.stem == result["run"]
        assert result["run"] in asked
        assert re.fullmatch(r"[0-9a-f]{40}", result["commit"])


def test_folds_are_one_mean_over_all_their_images() -> None:
    folds: dict[str, list[float | None]] = {"ours-fold0": [0.25, 0.75], "ours-fold1": [None, 0.5]}
    results = [
        {
            "scores": {
                name: {
                    "classes": {"lesion": {}},
                    "images": [{"classes": {"lesion": {"image": {"values": {"f1": value}}}}} for value in values],
                }
            }
        }
        for name, values in folds.items()
    ]
    said, _ = write_results.over_folds(results)
    assert said.startswith(
        "Over 2 folds of ours, 4 images, each by a network that hasn't seen it, whole image: mean F1 0.5000 ("
    )
    assert not list(write_results.over_folds([{"scores": {"drive": {}}}]))
