"""The report's JSON, its table, and the sentences beside it."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from foveate.evaluation import (
    CountingRule,
    EvaluationResult,
    ModelSummary,
    Predictor,
    Threshold,
    confidence,
    evaluate,
    statement,
    warning,
)
from foveate.evaluation.measures import MEASURES
from foveate.models.card import TrainingData
from foveate.records import Case, CaseEntry, Classes, Masks, Probabilities
from foveate.reports.tables.result_tables import tables

UNDEFINED = "–"


@dataclass(frozen=True)
class Known:
    """A prediction that was made up beforehand."""

    probabilities: Probabilities
    masks: Masks


def predict(case: Case) -> Known:
    """Red is foreground."""
    probabilities = (case.image[..., 0] / 255).astype(np.float32)[None]
    return Known(probabilities, probabilities >= 0.4)


def case_of(seed: int) -> Case:
    generator = np.random.default_rng(seed)
    image = generator.integers(0, 256, (15, 14, 3), dtype=np.uint8)
    second = generator.random((1, 15, 14)) < 0.3
    truth = image[..., 0] + generator.normal(0, 20 * seed, (15, 14)) > 150
    fov = image[..., 0] > 25
    return Case(f"eye-{seed}", f"person-{seed}", image, masks=truth[None], fov=fov, second_masks=second)


def report_of(
    cases: Sequence[Case], seen: TrainingData | None = None, rule: CountingRule | None = None
) -> EvaluationResult:
    def entry(case: Case) -> CaseEntry:
        return CaseEntry(case.id, case.group, "test", lambda: case)

    return evaluate(
        Predictor(
            predict,
            ModelSummary(name="redness", sha256="ab" * 32, parameters=3, trained_on=("seeded",)),
            Threshold(values=(0.4,), origin="validation images"),
            seen=None if seen is None else (seen,),
        ),
        [entry(case) for case in cases],
        Classes(("vessel",)),
        data_set="seeded",
        split="test",
        rule=rule,
    )


@pytest.fixture(scope="module")
def report() -> EvaluationResult:
    return report_of([case_of(seed) for seed in range(1, 5)])


def columns(report: EvaluationResult) -> dict[str, dict[str, str]]:
    """The only class's table by column and measure."""
    ((_, (header, *rows)),) = tables(report)
    return {
        " ".join(title.split()): {row[0].replace(" ", "_"): row[number] for row in rows}
        for number, title in enumerate(header[1:], start=1)
    }


def test_the_json_says_what_was_evaluated_and_how(report: EvaluationResult) -> None:
    document = json.loads(report.to_json())
    assert document["schema_version"] == 2
    assert document["model"] == {
        "name": "redness",
        "sha256": "ab" * 32,
        "parameters": 3,
        "gmacs": None,
        "trained_on": ["seeded"],
    }
    assert document["data"] == {
        "set": "seeded",
        "split": "test",
        "count": 4,
        "groups": 4,
        "seen_in_training": None,
        "seen_in_validation": None,
    }
    protocol = document["protocol"]
    assert (protocol["size"], protocol["empty"]) == ("native", "left out")
    assert protocol["fov_for_counting"] == "the set's own masks"
    assert protocol["threshold"] == {"values": [0.4], "origin": "validation images"}
    assert protocol["measures"] == ["mask", "probability", "vessels", "boundary"]
    assert document["versions"]["numpy"] == np.__version__
    assert "not a medical device" in document["notice"]


def test_the_protocols_scopes_and_poolings_are_the_keys_of_the_scores(report: EvaluationResult) -> None:
    document = json.loads(report.to_json())
    for scopes in document["classes"].values():
        assert list(scopes) == document["protocol"]["scopes"]
        for scope in scopes.values():
            assert list(scope)[:2] == document["protocol"]["pooling"]


def test_the_json_reads_back_as_the_same_report(report: EvaluationResult) -> None:
    assert EvaluationResult.model_validate_json(report.to_json()) == report


@pytest.mark.parametrize("change", [{"dilated": True}, {"tolerance": -1.0}, {"size": "512"}])
def test_a_field_or_a_value_that_the_schema_does_not_know_is_refused(
    report: EvaluationResult, change: dict[str, Any]
) -> None:
    document = json.loads(report.to_json())
    document["protocol"] |= change
    with pytest.raises(ValidationError, match=next(iter(change))):
        EvaluationResult.model_validate(document)


def test_the_table_shows_every_measure_of_both_scopes_pooled_and_over_images(report: EvaluationResult) -> None:
    cells, scopes = columns(report), report.classes["vessel"]
    for scope in ("fov", "image"):
        found = getattr(scopes, scope)
        for name, measure in MEASURES.items():
            for title, value, digits in (
                (f"{scope} pooled", found.pooled.values.get(name), 0 if measure.counted else measure.digits),
                (f"{scope} mean over images", found.per_image.mean[name], measure.digits),
            ):
                shown = UNDEFINED if value is None else f"{value:.{digits}f}"
                assert cells[title][name].split()[0] == shown, (title, name)
    assert report.second_observer is not None
    human = report.second_observer.classes["vessel"].fov.pooled.values
    assert cells["second observer fov, pooled"]["iou"] == f"{human['iou']:.4f}"
    assert cells["second observer fov, pooled"]["roc_auc"] == UNDEFINED


