"""`foveate compare` and `foveate cross`, on drawn photographs and models whose answer is known."""

import csv
import io
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import wilcoxon  # type: ignore[import-untyped]

from foveate.datasets.sets.synthetic import entries
from foveate.published import rows
from foveate_command import Ran, run
from known_model import known_model

SET = "synthetic:6"
FEW = ("--measure", "f1", "--measure", "precision")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models that differ in their threshold."""
    folder = tmp_path_factory.mktemp("models")
    return known_model(folder / "a", name="low", threshold=0.33), known_model(folder / "b", name="high", threshold=0.36)


@pytest.fixture(scope="module")
def results(models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What `foveate evaluate` writes of both."""
    folder = tmp_path_factory.mktemp("results")
    files = (folder / "low.json", folder / "high.json")
    for model, file in zip(models, files, strict=True):
        ran = run("evaluate", model, "--data", SET, "--no-vessels", "--no-boundary", "--json", file)
        assert ran.status == 0, ran.err
    return files


def compared(*arguments: object) -> Any:
    ran = run("compare", *arguments, "--format", "json")
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


def f1_by_image(file: Path) -> list[float]:
    report = json.loads(file.read_text(encoding="utf-8"))
    return [row["classes"]["vessel"]["fov"]["values"]["f1"] for row in report["images"]]


def test_results_in_files_are_compared_as_the_models_themselves(
    models: tuple[Path, Path], results: tuple[Path, Path]
) -> None:
    from_files, from_models = compared(*results, *FEW), compared(*models, "--data", SET, *FEW)
    mixed = compared(models[0], results[1], "--data", SET, *FEW)
    for other in (from_models, mixed):
        assert [each["name"] for each in other["models"]] == ["low", "high"]
        assert [each["measures"] for each in other["models"]] == [each["measures"] for each in from_files["models"]]


def test_the_test_is_wilcoxons_over_images_with_holms_correction(results: tuple[Path, Path]) -> None:
    document = compared(*results, *FEW)
    low, high = map(f1_by_image, results)
    found = document["models"][1]["measures"]["f1"]["against_first"]
    assert found["difference"] == pytest.approx(np.subtract(high, low).mean(), rel=1e-9)
    assert found["p"] == pytest.approx(wilcoxon(high, low, method="exact").pvalue, rel=1e-9)
    p = {name: each["against_first"]["p"] for name, each in document["models"][1]["measures"].items()}
    corrected = {name: each["against_first"]["corrected"] for name, each in document["models"][1]["measures"].items()}
    assert document["tests"] == len(p) == 2
    assert min(corrected.values()) == pytest.approx(min(2 * min(p.values()), 1), rel=1e-9)
    assert found["interval"][0] <= found["difference"] <= found["interval"][1]
    assert document["models"][0]["measures"]["f1"]["against_first"] is None


def test_a_model_is_no_different_from_itself(results: tuple[Path, Path], tmp_path: Path) -> None:
    again = tmp_path / "again.json"
    again.write_bytes(results[0].read_bytes())
    model = compared(results[0], again, *FEW)["models"][1]
    assert model["name"] == f"low ({again})"
    assert model["measures"]["f1"]["against_first"] | {"interval": None} == {
        "images": len(f1_by_image(again)),
        "difference": 0,
        "interval": None,
        "groups": 0,
        "p": None,
        "smallest": None,
        "corrected": None,
    }


def test_the_images_that_a_mean_leaves_out_are_counted_below_it(results: tuple[Path, Path], tmp_path: Path) -> None:
    files, images = [], len(f1_by_image(results[0]))
    for file in results:
        document = json.loads(file.read_text(encoding="utf-8"))
        per_image = document["classes"]["vessel"]["fov"]["per_image"]
        per_image["undefined"]["precision"] = images - 1
        files.append(tmp_path / file.name)
        files[-1].write_text(json.dumps(document), encoding="utf-8")
    (first, _) = compared(*files, *FEW)["models"]
    assert [first["measures"][name]["undefined"] for name in ("f1", "precision")] == [0, images - 1]
    rows = [line.split() for line in run("compare", *files, *FEW).out.splitlines()]
    assert [row[2:4] for row in rows if row[:2] == ["images", "undefined"]] == [["0", str(images - 1)]] * 2
    assert "undefined" not in run("compare", *results, *FEW).out


def in_patients(file: Path, patients: int, folder: Path) -> Path:
    """The same result, its images said to be of so many patients by turns."""
    document = json.loads(file.read_text(encoding="utf-8"))
    for number, row in enumerate(document["images"]):
        row["group"] = str(number % patients)
    (folder / file.name).write_text(json.dumps(document), encoding="utf-8")
    return folder / file.name


