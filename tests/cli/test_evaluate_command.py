import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]

import foveate
from foveate.arrays.postprocess import PostProcessing
from foveate.datasets import SETS
from foveate.datasets.sets.synthetic import entries
from foveate.errors import install_line
from foveate.evaluation.card.min_size import with_min_size_for
from foveate.evaluation.measures import MEASURES
from foveate.imaging import write_mask
from foveate.inference import Segmenter
from foveate.inference.procedure import Procedure
from foveate.models import open_model
from foveate.records import Case, Mask
from foveate_command import Ran, green_model, run, run_apart
from known_model import known_model


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """`foveate evaluate` on two drawn photographs in a process of its own, and the file that it wrote."""
    file = tmp_path_factory.mktemp("evaluated") / "deep" / "vessels.json"
    return run_apart("evaluate", "vessels", "--data", "synthetic:2", "--json", file), file


def f1_from_masks(pairs: list[tuple[Any, Any]]) -> float:
    predicted, true = (np.concatenate(masks) for masks in zip(*pairs, strict=True))
    both = np.count_nonzero(predicted & true)
    return 2 * both / (np.count_nonzero(predicted) + np.count_nonzero(true))


def test_the_f1_in_the_report_is_that_of_the_masks_that_python_gives(evaluated: tuple[Ran, Path]) -> None:
    ran, file = evaluated
    assert (ran.status, ran.err) == (0, "")
    report = json.loads(file.read_text(encoding="utf-8"))
    vessels = foveate.load("vessels")
    cases = [entry.load() for entry in entries("2") if entry.split == "test"]
    masks = [vessels.segment(case.image).mask for case in cases]
    fovs = [case.fov for case in cases]
    assert all(fov is not None for fov in fovs)
    inside = f1_from_masks([(m[f], c.mask[f]) for m, f, c in zip(masks, fovs, cases, strict=True)])
    everywhere = f1_from_masks([(m.ravel(), c.mask.ravel()) for m, c in zip(masks, cases, strict=True)])
    assert 0 < inside < 1
    # Another order of the same operations in double precision.
    scopes = report["classes"]["vessel"]
    assert scopes["fov"]["pooled"]["values"]["f1"] == pytest.approx(inside, abs=1e-12)
    assert scopes["image"]["pooled"]["values"]["f1"] == pytest.approx(everywhere, abs=1e-12)
    assert [row["id"] for row in report["images"]] == [case.id for case in cases]
    card = open_model("vessels").card
    model = report["model"]
    assert (model["name"], model["sha256"], model["parameters"]) == (card.name, card.sha256, card.parameters)
    assert model["trained_on"] == [each.set for each in card.training_data]
    assert report["protocol"]["threshold"] == {"values": list(card.thresholds), "origin": card.threshold_from}
    data = report["data"]
    assert (data["set"], data["split"], data["count"], data["seen_in_training"]) == ("synthetic", "test", 2, 0)


def test_the_terminal_shows_the_scores_of_the_report_on_lines_that_fit(evaluated: tuple[Ran, Path]) -> None:
    ran, file = evaluated
    scopes = json.loads(file.read_text(encoding="utf-8"))["classes"]["vessel"]
    lines = {line[:19].strip(): line[19:].split() for line in ran.out.splitlines()}
    for name in ("f1", "sensitivity", "specificity", "roc auc"):
        shown = [f"{scopes[scope]['pooled']['values'][name.replace(' ', '_')]:.4f}" for scope in ("fov", "image")]
        values = [cell for cell in lines[name] if "–" not in cell]
        assert values[::2] == shown, name
    assert max(map(len, ran.out.splitlines()[:30])) <= 140
    assert "Expected F1 of vessel masks" in ran.out
    assert "not a medical device" in ran.out
    assert str(file) in ran.out


