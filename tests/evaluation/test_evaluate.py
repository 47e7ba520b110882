"""Whole evaluations of known predictions, against scikit-learn over the same pixels."""

import statistics
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.fov import find_fov
from foveate.datasets import open_set
from foveate.errors import DataError
from foveate.evaluation import CountingRule, EvaluationResult, FovRule, ModelSummary, Predictor, Threshold, evaluate
from foveate.evaluation.measures import ChosenMeasures
from foveate.evaluation.pool import Pool
from foveate.evaluation.result import ScoresByScope
from foveate.records import Case, CaseEntry, Classes, Image, Mask, Masks, Probabilities, Probability

VESSEL = Classes(("vessel",))
THRESHOLD = Threshold(values=(0.5,), origin="validation images")
SCORERS: dict[str, Callable[[Mask, Mask], float]] = {
    "f1": sklearn.metrics.f1_score,
    "iou": sklearn.metrics.jaccard_score,
    "sensitivity": sklearn.metrics.recall_score,
    "specificity": lambda truth, mask: sklearn.metrics.recall_score(~truth, ~mask),
    "precision": sklearn.metrics.precision_score,
    "accuracy": sklearn.metrics.accuracy_score,
    "balanced_accuracy": sklearn.metrics.balanced_accuracy_score,
    "mcc": sklearn.metrics.matthews_corrcoef,
}
CURVES: dict[str, Callable[[Mask, Probability], float]] = {
    "roc_auc": sklearn.metrics.roc_auc_score,
    "average_precision": sklearn.metrics.average_precision_score,
    "brier": lambda truth, probability: sklearn.metrics.brier_score_loss(truth, probability.astype(np.float64)),
}


@dataclass(frozen=True)
class Known:
    """A prediction that was made up beforehand."""

    probabilities: Probabilities
    masks: Masks


def probability_of(image: Image) -> Probability:
    """Dark is vessel. Multiples of 1/255, for which the curves are exact."""
    return (1 - image[..., 1] / 255).astype(np.float32)


def predict(case: Case) -> Known:
    """A crude model."""
    probabilities = probability_of(case.image)[None]
    return Known(probabilities, probabilities >= 0.5)