def test_p_goes_by_patients_and_the_table_says_what_it_cannot_fall_below(
    results: tuple[Path, Path], tmp_path: Path
) -> None:
    for patients in (6, 3):
        files = [in_patients(file, patients, tmp_path) for file in results]
        document = compared(*files, *FEW)
        against = [each["against_first"] for each in document["models"][1]["measures"].values()]
        assert {each["groups"] for each in against} == {patients}
        # All groups on one side, or all on the other; twice that by Holm's correction for two tests.
        smallest = min(1.0, 2 * 2 / 2**patients)
        assert document["smallest"] == smallest
        assert min(each["corrected"] for each in against) >= smallest
        text = " ".join(run("compare", *files, *FEW).out.split())
        assert f"With {patients} groups it can't fall below {smallest:.4f}." in text


def test_time_and_size_of_a_model_stand_beside_its_scores(results: tuple[Path, Path]) -> None:
    report = json.loads(results[0].read_text(encoding="utf-8"))
    (first, _) = compared(*results, *FEW)["models"]
    assert first["milliseconds"] == pytest.approx(1000 * statistics.median(row["seconds"] for row in report["images"]))
    assert first["model"]["parameters"] == report["model"]["parameters"]


def test_masks_that_were_read_from_files_have_no_time(results: tuple[Path, Path], tmp_path: Path) -> None:
    document = json.loads(results[1].read_text(encoding="utf-8"))
    document["model"] = {"name": "masks"}
    masks = tmp_path / "masks.json"
    masks.write_text(json.dumps(document), encoding="utf-8")
    (model, read) = compared(results[0], masks, *FEW)["models"]
    assert model["milliseconds"] > 0
    assert read["milliseconds"] is None


@pytest.mark.parametrize(
    ("form", "ending"), [("markdown", ".md"), ("csv", ".csv"), ("latex", ".tex"), ("json", ".json")]
)
def test_a_files_ending_chooses_the_form_and_the_protocol_stands_in_it(
    form: str, ending: str, results: tuple[Path, Path], tmp_path: Path
) -> None:
    file = tmp_path / f"table{ending}"
    ran = run("compare", *results, *FEW, "-o", file)
    assert (ran.status, ran.err) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert text == run("compare", *results, *FEW, "--format", form).out
    assert text.count("0.3300 (nothing at all)") == (2 if form == "csv" else 1)  # in each line of numbers
    assert text.count("0.3600 (nothing at all)") == (2 if form == "csv" else 1)
    again = run("compare", *results, *FEW, "-o", file)
    assert again.status == 1
    assert "--overwrite" in again.errors[0]


def values_of(document: Any) -> list[float]:
    return [each["measures"][name]["pooled"] for each in document["models"] for name in ("f1", "precision")]


def test_every_form_has_the_same_numbers(results: tuple[Path, Path]) -> None:
    expected = values_of(compared(*results, *FEW))
    lines = list(csv.DictReader(io.StringIO(run("compare", *results, *FEW, "--format", "csv").out)))
    assert [float(line["pooled"]) for line in lines] == expected
    for form in ("terminal", "markdown", "latex"):
        text = run("compare", *results, *FEW, "--format", form).out
        assert [f"{value:.4f}" in text for value in expected] == [True] * 4, form


def test_latex_has_nothing_that_latex_would_trip_over(results: tuple[Path, Path]) -> None:
    text = run("compare", *results, *FEW, "--format", "latex").out
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    rows_of_it = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {line.count("&") for line in rows_of_it} == {5}  # two measures and three costs
    notes = text[text.index(r"\footnotesize") :]
    assert "95 \\%" in notes
    assert not any(letter in notes.replace(r"\%", "").replace(r"\_", "") for letter in "%_&#")


