"""`foveate audit`, as a user types it."""

from __future__ import annotations

import json
import sys
from unittest import mock

import pytest

from foveate.errors import install_line
from foveate.published import rows
from foveate_command import run, run_apart

OWN = ("--set", "drive", "--sensitivity", ".8285", "--specificity", ".9822", "--accuracy", ".9677", "--f1", ".8166")

needs_library = pytest.mark.usefixtures("library")


@pytest.fixture(scope="session")
def library() -> None:
    pytest.importorskip("mlscorecheck")


@needs_library
def test_a_row_of_ones_own_is_judged_by_its_digits_in_a_process_that_says_nothing_else() -> None:
    ran = run_apart("audit", *OWN)
    assert (ran.status, ran.err) == (0, "")
    assert "consistent as means  8.09–9.56 %    whole image" in ran.out
    assert ran.out.splitlines()[-1].startswith("  No one confusion matrix of DRIVE's 20 test images has these rates")


@needs_library
def test_every_published_row_is_in_the_table_and_has_a_sentence() -> None:
    ran = run("audit", "--paper", "003", "--set", "stare")
    assert (ran.status, ran.err) == (0, "")
    table, *rest = ran.out.split("\n\n")
    wanted = [row for row in rows() if row.paper == "003" and row.set == "stare"]
    assert len(table.splitlines()) == 1 + len(wanted) == 1 + len(rest)
    for row in wanted:
        assert any(row.name in line and f"[{row.cites}]" in line for line in table.splitlines()) or row.own


@needs_library
def test_json_has_the_whole_of_it_and_an_impossible_row_is_no_failure() -> None:
    ran = run("audit", "--paper", "001", "--json")
    assert (ran.status, ran.err) == (0, "")
    found = json.loads(ran.out)
    assert [each["verdict"] for each in found] == ["consistent"] + 4 * ["inconsistent"]
    assert found[1]["values"] == {"accuracy": 0.991, "f1": 0.0667, "iou": 0.496, "loss": 0.0353}
    trials = json.loads(run("audit", *OWN, "--json").out)[0]["trials"]
    assert [(trial["scope"], trial["one_count"], trial["means"]) for trial in trials] == [
        ("fov", False, False),
        ("image", False, True),
    ]


@needs_library
def test_decimals_give_back_the_zeros_that_were_not_typed() -> None:
    short = ("--f1", ".5", "--iou", ".32")
    # To two digits, an F1 of .49 and an IoU of .325 go together; to four, not even means do.
    assert "inconsistent" not in run("audit", *short).out
    assert "inconsistent" in run("audit", *short, "--decimals", "4").out


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (("--paper", "005"), "000"),
        (("--set", "drives"), "Did you mean 'drive'?"),
        (("--paper", "000", "--set", "drive"), "no row of drive"),
        (("--paper", "003", "--f1", ".8", "--iou", ".7"), "the one or the other"),
        (("--set", "lgg", "--f1", ".8", "--iou", ".7"), "Leave out --set"),
        (("--f1", ".8"), "at least two"),
        (("--f1", "80.2", "--iou", ".7"), "--f1 80.2: not a rate"),
        (("--f1", "nan", "--iou", ".7"), "--f1 nan: not a rate"),
        (("--f1", ".8166", "--iou", ".7", "--decimals", "3"), "more than the 3 digits"),
        (("--decimals", "4"), "for a row of your own"),
    ],
)
def test_a_wrong_call_ends_with_one_line_and_status_2(call: tuple[str, ...], word: str) -> None:
    ran = run("audit", *call)
    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)
    assert word in ran.errors[0]


def test_without_the_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("mlscorecheck")]:
        monkeypatch.delitem(sys.modules, name)
    with mock.patch.dict(sys.modules, {"mlscorecheck": None}):
        ran = run("audit", *OWN)
    assert (ran.status, ran.out, len(ran.errors)) == (2, "", 1)
    assert ran.errors[0].endswith(f"needs mlscorecheck, which is not installed: {install_line('evaluate')}")
