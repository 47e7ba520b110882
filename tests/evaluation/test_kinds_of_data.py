"""Evaluations of several classes, of groups of images, of masks alone, at other sizes, and of empty truths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]
from sklearn.metrics import f1_score

from foveate.arrays.decide import decide
from foveate.errors import DataError, UsageError
from foveate.evaluation import CountingRule, EvaluationResult, ModelSummary, Predictor, Threshold, evaluate, statement
from foveate.evaluation.compare import check_same
from foveate.evaluation.pool import SUM_MEASURES
from foveate.evaluation.predictions import PredictionFolder
from foveate.imaging import write_labels, write_mask, write_probability
from foveate.records import Case, CaseEntry, Classes, Masks, Probabilities
from foveate.reports.tables.result_tables import tables

VESSEL = Classes(("vessel",))
VESSELS = Classes(("artery", "vein"))


@dataclass(frozen=True)
class Known:
    """A prediction that was made up beforehand."""

    probabilities: Probabilities | None
    masks: Masks


def blobs(seed: int, count: int, shape: tuple[int, int] = (40, 48)) -> np.ndarray:
    """Smooth noise about zero, count×H×W, the same for a seed."""
    noise = np.random.default_rng(seed).normal(size=(count, *shape))
    return np.asarray(ndimage.gaussian_filter(noise, (0, 2, 2))) * 8


def case_of(seed: int, classes: Classes, group: str = "") -> Case:
    likely = blobs(seed, len(classes.names))
    masks = decide(_softmax(likely), classes, (0.5,))
    image = np.random.default_rng(seed).integers(0, 256, (*masks.shape[1:], 3), dtype=np.uint8)
    return Case(f"case-{seed}", group or f"case-{seed}", image, masks)


def _softmax(likely: np.ndarray) -> Probabilities:
    values = np.exp(np.concatenate((np.zeros_like(likely[:1]), likely)))
    probabilities: Probabilities = (values / values.sum(axis=0))[1:].astype(np.float32)
    return probabilities


def guess(classes: Classes) -> Callable[[Case], Known]:
    """A prediction that is near the truth of `case_of`."""

    def predict(case: Case) -> Known:
        seed = int(case.id.removeprefix("case-"))
        shape = case.image.shape[:2]
        probabilities = _softmax(blobs(seed, len(case.masks), shape) + blobs(seed + 100, len(case.masks), shape))
        return Known(probabilities, decide(probabilities, classes, (0.5,)))

    return predict


def report_of(
    cases: Sequence[Case],
    classes: Classes,
    predict: Callable[[Case], Known] | PredictionFolder | None = None,
    rule: CountingRule | None = None,
) -> EvaluationResult:
    def entry(case: Case) -> CaseEntry:
        return CaseEntry(case.id, case.group, "test", lambda: case)

    return evaluate(
        Predictor(predict or guess(classes), ModelSummary(name="guess"), Threshold(values=(0.5,), origin="nowhere")),
        [entry(case) for case in cases],
        classes,
        data_set="drawn",
        split="test",
        rule=rule,
    )


def test_every_class_is_scored_and_the_macro_average_is_their_mean() -> None:
    cases = [case_of(seed, VESSELS) for seed in range(3)]
    report = report_of(cases, VESSELS)
    f1 = []
    for number, name in enumerate(VESSELS.names):
        true, found = (
            np.concatenate([masks[number].ravel() for masks in each])
            for each in ([case.masks for case in cases], [guess(VESSELS)(case).masks for case in cases])
        )
        f1.append(f1_score(true, found))
        assert report.classes[name].image.pooled.values["f1"] == pytest.approx(f1[-1], rel=1e-12)
    assert report.macro is not None
    assert report.macro.image.pooled["f1"] == pytest.approx(np.mean(f1), rel=1e-12)
    assert [title for title, _ in tables(report)] == ["artery", "vein", "mean of the classes"]


def test_true_pixels_of_a_class_that_is_left_out_count_for_no_other_class() -> None:
    classes = Classes(("artery", "vein", "crossing"))
    cases = [replace(case, fov=case.image[..., 0] < 200) for case in (case_of(seed, classes) for seed in range(3))]
    usual = report_of(cases, classes)
    report = report_of(cases, classes, rule=CountingRule(left_out=("crossing",)))
    for scope in ("fov", "image"):
        for number, name in enumerate(classes.names):
            true, found, counted = (
                np.concatenate([planes.ravel() for planes in each])
                for each in (
                    [case.masks[number] for case in cases],
                    [guess(classes)(case).masks[number] for case in cases],
                    [
                        (case.fov if scope == "fov" else np.ones(case.fov.shape, bool))  # type: ignore[union-attr]
                        & (~case.masks[2] | (name == "crossing"))
                        for case in cases
                    ],
                )
            )
            value = getattr(report.classes[name], scope).pooled.values["f1"]
            assert value == pytest.approx(f1_score(true[counted], found[counted]), rel=1e-12)
            before = getattr(usual.classes[name], scope).pooled.values["f1"]
            assert value == before if name == "crossing" else value > before
    assert report.protocol.left_out == ("crossing",)
    assert "but true pixels of crossing for no other class" in statement(report)
    assert "for no other class" not in statement(usual)
    assert report.second_observer is None
    read = [replace(case, second_masks=case.masks) for case in cases]
    second = report_of(read, classes, rule=CountingRule(left_out=("crossing",))).second_observer
    assert second is not None
    counts = second.classes["artery"].image.pooled.counts
    assert sum(counts.model_dump().values()) == sum((~case.masks[2]).sum() for case in cases)
    with pytest.raises(UsageError, match="left out are the pixels of 'nothing' and 'crossing'"):
        check_same({"usual": usual, "left out": report}, "fov")


def test_the_macro_average_leaves_out_a_class_that_is_nowhere() -> None:
    case = case_of(0, VESSELS)
    without = replace(case, masks=case.masks & np.array([True, False])[:, None, None])
    report = report_of([without], VESSELS)
    assert report.classes["vein"].image.pooled.values["sensitivity"] is None
    assert report.macro is not None
    sensitivity = report.classes["artery"].image.pooled.values["sensitivity"]
    assert report.macro.image.pooled["sensitivity"] == sensitivity
    assert report.macro.image.undefined["sensitivity"] == report.macro.image.per_image_undefined["sensitivity"] == 1
    assert report.macro.image.undefined["specificity"] == 0
    (_, rows) = tables(report)[-1]
    column = rows[0].index("classes\nundefined")
    cells = {row[0]: row[column] for row in rows[1:]}
    assert (cells["sensitivity"], cells["specificity"]) == ("1", "0")


def test_a_patients_slices_are_pooled_before_patients_are_averaged() -> None:
    cases = [case_of(seed, VESSEL, group="ab"[seed % 2]) for seed in range(5)]
    scope = report_of(cases, VESSEL).classes["vessel"].image
    own = []
    for group in "ab":
        some = [case for case in cases if case.group == group]
        own.append(report_of(some, VESSEL).classes["vessel"].image.pooled.values)
    assert scope.per_group is not None
    assert scope.per_group.count == 2
    for name in ("f1", "specificity", "cldice"):
        values = [float(value) for row in own if (value := row[name]) is not None]
        assert scope.per_group.mean[name] == pytest.approx(np.mean(values), rel=1e-12)
    assert scope.per_group.mean["f1"] != scope.per_image.mean["f1"]


def test_intervals_hold_the_score_and_need_two_groups() -> None:
    many = report_of([case_of(seed, VESSEL) for seed in range(8)], VESSEL).classes["vessel"].image
    for values, intervals in (
        (many.pooled.values, many.pooled.intervals),
        (many.per_image.mean, many.per_image.intervals),
    ):
        f1, interval = values["f1"], intervals["f1"]
        assert f1 is not None
        assert interval is not None
        assert interval[0] < f1 < interval[1]
    one = report_of([case_of(0, VESSEL, "a"), case_of(1, VESSEL, "a")], VESSEL).classes["vessel"].image
    assert one.pooled.intervals["f1"] is None
    assert one.per_image.intervals["f1"] is None


def test_every_pooled_measure_but_numbers_of_things_has_the_interval_of_resampled_images() -> None:
    cases = [case_of(seed, VESSEL) for seed in range(8)]
    pooled = report_of(cases, VESSEL).classes["vessel"].image.pooled
    numbers = {"components", "true_components", "missed", "false_alarm"}
    names = [name for name in pooled.values if name not in numbers]
    assert set(SUM_MEASURES) | {"f1", "roc_auc", "average_precision"} <= set(names)
    same = report_of([replace(cases[0], group=str(number)) for number in range(3)], VESSEL)
    closed = same.classes["vessel"].image.pooled
    for name in names:
        # Of the same image again and again every resample is that image: the interval closes on the pooled value.
        value = closed.values[name]
        assert closed.intervals[name] is not None
        assert list(closed.intervals[name] or ()) == pytest.approx([value, value]), name
        value, interval = pooled.values[name], pooled.intervals[name]
        assert interval is not None
        assert value is not None
        assert interval[0] < value < interval[1], name
    assert set(pooled.values) - set(pooled.intervals) == numbers


@pytest.mark.parametrize(("empty_is_one", "expected"), [(False, None), (True, 1.0)])
def test_agreement_on_an_empty_truth_is_left_out_or_one_as_asked(empty_is_one: bool, expected: float | None) -> None:
    case = case_of(0, VESSEL)
    nothing = replace(case, masks=np.zeros_like(case.masks))

    def none(case: Case) -> Known:
        return replace(guess(VESSEL)(case), masks=np.zeros_like(case.masks))

    report = report_of([nothing], VESSEL, none, CountingRule(empty_is_one=empty_is_one))
    values = report.images[0].classes["vessel"].image.values
    for name in ("f1", "iou", "cldice", "surface_dice"):
        assert values[name] == expected, name
    assert values["sensitivity"] is None
    undefined = report.classes["vessel"].image.per_image.undefined["f1"]
    assert undefined == (0 if empty_is_one else 1)
    assert report.protocol.empty == ("one" if empty_is_one else "left out")


def test_something_found_in_an_empty_truth_is_zero_either_way() -> None:
    case = case_of(0, VESSEL)
    nothing = replace(case, masks=np.zeros_like(case.masks))
    for empty_is_one in (False, True):
        report = report_of([nothing], VESSEL, rule=CountingRule(empty_is_one=empty_is_one))
        assert report.images[0].classes["vessel"].image.values["f1"] == 0


def test_masks_alone_have_no_measure_of_probabilities_and_no_curve() -> None:
    def masks_alone(case: Case) -> Known:
        return replace(guess(VESSEL)(case), probabilities=None)

    report = report_of([case_of(0, VESSEL)], VESSEL, masks_alone)
    with_probabilities = report_of([case_of(0, VESSEL)], VESSEL)
    values = report.classes["vessel"].image.pooled.values
    assert "roc_auc" not in values
    assert values["f1"] == with_probabilities.classes["vessel"].image.pooled.values["f1"]
    assert report.curves == {}
    assert "probability" not in report.protocol.measures


def test_at_a_papers_size_image_and_truth_are_resized_before_anything_is_counted() -> None:
    seen = []

    def predict(case: Case) -> Known:
        seen.append((case.image.shape, case.masks.shape))
        return Known(None, case.masks)

    case = case_of(0, VESSEL)
    report = report_of([case], VESSEL, predict, CountingRule(size=(20, 24)))
    assert seen == [((20, 24, 3), (1, 20, 24))]
    counts = report.images[0].classes["vessel"].image.counts
    halves = case.masks[0].reshape(20, 2, 24, 2).mean(axis=(1, 3))
    assert counts.true_positive == np.count_nonzero(halves >= 0.5)
    assert report.protocol.size == "20×24"
    assert "20×24 size" in statement(report)


def test_the_curves_end_where_curves_end_and_count_every_pixel() -> None:
    curves = report_of([case_of(seed, VESSEL) for seed in range(3)], VESSEL).curves["vessel"]
    assert curves.roc is not None
    assert (curves.roc.x[0], curves.roc.y[0], curves.roc.x[-1], curves.roc.y[-1]) == (0, 0, 1, 1)
    assert sum(each.pixels for each in curves.reliability) == 3 * 40 * 48
    assert curves.pixel_risk is not None
    assert curves.image_risk is not None
    assert curves.pixel_risk.x[-1] == curves.image_risk.x[-1] == 1


def files_of(cases: Sequence[Case], folder: Path, classes: Classes, *, maps: bool) -> None:
    for case in cases:
        known = guess(classes)(case)
        assert known.probabilities is not None
        if maps:
            write_probability(known.probabilities[0], folder / f"{case.id}_probability.png")
        elif classes.softmax:
            write_labels(known.masks[0] + 2 * known.masks[1].astype(np.uint8), classes.names, folder / f"{case.id}.png")
        else:
            write_mask(known.masks[0], folder / f"{case.id}_mask.png")


@pytest.mark.parametrize("kind", ["masks", "maps", "labels"])
def test_what_any_other_tool_wrote_scores_as_if_predicted(kind: str, tmp_path: Path) -> None:
    classes = VESSELS if kind == "labels" else VESSEL
    cases = [case_of(seed, classes) for seed in range(3)]
    files_of(cases, tmp_path, classes, maps=kind == "maps")
    folder = PredictionFolder(tmp_path, classes, 0.5 if kind == "maps" else None)
    found, expected = report_of(cases, classes, folder), report_of(cases, classes)
    for name in classes.names:
        for measure in ("f1", "mcc", "cldice"):
            value = expected.classes[name].fov.pooled.values[measure]
            assert found.classes[name].fov.pooled.values[measure] == pytest.approx(value, rel=1e-3), measure  # 16 bits
    assert bool(found.curves) == (kind == "maps")


def test_a_file_that_is_missing_or_of_another_size_or_no_mask_is_told_with_its_name(tmp_path: Path) -> None:
    case = case_of(0, VESSEL)
    with pytest.raises(DataError, match="holds nothing for 'case-0'"):
        report_of([case], VESSEL, PredictionFolder(tmp_path, VESSEL))
    files_of([case], tmp_path, VESSEL, maps=True)
    with pytest.raises(UsageError, match=r"maps of probabilities.*--threshold"):
        report_of([case], VESSEL, PredictionFolder(tmp_path, VESSEL))
    (tmp_path / "case-0_probability.png").rename(tmp_path / "case-0.png")
    with pytest.raises(DataError, match="--threshold"):
        report_of([case], VESSEL, PredictionFolder(tmp_path, VESSEL))
    write_mask(np.ones((20, 20), bool), tmp_path / "case-0.png")
    with pytest.raises(DataError, match="20×20 pixels, the image 40×48"):
        report_of([case], VESSEL, PredictionFolder(tmp_path, VESSEL))


@pytest.mark.parametrize(
    "classes", [VESSEL, Classes(("artery", "vein"), exclusive=False)], ids=["one class", "two classes"]
)
def test_predictions_whose_names_end_in_a_colleagues_suffix_are_found_by_it(classes: Classes, tmp_path: Path) -> None:
    cases = [case_of(seed, classes) for seed in range(2)]
    for case in cases:
        for name, mask in zip(classes.names, case.masks, strict=True):
            kind = f"_{name}" if len(classes.names) > 1 else ""
            write_mask(mask, tmp_path / f"{case.id}{kind}_pred.png")
            write_mask(~mask, tmp_path / f"{case.id}{kind}_mask.png")
    report = report_of(cases, classes, PredictionFolder(tmp_path, classes, suffix="_pred"))
    assert {name: found.fov.pooled.values["f1"] for name, found in report.classes.items()} == dict.fromkeys(
        classes.names, 1.0
    )


def test_a_name_that_goes_on_after_the_images_is_taken_for_a_suffix_to_be_said(tmp_path: Path) -> None:
    case = case_of(0, VESSEL)
    write_mask(case.masks[0], tmp_path / f"{case.id}_pred.png")
    with pytest.raises(DataError, match=rf"If {case.id}_pred.png is it, say --suffix _pred\."):
        report_of([case], VESSEL, PredictionFolder(tmp_path, VESSEL))


def test_a_map_of_floats_scores_as_the_same_map_in_16_bits_however_small_its_values(tmp_path: Path) -> None:
    cases = [case_of(seed, VESSEL) for seed in range(2)]
    for form in ("floats", "16 bits"):
        (tmp_path / form).mkdir()
        for case in cases:
            likely = ndimage.gaussian_filter(case.masks[0].astype(np.float32), 2) * np.float32(0.004)
            if form == "floats":
                tifffile.imwrite(tmp_path / form / f"{case.id}.tif", likely)
            else:
                write_probability(likely, tmp_path / form / f"{case.id}.png")
    reports = [
        report_of(cases, VESSEL, PredictionFolder(tmp_path / f, VESSEL, threshold=0.002)) for f in ("floats", "16 bits")
    ]
    floats, in_16_bits = (report.classes["vessel"].fov.pooled.values for report in reports)
    assert 0.5 < (in_16_bits["f1"] or 0) < 1
    for measure in ("f1", "sensitivity", "roc_auc"):
        assert floats[measure] == pytest.approx(in_16_bits[measure], abs=2e-3), measure  # steps of 1/65535


def labels_of(cases: Sequence[Case], folder: Path, value: int) -> None:
    for case in cases:
        stored = (case.masks[0] * value).astype(np.uint8 if value < 256 else np.uint16)
        PillowImage.fromarray(stored).save(folder / f"{case.id}.png")


@pytest.mark.parametrize("value", [1, 1000])
def test_masks_that_never_reach_the_threshold_are_told_to_be_masks(value: int, tmp_path: Path) -> None:
    cases = [case_of(seed, VESSEL) for seed in range(2)]
    labels_of(cases, tmp_path, value)
    with pytest.raises(UsageError, match=rf"case-0.png: holds the values 0, {value}, .* leave --threshold out"):
        report_of(cases, VESSEL, PredictionFolder(tmp_path, VESSEL, threshold=0.5))
    report = report_of(cases, VESSEL, PredictionFolder(tmp_path, VESSEL))
    assert report.classes["vessel"].fov.pooled.values["f1"] == 1


def test_a_map_of_few_low_values_is_one_where_another_of_its_folder_reaches_the_threshold(tmp_path: Path) -> None:
    cases = [case_of(seed, VESSEL) for seed in range(2)]
    labels_of(cases[:1], tmp_path, 1)  # a network that finds nothing writes such
    labels_of(cases[1:], tmp_path, 255)
    folder = PredictionFolder(tmp_path, VESSEL, threshold=0.5)
    assert [bool(folder(case).masks.any()) for case in cases] == [False, True]