def test_a_table_with_groups_and_a_second_observer_fits_on_140_columns(shared_data: Path) -> None:
    chase = shared_data / "CHASE_DB1"
    if not chase.is_dir():
        pytest.skip(f"the public data set is not at {chase}")
    ran = run("evaluate", green_model(), "--data", f"chase_db1:{chase}", "--no-vessels", "--no-boundary")
    assert ran.status == 0, ran.err
    table = ran.out[: ran.out.index("Expected F1")].splitlines()
    assert len(table) == 3 + len(MASK_AND_PROBABILITY)  # a header of three lines, and no row is broken
    assert "mean over groups" in table[1] + table[2]
    assert all(len(line.rstrip()) <= 140 for line in table)


def result(*arguments: object, to: Path) -> Any:
    """What `foveate evaluate`, with the model whose answer is known, writes as JSON."""
    ran = run("evaluate", *arguments, "--json", to, "--overwrite")
    assert ran.status == 0, ran.err
    return json.loads(to.read_text(encoding="utf-8"))


def f1_of(report: Any) -> float:
    return float(report["classes"]["vessel"]["image"]["pooled"]["values"]["f1"])


def drawn_cases(number: int) -> list[Case]:
    return [entry.load() for entry in entries(str(number)) if entry.split == "test"]


def write_masks(folder: Path, masks: list[Mask], cases: list[Case], ending: str = "_mask.png") -> None:
    folder.mkdir()
    for mask, case in zip(masks, cases, strict=True):
        write_mask(mask, folder / f"{case.id}{ending}")


MASK_AND_PROBABILITY = [name for name, each in MEASURES.items() if each.group in ("mask", "probability")]
PLAIN = ("--data", "synthetic:2", "--no-vessels", "--no-boundary")


def test_several_models_and_sets_are_one_report_for_each_pair_in_order(tmp_path: Path) -> None:
    content = result(
        green_model(), green_model(), *PLAIN, "--data", "synthetic:1", "--split", "all", to=tmp_path / "r.json"
    )
    found = [(each["model"]["name"], each["data"]["count"]) for each in content["reports"]]
    assert found == [("green", len(entries("2")))] * 2 + [("green", len(entries("1")))] * 2
    assert f1_of(content["reports"][0]) == f1_of(content["reports"][1])


def test_masks_made_elsewhere_are_scored_by_their_names(tmp_path: Path) -> None:
    cases = drawn_cases(2)
    masks = [ndimage.binary_dilation(case.mask) for case in cases]
    write_masks(tmp_path / "masks", masks, cases)
    report = result("--predictions", tmp_path / "masks", *PLAIN, to=tmp_path / "r.json")
    expected = f1_from_masks([(mask.ravel(), case.mask.ravel()) for mask, case in zip(masks, cases, strict=True)])
    assert f1_of(report) == pytest.approx(expected, abs=1e-12)
    assert report["protocol"]["threshold"] is None
    assert report["curves"] == report["confidence"] == {}
    assert report["model"]["name"] == "masks"


def test_a_model_of_other_classes_is_refused_before_anything_is_scored(tmp_path: Path) -> None:
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        pixels = np.eye(32, dtype=np.uint8) if kind == "masks" else np.full((32, 32, 3), 90, np.uint8)
        PillowImage.fromarray(pixels).save(tmp_path / kind / "one.png")
    (tmp_path / "classes.csv").write_text("value,name\n1,artery\n2,vein\n", encoding="utf-8")
    swapped = known_model(tmp_path / "swapped", classes=("vein", "artery"))
    for sets, model, parts in (
        (("synthetic:1", f"folder:{tmp_path}"), green_model(), ("green", "vessel")),
        ((f"folder:{tmp_path}",), swapped, ("known tells vein, artery apart", "artery, vein")),
    ):
        ran = run("evaluate", model, *(word for each in sets for word in ("--data", each)), "--split", "all")
        assert (ran.status, ran.out) == (2, "")
        (line,) = ran.errors
        assert all(part in line for part in parts)