def seeded_case(seed: int, shape: tuple[int, int]) -> Case:
    generator = np.random.default_rng(seed)
    image = generator.integers(1, 256, (*shape, 3), dtype=np.uint8)
    image[:3] = 0
    noisy = probability_of(image) + generator.normal(0, 0.3 + seed / 10, shape)
    fov = np.ones(shape, dtype=bool)
    fov[:, :4] = False
    return Case(
        id=f"case-{seed}",
        group=f"patient-{seed}",
        image=image,
        masks=noisy[None] > 0.6,
        fov=fov,
        second_masks=noisy[None] > 0.7,
    )


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Two cases of different sizes and of different difficulty."""
    return [seeded_case(1, (20, 31)), seeded_case(5, (43, 17))]


def entry_of(case: Case) -> CaseEntry:
    return CaseEntry(case.id, case.group, "test", lambda: case)


def report_of_entries(
    entries: Sequence[CaseEntry],
    predict: Callable[[Case], Known] = predict,
    on_case: Callable[[str, int, int], None] | None = None,
    rule: CountingRule | None = None,
) -> EvaluationResult:
    return evaluate(
        Predictor(predict, ModelSummary(name="darkness", sha256="0" * 64, parameters=0), THRESHOLD),
        entries,
        VESSEL,
        data_set="seeded",
        split="test",
        rule=rule,
        on_case=on_case,
    )


def report_of(cases: Sequence[Case], rule: CountingRule | None = None) -> EvaluationResult:
    return report_of_entries([entry_of(case) for case in cases], rule=rule)


def scopes_of(report: EvaluationResult) -> ScoresByScope:
    return report.classes["vessel"]


def everywhere(case: Case) -> Mask:
    return np.ones_like(case.mask)


def own_fov(case: Case) -> Mask:
    assert case.fov is not None
    return case.fov


WITHIN = {"fov": own_fov, "image": everywhere}


def joined(cases: Sequence[Case], values: Callable[[Case], NDArray[Any]], scope: str) -> NDArray[Any]:
    """The counted pixels of all the cases in one row."""
    return np.concatenate([values(case)[WITHIN[scope](case)] for case in cases])


def expected_scores(cases: Sequence[Case], scope: str) -> dict[str, float]:
    truth = joined(cases, lambda case: case.mask, scope)
    probability = joined(cases, lambda case: probability_of(case.image), scope)
    scores = {name: score(truth, probability >= 0.5) for name, score in SCORERS.items()}
    return scores | {name: curve(truth, probability) for name, curve in CURVES.items()}


@pytest.mark.parametrize("scope", ["fov", "image"])
def test_pooled_scores_equal_scikit_learns_over_the_joined_pixels(cases: list[Case], scope: str) -> None:
    pooled = getattr(scopes_of(report_of(cases)), scope).pooled
    for name, expected in expected_scores(cases, scope).items():
        assert pooled.values[name] == pytest.approx(expected, rel=1e-12), name  # float64 rounding
    truth = joined(cases, lambda case: case.mask, scope)
    mask = joined(cases, lambda case: probability_of(case.image), scope) >= 0.5
    (tn, fp), (fn, tp) = sklearn.metrics.confusion_matrix(truth, mask).tolist()
    counts = [
        getattr(pooled.counts, name) for name in ("true_negative", "false_positive", "false_negative", "true_positive")
    ]
    assert counts == [tn, fp, fn, tp]


@pytest.mark.parametrize("scope", ["fov", "image"])
def test_per_image_scores_are_the_mean_and_deviation_of_each_images_own(cases: list[Case], scope: str) -> None:
    per_image = getattr(scopes_of(report_of(cases)), scope).per_image.model_dump()
    own = [expected_scores([case], scope) for case in cases]
    for name in (*SCORERS, *CURVES):
        values = [scores[name] for scores in own]
        assert per_image["mean"][name] == pytest.approx(sum(values) / 2, rel=1e-12), name
        assert per_image["std"][name] == pytest.approx(statistics.stdev(values), rel=1e-9), name
        assert per_image["undefined"][name] == 0


@pytest.mark.parametrize("scope", ["fov", "image"])
def test_each_images_row_has_its_own_scores(cases: list[Case], scope: str) -> None:
    rows = report_of(cases).model_dump()["images"]
    assert [(row["id"], row["group"]) for row in rows] == [(case.id, case.group) for case in cases]
    for row, case in zip(rows, cases, strict=True):
        for name, expected in expected_scores([case], scope).items():
            assert row["classes"]["vessel"][scope]["values"][name] == pytest.approx(expected, rel=1e-12), name


def test_pooled_and_per_image_scores_and_both_scopes_differ(cases: list[Case]) -> None:
    scopes = scopes_of(report_of(cases))
    f1 = [scope.pooled.values["f1"] for scope in (scopes.fov, scopes.image)]
    f1 += [scope.per_image.mean["f1"] for scope in (scopes.fov, scopes.image)]
    assert len(set(f1)) == 4


def test_two_tiny_images_pool_and_average_as_by_hand() -> None:
    dark, bright = [0, 1, 0], [255, 255, 255]
    image = np.array([[dark, dark, dark, bright]], dtype=np.uint8)
    first = Case("a", "a", image, masks=np.array([[[True, True, True, False]]]))
    second = replace(first, id="b", masks=np.array([[[True, False, False, True]]]))
    scopes = scopes_of(report_of([first, second]))
    # a: TP 3. b: TP 1, FP 2, FN 1, so F1 = 2 / 5.
    assert scopes.image.pooled.values["f1"] == pytest.approx(8 / (8 + 2 + 1), rel=1e-15)
    assert scopes.image.per_image.mean["f1"] == pytest.approx((1 + 2 / 5) / 2, rel=1e-15)


def second_mask(case: Case) -> Mask:
    assert case.second_masks is not None
    mask: Mask = case.second_masks[0]
    return mask


@pytest.mark.parametrize("scope", ["fov", "image"])
def test_the_second_observer_is_scored_against_the_first(cases: list[Case], scope: str) -> None:
    without = replace(seeded_case(3, (12, 12)), second_masks=None)
    observer = report_of([*cases, without]).model_dump()["second_observer"]
    assert observer["count"] == len(cases)

    def expected(score: Callable[[Mask, Mask], float], some: Sequence[Case]) -> float:
        return score(joined(some, lambda case: case.mask, scope), joined(some, second_mask, scope))

    for name, score in SCORERS.items():
        pooled = observer["classes"]["vessel"][scope]["pooled"]["values"][name]
        assert pooled == pytest.approx(expected(score, cases), rel=1e-12), name
        own = [expected(score, [case]) for case in cases]
        mean = observer["classes"]["vessel"][scope]["per_image"]["mean"][name]
        assert mean == pytest.approx(sum(own) / len(own), rel=1e-12), name


def test_a_set_without_second_masks_has_no_second_observer(cases: list[Case]) -> None:
    assert report_of([replace(case, second_masks=None) for case in cases]).second_observer is None


def read_mask(path: Path) -> Mask:
    with PillowImage.open(path) as file:
        return np.asarray(file.convert("L")) >= 128


def drive_case(folder: Path, number: str) -> Case:
    with PillowImage.open(folder / "images" / f"{number}_test.tif") as file:
        image = np.asarray(file)
    return Case(
        id=number,
        group=number,
        image=image,
        masks=read_mask(folder / "1st_manual" / f"{number}_manual1.gif")[None],
        fov=read_mask(folder / "mask" / f"{number}_test_mask.gif"),
        second_masks=read_mask(folder / "2nd_manual" / f"{number}_manual2.gif")[None],
    )


def test_real_photographs_and_observers_score_as_scikit_learn_says(shared_data: Path) -> None:
    cases = [drive_case(shared_data / "DRIVE" / "test", number) for number in ("03", "14", "17")]
    report = report_of(cases)
    for name, expected in expected_scores(cases, "fov").items():
        # The sums behind the curves run over 680 000 pixels in float64.
        assert scopes_of(report).fov.pooled.values[name] == pytest.approx(expected, rel=1e-10), name
    assert report.second_observer is not None
    truth, second = joined(cases, lambda case: case.mask, "fov"), joined(cases, second_mask, "fov")
    human = sklearn.metrics.f1_score(truth, second)
    assert report.second_observer.classes["vessel"].fov.pooled.values["f1"] == pytest.approx(human, rel=1e-12)


def test_the_second_observer_of_drive_reaches_what_is_known_of_a_human(shared_data: Path) -> None:
    drive = open_set(f"drive:{shared_data / 'DRIVE'}")

    def observer(case: Case) -> Known:
        assert case.second_masks is not None
        return Known(np.zeros(case.second_masks.shape, np.float32), case.second_masks)

    report = evaluate(
        Predictor(observer, ModelSummary(name="second observer"), threshold=None),
        drive.split("test"),
        drive.classes,
        data_set=drive.name,
        split="test",
        rule=CountingRule(measures=("mask",)),
    )
    values = scopes_of(report).fov.pooled.values
    for name, known in {"f1": 0.789, "accuracy": 0.947, "sensitivity": 0.775, "specificity": 0.973}.items():
        assert values[name] == pytest.approx(known, abs=6e-4), name  # known to three digits
    assert report.second_observer is not None
    assert report.second_observer.classes["vessel"].fov.pooled.values == values


def test_what_lies_outside_the_field_of_view_changes_the_whole_image_only(cases: list[Case]) -> None:
    changed = [replace(case, masks=case.masks ^ ~own_fov(case)) for case in cases]
    before, after = (scopes_of(report_of(some)) for some in (cases, changed))
    assert after.fov == before.fov
    assert after.image != before.image


def test_images_whose_score_is_undefined_are_counted_and_left_out_of_its_mean(cases: list[Case]) -> None:
    empty = replace(cases[0], masks=np.zeros_like(cases[0].masks), second_masks=None)
    per_image = scopes_of(report_of([cases[1], empty, empty])).fov.per_image
    by_the_prediction = {"thin_precision", "thick_precision"}  # whatever the truth is
    assert {name for name, count in per_image.undefined.items() if count} - by_the_prediction == {
        "sensitivity",
        "balanced_accuracy",
        "mcc",
        "roc_auc",
        "average_precision",
        "cldice",
        "thin_sensitivity",
        "thick_sensitivity",
        "hausdorff_95",
        "surface_distance",
    }
    assert per_image.undefined["sensitivity"] == 2
    assert per_image.mean["sensitivity"] == scopes_of(report_of([cases[1]])).fov.pooled.values["sensitivity"]
    assert per_image.std["sensitivity"] is None
    assert per_image.mean["f1"] == pytest.approx(expected_scores([cases[1]], "fov")["f1"] / 3, rel=1e-12)


def test_images_in_which_everything_or_too_much_was_found_are_counted_beside_the_distances() -> None:
    """Of four images with a square three are missed, of three without one two have a false alarm."""
    square, nothing = np.zeros((1, 20, 20), bool), np.zeros((1, 20, 20), bool)
    square[0, 5:12, 5:12] = True
    pairs = [(square, square), *[(nothing, square)] * 3, *[(square, nothing)] * 2, (nothing, nothing)]
    pool = Pool.of(ChosenMeasures(frozenset({"mask", "boundary"})))
    for number, (found, truth) in enumerate(pairs):
        pool.add(str(number // 2), None, found[0], truth[0], None)
    scope = pool.scope()
    assert (scope.per_image.mean["hausdorff_95"], scope.per_image.undefined["hausdorff_95"]) == (0, 6)
    assert (scope.pooled.values["missed"], scope.pooled.values["false_alarm"]) == (3, 2)
    assert scope.per_image.mean["missed"] == pytest.approx(3 / 7, rel=1e-12)
    assert scope.per_image.mean["false_alarm"] == pytest.approx(2 / 7, rel=1e-12)
    assert scope.per_group is not None
    # Of the groups of two, two, two and one image: 1, 2, 0 and 0 are missed.
    assert scope.per_group.mean["missed"] == pytest.approx(3 / 4, rel=1e-12)
    assert not pool.rows[0]["missed"]


def lit_disc(case: Case) -> Case:
    """The case with a black border around its middle, and no field of view of its own."""
    height, width = case.image.shape[:2]
    rows, columns = np.mgrid[:height, :width] + 0.5
    outside = np.hypot(rows - height / 2, columns - width / 2) > 0.45 * min(height, width)
    return replace(case, image=np.where(outside[..., None], 0, np.maximum(case.image, 60)), fov=None)


def test_a_set_without_fields_of_view_is_counted_in_estimated_ones_and_says_so() -> None:
    cases = [lit_disc(seeded_case(seed, (64, 70))) for seed in (1, 2)]
    report = report_of(cases, CountingRule(fov=FovRule(otherwise="estimated")))
    assert report.protocol.fov_for_counting == "estimated"
    assert {row.fov_source for row in report.images} == {"estimated"}
    same = report_of([replace(case, fov=find_fov(case.image).mask) for case in cases])
    assert report.classes["vessel"].fov != report.classes["vessel"].image
    assert report.classes == same.classes
    assert report.second_observer == same.second_observer
    assert same.protocol.fov_for_counting == "the set's own masks"


def test_a_set_with_some_fields_of_view_says_so_for_each_image(cases: list[Case]) -> None:
    rule = CountingRule(fov=FovRule(otherwise="estimated"))
    report = report_of([cases[0], replace(cases[1], fov=None)], rule)
    assert report.protocol.fov_for_counting == "the set's own masks, estimated where one is missing"
    assert [row.fov_source for row in report.images] == ["set", "estimated"]


def test_no_two_cases_are_in_memory_at_once() -> None:
    loaded: list[weakref.ref[Image]] = []
    alive: list[int] = []

    def load(seed: int) -> Case:
        alive.append(sum(image() is not None for image in loaded))
        case = seeded_case(seed, (9, 9))
        loaded.append(weakref.ref(case.image))
        return case

    def entry(seed: int) -> CaseEntry:
        return CaseEntry(str(seed), str(seed), "test", lambda: load(seed))

    report_of_entries([entry(seed) for seed in range(4)])
    assert alive == [0, 0, 0, 0]


def test_progress_is_told_after_each_case(cases: list[Case]) -> None:
    told: list[tuple[str, int, int]] = []
    report_of_entries([entry_of(case) for case in cases], on_case=lambda *news: told.append(news))
    assert told == [("case-1", 1, 2), ("case-5", 2, 2)]


def test_seconds_are_those_of_the_prediction_without_the_reading(
    cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    def passes(seconds: float) -> None:
        nonlocal now
        now += seconds

    def load() -> Case:
        passes(3.0)
        return cases[0]

    def slow(case: Case) -> Known:
        passes(0.5)
        return predict(case)

    monkeypatch.setattr("time.perf_counter", lambda: now)
    (row,) = report_of_entries([CaseEntry("case-1", "patient-1", "test", load)], predict=slow).images
    assert row.seconds == 0.5


@pytest.mark.parametrize("name", ["probabilities", "masks"])
def test_a_prediction_of_another_size_is_refused(cases: list[Case], name: str) -> None:
    def smaller(case: Case) -> Known:
        known = predict(case)
        return replace(known, **{name: getattr(known, name)[..., ::2, ::2]})

    with pytest.raises(ValueError, match=f"prediction's {name} of 'case-1'"):
        report_of_entries([entry_of(case) for case in cases], predict=smaller)


def test_a_split_without_images_is_refused() -> None:
    with pytest.raises(DataError, match="no image in split 'test' of 'seeded'"):
        report_of([])


def test_probabilities_in_a_narrow_range_have_their_area_and_an_interval_around_it() -> None:
    generator = np.random.default_rng(4)
    truths = generator.random((9, 24, 24)) < 0.3
    # A network that has hardly learnt: all of its probabilities lie within 1e-4.
    quality = generator.uniform(0.5, 2, 9)[:, None, None]
    probabilities = (0.48 + 1e-5 * (quality * truths + generator.normal(0, 1, truths.shape))).astype(np.float32)
    pool = Pool.of(ChosenMeasures(frozenset({"mask", "probability"})))
    for number, (probability, truth) in enumerate(zip(probabilities, truths, strict=True)):
        own = pool.add(str(number), probability, probability >= 0.48, truth, None).values
        assert own["roc_auc"] == pytest.approx(CURVES["roc_auc"](truth.ravel(), probability.ravel()), abs=1e-9)
    found = pool.scope()
    for name in ("roc_auc", "average_precision"):
        exact, interval = CURVES[name](truths.ravel(), probabilities.ravel()), found.pooled.intervals[name]
        assert found.pooled.values[name] == pytest.approx(exact, abs=1e-9)
        assert interval is not None
        low, high = interval
        of_means = found.per_image.intervals[name]
        assert of_means is not None
        assert low < exact < high
        # The mean of images that are alike moves about as much as the area of all.
        assert high - low > 0.5 * (of_means[1] - of_means[0])