def test_intervals_stand_beside_the_values_that_have_one(report: EvaluationResult) -> None:
    cells, scope = columns(report), report.classes["vessel"].fov
    low, high = scope.per_image.intervals["f1"] or (0.0, 0.0)
    assert 0 < low < high < 1
    assert cells["fov mean over images"]["f1"].endswith(f" ({low:.3f}–{high:.3f})".replace("0.", "."))
    assert "(" in cells["fov pooled"]["roc_auc"]
    assert "(" not in cells["fov pooled"]["components"]
    assert all("(" not in cell for column in columns(report_of([case_of(1)])).values() for cell in column.values())


def test_where_no_pixel_lies_outside_the_field_of_view_there_is_one_scope() -> None:
    whole = [replace(case_of(seed), fov=np.ones((15, 14), bool)) for seed in (1, 2)]
    titles = list(columns(report_of(whole)))
    means = ["whole image mean over images", "images undefined"]
    assert titles == ["whole image pooled", *means, "second observer fov, pooled"]


def test_images_that_a_mean_leaves_out_are_counted_in_a_column_of_their_own(report: EvaluationResult) -> None:
    (cells, missing) = (columns(report)["images undefined"], report.classes["vessel"].fov.per_image.undefined)
    assert cells == {name: str(missing[name]) for name in MEASURES}
    defined = report_of([case_of(1), case_of(2)], rule=CountingRule(measures=("mask",)))
    assert not [title for title in columns(defined) if "undefined" in title]
    nothing = replace(
        case_of(3),
        image=np.zeros((15, 14, 3), np.uint8),
        masks=np.zeros((1, 15, 14), bool),
        fov=np.ones((15, 14), bool),
    )
    found = columns(report_of([case_of(1), case_of(2), nothing]))
    assert (found["images undefined"]["f1"], found["images undefined"]["accuracy"]) == ("1", "0")
    grouped = columns(report_of([case_of(1), replace(case_of(2), group="person-1"), nothing]))
    assert grouped["groups undefined"]["sensitivity"] == "1"


def test_the_statement_says_all_that_the_numbers_depend_on(report: EvaluationResult) -> None:
    sentence = statement(report)
    for fact in (
        "redness",
        "seeded",
        "test",
        "4 images",
        "native size",
        "one forward pass",
        "threshold 0.4000 (validation images)",
        "for preparing: estimated from the photograph",
        "for counting: the set's own masks",
        "empty truth: left out",
        "95 %, percentile bootstrap",
    ):
        assert fact in sentence


def test_images_that_the_model_has_seen_are_counted_and_never_pass_as_test_scores() -> None:
    seen = TrainingData(
        set="seeded",
        title="Seeded",
        terms="none",
        citation="none",
        training=("eye-1", "eye-3", "eye-9"),
        validation=("eye-2",),
    )
    report = report_of([case_of(seed) for seed in range(1, 5)], seen)
    assert (report.data.seen_in_training, report.data.seen_in_validation) == (2, 1)
    assert (
        warning(report)
        == "These are no test scores: of the 4 images the model has seen 2 in training, 1 in validation."
    )
    assert "(4 images, seen by the model: 2 in training, 1 in validation)" in statement(report)
    unseen = report_of([case_of(4)], seen)
    assert (unseen.data.seen_in_training, unseen.data.seen_in_validation) == (0, 0)
    assert warning(unseen) == ""
    assert "seen" not in statement(unseen)


def test_expected_and_true_f1_are_compared_image_by_image(report: EvaluationResult) -> None:
    rows = [row.classes["vessel"].fov.values for row in report.images]
    expected, true = ([row[name] or 0.0 for row in rows] for name in ("expected_f1", "f1"))
    found = report.confidence["vessel"]
    assert found.images == len(rows)
    assert found.mean_absolute_error == pytest.approx(np.abs(np.subtract(expected, true)).mean(), rel=1e-12)
    assert found.correlation == pytest.approx(np.corrcoef(expected, true)[0, 1], rel=1e-9)
    assert found.expected == pytest.approx(statistics.fmean(expected), rel=1e-12)
    (line,) = confidence(report)
    assert f"true {statistics.fmean(true):.4f}" in line


def test_two_images_have_no_correlation_and_an_image_without_foreground_takes_no_part() -> None:
    nothing = replace(case_of(3), image=np.zeros((15, 14, 3), np.uint8), masks=np.zeros((1, 15, 14), bool))
    found = report_of([case_of(1), case_of(2), nothing]).confidence["vessel"]
    assert (found.images, found.correlation) == (2, None)