def test_a_class_is_left_out_of_the_scores_of_others_where_there_are_several(tmp_path: Path) -> None:
    labels = np.zeros((32, 32), np.uint8)
    labels[4:12], labels[8:16, 16:] = 1, 2
    for kind, pixels in (("images", np.full((32, 32, 3), 90, np.uint8)), ("masks", labels), ("theirs", labels)):
        (tmp_path / kind).mkdir()
        PillowImage.fromarray(pixels).save(tmp_path / kind / "one.png")
    (tmp_path / "classes.csv").write_text("value,name\n1,artery\n2,crossing\n", encoding="utf-8")
    theirs = ("--data", f"folder:{tmp_path}", "--split", "all", "--predictions", tmp_path / "theirs")
    for command, file in (("evaluate", ("--json", tmp_path / "out.json")), ("report", ("--out", tmp_path / "report"))):
        ran = run(command, *theirs, "--leave-out", "crossing", *file)
        assert (ran.status, ran.err) == (0, "")
    for path in (tmp_path / "out.json", tmp_path / "report" / "report.json"):
        report = json.loads(path.read_text(encoding="utf-8"))
        assert report["protocol"]["left_out"] == ["crossing"]
        counts = {name: sum(of["image"]["pooled"]["counts"].values()) for name, of in report["classes"].items()}
        assert counts == {"artery": 32 * 32 - (labels == 2).sum(), "crossing": 32 * 32}
    for words, told in (
        (("--leave-out", "crosing", *theirs), "Did you mean 'crossing'"),
        (("--leave-out", "vessel", green_model(), *PLAIN), "vessel alone"),
    ):
        ran = run("evaluate", *words)
        assert (ran.status, ran.out) == (2, "")
        (line,) = ran.errors
        assert told in line


def test_maps_made_elsewhere_are_scored_at_the_threshold_that_is_given(tmp_path: Path) -> None:
    folder, cases = tmp_path / "maps", drawn_cases(2)
    folder.mkdir()
    for case in cases:
        PillowImage.fromarray(case.image[..., 1]).save(folder / f"{case.id}.png")
    report = result("--predictions", folder, "--threshold", 0.35, *PLAIN, to=tmp_path / "r.json")
    pairs = [(case.image[..., 1].ravel() >= 0.35 * 255, case.mask.ravel()) for case in cases]
    assert f1_of(report) == pytest.approx(f1_from_masks(pairs), abs=1e-12)
    assert report["protocol"]["threshold"] == {"values": [0.35], "origin": "the command line"}
    assert report["curves"]["vessel"]["roc"] is not None


def test_a_papers_size_and_an_empty_truth_that_counts_one_are_in_the_protocol(tmp_path: Path) -> None:
    plain = result(green_model(), *PLAIN, to=tmp_path / "a.json")
    small = result(green_model(), *PLAIN, "--size", "96x128", "--empty", "one", to=tmp_path / "b.json")
    assert (small["protocol"]["size"], small["protocol"]["empty"]) == ("96×128", "one")
    assert (plain["protocol"]["size"], plain["protocol"]["empty"]) == ("native", "left out")
    counts = small["images"][0]["classes"]["vessel"]["image"]["counts"]
    assert sum(counts.values()) == 96 * 128


def refined_f1(procedure: Procedure) -> float:
    segmenter = Segmenter.open(green_model(), procedure=procedure)
    return f1_from_masks([(segmenter.segment(case.image).mask.ravel(), case.mask.ravel()) for case in drawn_cases(2)])


