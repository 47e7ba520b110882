"""docs/auto.md has the rules as they are, and rows.toml compares them at equal time."""

from __future__ import annotations

import tomllib
from pathlib import Path

import write_rules
from results import Places, runs_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_table_of_the_page_is_the_one_that_the_script_writes() -> None:
    page = (ROOT / "docs" / "auto.md").read_text(encoding="utf-8")
    assert write_rules.text() == page, "run python scripts/write_rules.py"


def test_every_automatic_row_has_hours_and_a_recipe_beside_it_that_ends_with_them() -> None:
    runs = {run.id: run for run in runs_of(Places(ROOT / "results", ROOT / "results"))}
    automatic = {name: run for name, run in runs.items() if run.row["recipe"] == "auto"}
    assert len({tuple(run.row["test"]) for run in automatic.values()}) == 3
    for name, run in automatic.items():
        beside = runs[name.replace("-s0", "-fixed-s0")]
        assert beside.data == run.data
        assert run.hours == ["--hours", str(run.row["hours"])]
        limits = [word for word in beside.overrides if word.startswith("training.hours=")]
        assert [tomllib.loads(word.partition(".")[2]) for word in limits] == [{"hours": run.row["hours"]}]
        assert beside.hours == []