def test_published_rows_of_the_set_are_set_apart_with_their_conditions(shared_data: Path) -> None:
    drive = shared_data / "DRIVE"
    if not drive.is_dir():
        pytest.skip(f"the public data set is not at {drive}")
    own = [row for row in rows() if row.set == "drive" and row.own and "f1" in row.values]
    arguments = ("compare", "vessels", "--data", f"drive:{drive}", "--split", "validation", "--measure", "f1")
    text = run(*arguments).out
    lines = list(csv.DictReader(io.StringIO(run(*arguments, "--format", "csv").out)))
    assert all(None not in line and None not in line.values() for line in lines)  # as many cells as headings
    proposed = [line for line in lines if line["model"] == "003 III Proposed Method"]
    assert [(each["kind"], each["pooled"], each["parameters"]) for each in proposed] == [
        ("published", "0.8166", "40000")
    ]
    measured, published = text.split("published, not measured here")
    assert "vessels, pooled" in measured
    for row in own:
        assert f"{row.paper} {row.tables[0]} {row.name}" in published
        assert row.values["f1"].text in published
    assert f"size {own[0].conditions.size}" in published
    assert "no test scores, of the 2 images the model has seen 2 in validation" in published
    assert "published" not in run(*arguments, "--no-published").out.lower()


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda report: report["images"].pop(), ("has the image",)),
        (lambda report: report["protocol"].update(size="64×64"), ("image size", "'native'", "'64×64'")),
        (lambda report: report["protocol"].update(empty="one"), ("empty truth", "'one'")),
        (lambda report: counts_of(report).update(true_positive=0), ("counts", "other truths")),
    ],
)
def test_results_of_other_images_or_other_counting_are_refused_with_what_differs(
    change: Any, parts: tuple[str, ...], results: tuple[Path, Path], tmp_path: Path
) -> None:
    report = json.loads(results[1].read_text(encoding="utf-8"))
    change(report)
    other = tmp_path / "other.json"
    other.write_text(json.dumps(report), encoding="utf-8")
    refused(run("compare", results[0], other), "low", "high", *parts)


def counts_of(report: Any) -> Any:
    return report["images"][0]["classes"]["vessel"]["fov"]["counts"]


def refused(ran: Ran, *parts: str) -> None:
    assert ran.status == 2
    (line,) = ran.errors
    assert [part for part in parts if part not in line] == []


def test_a_wrong_call_is_told_in_one_line(results: tuple[Path, Path], tmp_path: Path) -> None:
    refused(run("compare"), "models", "--predictions")
    refused(run("compare", "vessels"), "--data")
    refused(run("compare", *results, "--measure", "f2"), "unknown measure 'f2'", "Did you mean 'f1'")
    refused(run("compare", *results, "--measure", "cldice"), "none of the models has cldice")
    refused(run("compare", tmp_path / "none.json"), "none.json", "can't be read")
    refused(run("compare", results[0], "vessels", "--data", "synthetic:1", "--split", "train"), "has no result on")
    refused(run("compare", results[0], results[0]), "given twice")
    refused(run("compare", *results, "-o", tmp_path / "table.doc"), "table.doc", "--format")
    (tmp_path / "old.json").write_text('{"schema_version": 1}')
    ran = run("compare", tmp_path / "old.json")
    assert ran.status == 1
    assert "old.json: is no result of this version's" in ran.errors[0]


def test_a_matrix_marks_the_scores_on_images_that_a_model_has_seen(tmp_path: Path) -> None:
    first, second = ([entry.id for entry in entries(str(number)) if entry.split == "test"] for number in (2, 3))
    assert set(first) < set(second)
    (extra,) = set(second) - set(first)
    clean = known_model(tmp_path / "clean", name="clean", on="elsewhere", training=tuple(first))
    leaky = known_model(tmp_path / "leaky", name="leaky", training=(extra,))
    call = ("cross", clean, leaky, "--data", "synthetic:2", "--data", "synthetic:3")
    ran = run(*call)
    assert ran.status == 0, ran.err
    table = ran.out[: ran.out.index("\n* ")].splitlines()
    lines = {line.split()[0]: line for line in table if line.startswith(("clean", "leaky"))}
    assert lines["clean"].count("*") == 0
    assert lines["leaky"].count("*") == 1
    assert lines["leaky"].rstrip().endswith("*")
    assert "elsewhere" in lines["clean"]
    assert "leaky on synthetic:3: of 3 images the model has seen 1 in training" in ran.out
    document = json.loads(run(*call, "--format", "json").out)
    cells = [cell["value"] for row in document["rows"] for cell in row["cells"].values()]
    lines_of = list(csv.DictReader(io.StringIO(run(*call, "--format", "csv").out)))
    assert [float(line["value"]) for line in lines_of] == cells
    assert [line["seen_in_training"] for line in lines_of] == ["0", "0", "0", "1"]
    alone = json.loads(run("cross", clean, "--data", "synthetic:3", "--format", "json").out)
    assert alone["rows"][0]["cells"]["synthetic"]["value"] == cells[1]


def test_a_matrix_of_what_can_not_be_pooled_is_refused(models: tuple[Path, Path]) -> None:
    refused(run("cross", *models, "--data", "synthetic:1", "--measure", "hausdorff_95"), "hausdorff_95", "such as f1")