@pytest.mark.parametrize(
    ("options", "procedure", "words"),
    [
        (("--tta", 2), Procedure(2), ("mean of 2 views (left and right)", "none")),
        (
            ("--hysteresis", 0.2),
            Procedure(post_processing=PostProcessing(hysteresis=0.2)),
            ("one forward pass", "hysteresis 0.2"),
        ),
        (
            ("--min-size", 40),
            Procedure(post_processing=PostProcessing(min_size=40)),
            ("one forward pass", "min_size 40"),
        ),
        (
            ("--largest", "--fill-holes", -1),
            Procedure(post_processing=PostProcessing(largest=True, fill_holes=-1)),
            ("one forward pass", "largest, fill_holes -1"),
        ),
    ],
)
def test_views_and_post_processing_change_the_masks_and_are_in_the_protocol(
    options: tuple[object, ...], procedure: Procedure, words: tuple[str, str], tmp_path: Path
) -> None:
    report = result(green_model(), *PLAIN, *options, to=tmp_path / "r.json")
    assert (report["protocol"]["passes"], report["protocol"]["post_processing"]) == words
    assert report["protocol"]["execution"] == "ONNX Runtime, processor, float32"
    assert f1_of(report) == pytest.approx(refined_f1(procedure), abs=1e-12)
    if procedure.views == 1:  # the model is a function of single pixels, so that views of it are all the same
        assert f1_of(report) != pytest.approx(refined_f1(Procedure()), abs=1e-6)


def test_measures_that_are_switched_off_are_not_taken(tmp_path: Path) -> None:
    every = result(green_model(), "--data", "synthetic:1", to=tmp_path / "a.json")
    few = result(green_model(), "--data", "synthetic:1", "--no-vessels", "--no-boundary", to=tmp_path / "b.json")
    values = [each["classes"]["vessel"]["fov"]["per_image"]["mean"] for each in (every, few)]
    assert set(values[0]) == set(MEASURES)
    assert set(values[1]) == set(MASK_AND_PROBABILITY)


def test_images_that_the_model_has_seen_are_told(tmp_path: Path) -> None:
    ids = [entry.id for entry in entries("2")]
    model = known_model(tmp_path / "model", training=(ids[0], ids[1]), validation=(ids[3],))
    ran = run("evaluate", model, *PLAIN, "--split", "all")
    assert f"of the {len(ids)} images the model has seen 2 in training, 1 in validation" in ran.out
    report = result(model, *PLAIN, "--split", "validation", to=tmp_path / "r.json")
    assert [row["id"] for row in report["images"]] == [ids[3]]
    assert (report["data"]["seen_in_training"], report["data"]["seen_in_validation"]) == (0, 1)


def test_a_report_that_is_there_is_kept_unless_replacing_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("mine")
    ran = run("evaluate", "vessels", "--data", "synthetic:1", "--json", file)
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert str(file) in line
    assert "--overwrite" in line
    assert file.read_text() == "mine"
    assert run("evaluate", "vessels", "--data", "synthetic:1", "--json", file, "--overwrite").status == 0
    assert json.loads(file.read_text(encoding="utf-8"))["data"]["count"] == 1


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("vessels", "--data", "driv:x"), ("driv", "Did you mean 'drive'", *SETS)),
        (("vessels", "--data", "synthetic:2", "--split", "tset"), ("tset", "'test'", "train")),
        (("vessels", "--data", "synthetic:none"), ("synthetic:none",)),
        (("vesels", "--data", "synthetic:1"), ("'vesels'", "'vessels'")),
        (("missing.onnx", "--data", "synthetic:1"), ("missing.onnx",)),
        (("vessels",), ("data",)),
        (("vessels", "--data", "synthetic:1", "--splitt", "test"), ("--splitt",)),
        (("--data", "synthetic:1"), ("WEIGHTS", "--predictions")),
        (("vessels", "--data", "synthetic:1", "--size", "512"), ("--size 512", "HEIGHTxWIDTH")),
        (("vessels", "--data", "synthetic:1", "--empty", "zero"), ("zero", "one")),
        (("vessels", "--data", "synthetic:1", "--tta", "3"), ("3", "8")),
        (("vessels", "--data", "synthetic:1", "--hysteresis", "0.9"), ("0.9",)),
        (("vessels", "--data", "synthetic:1", "--min-size", "-1"), ("min",)),
        (("vessels", "--data", "synthetic:1", "--to-card"), ("--to-card", ".onnx")),
        (
            ("m.onnx", "--data", "synthetic:1", "--to-card", "--choose-threshold"),
            ("--choose-threshold", "--split validation"),
        ),
        (("m.onnx", "--data", "synthetic:1", "--to-card", "--choose-size"), ("--choose-size", "--split validation")),
        (
            ("m.onnx", "--predictions", ".", "--data", "synthetic:1", "--to-card"),
            ("--to-card", "no --predictions"),
        ),
        (("--predictions", "nowhere", "--data", "synthetic:1"), ("--predictions nowhere", "no such folder")),
        (("vessels", "--predictions", ".", "--threshold", "2", "--data", "synthetic:1"), ("threshold",)),
        (("vessels", "--threshold", ".4", "--data", "synthetic:1"), ("--threshold", "--predictions")),
        (("--predictions", ".", "--min-size", "9", "--data", "synthetic:1"), ("min_size 9", "WEIGHTS")),
        (("--predictions", ".", "--tta", "8", "--data", "synthetic:1"), ("--tta", "8 views", "WEIGHTS")),
    ],
)
def test_a_wrong_call_is_told_in_one_line_with_what_is_valid(
    arguments: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path
) -> None:
    ran = run("evaluate", *arguments, "--json", tmp_path / "report.json")
    assert ran.status == 2
    (line,) = ran.errors
    assert all(part in line for part in parts)
    assert not (tmp_path / "report.json").exists()


