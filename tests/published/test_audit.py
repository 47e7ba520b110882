"""What the audit says of the five papers' tables, and of rows that were counted here."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from foveate.datasets import open_set
from foveate.published import PublishedRow, rows
from foveate.published.rows import Conditions, PrintedNumber
from foveate.records import SCOPES, Scope

pytest.importorskip("mlscorecheck")

from foveate.published.audit import Audit, audit
from foveate.published.sentences import sentences, shares_in_short


def row(of_set: str, **values: str) -> PublishedRow:
    printed = {measure: PrintedNumber(text) for measure, text in values.items()}
    return PublishedRow(paper="", tables=(), name="", cites="", set=of_set, conditions=Conditions(), values=printed)


@pytest.fixture(scope="module")
def audited() -> list[Audit]:
    """Every published row, audited once for all tests."""
    return [audit(each) for each in rows()]


def of_paper(audited: list[Audit], paper: str, table: str = "") -> list[Audit]:
    """Those of a paper's own, or of the given table's."""
    own = [found for found in audited if found.row.paper == paper and found.row.own]
    return [found for found in own if table in ("", *found.row.tables)]


def said(found: Audit) -> str:
    return " ".join(sentences(found))


def test_paper_004_counted_one_confusion_matrix_inside_the_field_of_view(audited: list[Audit]) -> None:
    (found,) = of_paper(audited, "004")
    assert (found.verdict, found.scopes) == ("consistent", ("fov",))
    assert found.share is not None
    assert [round(float(end), 3) for end in found.share] == [0.127, 0.128]
    assert "12.73 % inside the field of view" in said(found)


def test_paper_003_averaged_over_whole_images_of_drive(audited: list[Audit]) -> None:
    (found,) = of_paper(audited, "003", "III")
    assert (found.verdict, found.scopes) == ("consistent as means", ("image",))
    assert shares_in_short(found) == "8.09–9.56 %"
    assert {each.scopes for each in of_paper(audited, "003", "II")} == {("image",)}


@pytest.mark.parametrize(
    ("table", "by_accuracy", "by_f1"), [("IV", "5.20–5.45 %", "12.45–12.65 %"), ("V", "3.13–3.43 %", "9.16–9.31 %")]
)
def test_paper_003s_rows_of_chase_db1_and_stare_can_not_be_true(
    audited: list[Audit], table: str, by_accuracy: str, by_f1: str
) -> None:
    (found,) = of_paper(audited, "003", table)
    assert (found.verdict, found.scopes) == ("inconsistent", ())
    assert f"sensitivity, specificity and accuracy imply {by_accuracy}" in said(found)
    assert f"sensitivity, specificity and F1 {by_f1}" in said(found)


def test_paper_001s_iou_is_that_of_an_empty_prediction(audited: list[Audit]) -> None:
    own = of_paper(audited, "001")
    assert len(own) == 4
    for found in own:
        assert found.verdict == "inconsistent"
        assert found.background_iou is not None
        assert float(found.background_iou) == pytest.approx(0.992, abs=3e-4)
        assert "and 0, the IoU of background and foreground where nothing is found" in said(found)
    (resnet,) = of_paper(audited, "001", "3")
    assert "printed as its loss" in said(resnet)


def test_paper_000s_dice_and_iou_agree_and_paper_002s_only_as_means(audited: list[Audit]) -> None:
    assert {found.verdict for found in of_paper(audited, "000")} == {"consistent"}
    assert {found.verdict for found in of_paper(audited, "002")} == {"consistent as means"}


def test_paper_002s_focal_losses_are_more_than_those_of_knowing_nothing(audited: list[Audit]) -> None:
    found = of_paper(audited, "002")
    assert len(found) == 4
    for each in found:
        assert f"A focal loss of {each.row.values['focal_loss'].text} is more than knowing nothing gives" in said(each)
        assert "no mean of the usual focal loss of a network that has learnt" in said(each)
    assert not any("focal" in said(each) for each in audited if each not in found)


def test_a_focal_loss_that_a_network_may_have_is_not_spoken_of() -> None:
    assert "focal" not in said(audit(row("isic2018", f1="0.8660", iou="0.795", focal_loss="0.174")))
    assert "focal" in said(audit(row("isic2018", f1="0.8660", iou="0.795", focal_loss="0.175")))


def second_observer(shared_data: Path, scope: Scope, how: str) -> PublishedRow:
    """DRIVE's second observer, scored inside the field of view or not, pooled or as means over images."""
    counts = []
    for entry in open_set(f"drive:{shared_data / 'DRIVE'}").split("test"):
        case = entry.load()
        assert case.fov is not None
        assert case.second_masks is not None
        inside = case.fov if scope == "fov" else np.ones_like(case.fov)
        truth, found = case.mask[inside], case.second_masks[0][inside]
        counts.append([(truth & found).sum(), (~truth & found).sum(), (truth & ~found).sum(), (~truth & ~found).sum()])
    each = np.array(counts).sum(axis=0, keepdims=True) if how == "pooled" else np.array(counts)
    tp, fp, fn, tn = each.T
    exact = {
        "sensitivity": tp / (tp + fn),
        "specificity": tn / (tn + fp),
        "accuracy": (tp + tn) / each.sum(axis=1),
        "f1": 2 * tp / (2 * tp + fp + fn),
    }
    return row("drive", **{measure: f"{values.mean():.4f}" for measure, values in exact.items()})


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("how", "verdict"), [("pooled", "consistent"), ("means", "consistent as means")])
def test_scores_that_were_really_counted_are_recognised_for_what_they_are(
    shared_data: Path, scope: Scope, how: str, verdict: str
) -> None:
    found = audit(second_observer(shared_data, scope, how))
    assert (found.verdict, found.scopes) == (verdict, (scope,))


def test_own_arithmetic_and_the_library_agree_on_every_published_row(audited: list[Audit]) -> None:
    trials = [trial for found in audited for trial in found.trials]
    assert len(trials) > 50
    assert [trial for trial in trials if trial.one_count != trial.share_fits] == []
    assert [trial for trial in trials if trial.means and trial.means_at_all is False] == []


def test_a_true_row_of_other_images_is_told_from_an_impossible_one() -> None:
    # A third of the pixels is foreground: as possible as can be, but no photograph of DRIVE looks so.
    found = audit(row("drive", sensitivity="0.8000", specificity="0.9500", accuracy="0.9000", f1="0.8421"))
    assert found.verdict == "not these images"
    assert found.share is not None
    assert float(found.share[0]) < 1 / 3 < float(found.share[1])
    assert (
        audit(row("", sensitivity="0.8000", specificity="0.9500", accuracy="0.9000", f1="0.8421")).verdict
        == "consistent"
    )


def test_rates_of_two_digits_leave_the_library_too_much_to_try_and_are_judged_by_the_share() -> None:
    found = audit(row("drive", accuracy="0.98", f1="0.80"))
    by_scope = {trial.scope: (trial.one_count, trial.share_fits) for trial in found.trials}
    assert by_scope == {"fov": (False, False), "image": (None, True)}
    assert (found.verdict, found.scopes) == ("consistent", ("image",))


def test_a_single_rate_is_not_judged() -> None:
    assert audit(row("drive", f1="0.8000")).verdict == "too few rates"


def test_the_library_logs_nothing_and_its_logger_is_left_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        audit(row("drive", sensitivity="0.7153", specificity="0.9876", accuracy="0.9529"))
    assert [record for record in caplog.records if record.name == "mlscorecheck"] == []
    assert not logging.getLogger("mlscorecheck").disabled