def test_scores_are_written_into_the_card_in_place_of_older_ones(tmp_path: Path) -> None:
    model = known_model(tmp_path / "model")
    before = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))["scores"]
    for _ in range(2):
        report = result(model, *PLAIN, "--to-card", to=tmp_path / "r.json")
    after = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))["scores"]
    assert after[: len(before)] == before
    for scope, score in zip(("fov", "image"), after[len(before) :], strict=True):
        pooled = report["classes"]["vessel"][scope]["pooled"]["values"]
        assert (score["set"], score["scope"], score["images"]) == ("synthetic", scope, 2)
        assert {name: score[name] for name in ("f1", "roc_auc")} == {name: pooled[name] for name in ("f1", "roc_auc")}


def test_where_every_pixel_counts_the_card_has_one_score_of_a_set_and_no_older_one_of_a_field_of_view(
    tmp_path: Path,
) -> None:
    model = known_model(tmp_path / "model")
    for options, scopes in (((), ["fov", "image"]), (("--fov", "whole"), ["image"])):
        result(model, *PLAIN, *options, "--to-card", to=tmp_path / "r.json")
        scores = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))["scores"]
        assert [score["scope"] for score in scores if score["set"] == "synthetic"] == scopes


def test_validation_images_teach_the_card_how_far_expected_f1_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = known_model(tmp_path / "model")
    card = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    ids = [entry.id for entry in entries("2")]
    card["training_data"][0] |= {"set": "synthetic", "training": [], "validation": ids}
    (model.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    report = result(
        model, "--data", "synthetic:2", "--split", "validation", "--no-boundary", "--to-card", to=tmp_path / "r.json"
    )
    rows = [row["classes"]["vessel"]["fov"]["values"] for row in report["images"]]
    differences = [row["f1"] - row["expected_f1"] for row in rows]
    assert len(differences) == len(ids)
    changed = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    trust = changed["trust"]
    assert trust["shift"] == pytest.approx(np.mean(differences))
    assert trust["images"] == len(ids)
    # Of so few, the largest difference from the mean of the others.
    others = [(sum(differences) - each) / (len(differences) - 1) for each in differences]
    assert trust["margin"] == pytest.approx(max(abs(a - b) for a, b in zip(differences, others, strict=True)))
    assert changed["scores"] == card["scores"]
    # The same images choose the smallest part, and what is learnt of F1 is learnt of masks without smaller ones.
    chosen = with_min_size_for(foveate.load(model, threads=1), [entries("2")]).card.min_size
    assert changed["min_size"] == chosen > 0
    assert report["protocol"]["post_processing"] == f"min_size {chosen} at the working size (the model's)"
    kept = result(
        model, "--data", "synthetic:2", "--split", "validation", "--min-size", "3", "--to-card", to=tmp_path / "k.json"
    )
    assert kept["protocol"]["post_processing"] == "min_size 3"
    assert json.loads((model.parent / "card.json").read_text(encoding="utf-8"))["min_size"] == chosen


def test_validation_images_choose_the_threshold_where_that_is_asked_for(tmp_path: Path) -> None:
    model = known_model(tmp_path / "model", on="lesion", validation=("one",))
    given = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    loaded = [entry.load() for entry in entries("2")]
    chance = np.random.default_rng(5)
    truths = [(case.image[..., 1] >= 90) ^ (chance.random(case.mask.shape) < 0.1) for case in loaded]
    for kind, pictures in (("images", [case.image for case in loaded]), ("masks", truths)):
        (tmp_path / "mine" / "validation" / kind).mkdir(parents=True)
        for case, pixels in zip(loaded, pictures, strict=True):
            PillowImage.fromarray(pixels).save(tmp_path / "mine" / "validation" / kind / f"{case.id}.png")
    options = ("--data", f"folder:{tmp_path / 'mine'}", "--split", "validation", "--no-boundary", "--to-card")
    segmented = [foveate.load(model, threads=1).segment(case.image) for case in loaded]
    probabilities = np.concatenate([found.probabilities[0][found.fov] for found in segmented])
    truth = np.concatenate([mask[found.fov] for mask, found in zip(truths, segmented, strict=True)])
    order = np.argsort(-probabilities, kind="stable")
    ends = np.append(np.diff(probabilities[order]) != 0, True)  # pixels of one probability go together
    f1 = (2 * np.cumsum(truth[order]) / (np.arange(truth.size) + 1 + truth.sum()))[ends]

    report = result(model, *options, "--choose-threshold", to=tmp_path / "r.json")
    changed = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    (threshold,) = changed["thresholds"]
    mask = probabilities >= threshold
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) == pytest.approx(f1.max(), abs=1e-5)
    assert changed["validation_f1"] == {"folder": pytest.approx(f1.max(), abs=1e-5)}
    assert report["protocol"]["threshold"]["values"] == [threshold] != given["thresholds"]
    assert changed["scores"] == []  # they were another threshold's
    seen = {data["set"]: (data["training"], data["validation"]) for data in changed["training_data"]}
    assert seen["lesion"] == ([], ["one"])
    assert seen["folder"] == ([], [row["id"] for row in report["images"]])
    assert report["data"]["seen_in_validation"] == changed["trust"]["images"] == len(loaded)
    assert changed["trust"]["command"].endswith("--split validation --choose-threshold")
    result(model, *options[:2], *options, "--choose-threshold", to=tmp_path / "r.json")
    twice = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    assert {key: twice[key] for key in changed if key != "trust"} == {
        key: value for key, value in changed.items() if key != "trust"
    }  # two folders of one name are one set


def test_without_the_extra_it_is_told_in_one_line_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.morphology", None)
    ran = run("evaluate", green_model(), "--data", "synthetic:1")
    assert ran.status == 2
    (line,) = ran.errors
    assert line.endswith(f"needs scikit-image, which is not installed: {install_line('evaluate')}")


def test_a_set_that_is_not_where_it_should_be_is_told_in_one_line(tmp_path: Path) -> None:
    ran = run("evaluate", "vessels", "--data", f"drive:{tmp_path}")
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert str(tmp_path) in line


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    ran = run("evaluate", tmp_path, "--data", "synthetic:1")
    assert ran.status == 2
    (line,) = ran.errors
    assert str(tmp_path) in line


def test_a_shipped_models_name_means_that_model_beside_a_folder_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vessels").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = run("evaluate", "vessels", "--data", "synthetic:1", "--json", "report.json")
    assert (ran.status, ran.err) == (0, "")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["model"]["sha256"] == open_model("vessels").card.sha256
