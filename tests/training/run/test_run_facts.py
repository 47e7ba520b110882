"""What is read again of run.json."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foveate.errors import ModelError
from foveate.training.run.existing import runs_below
from foveate.training.run.facts import load_facts

CHANGES: dict[str, Callable[[Any], Any]] = {
    "a number": lambda _: 5,
    "a list": lambda facts: [facts],
    "of another tool": lambda _: {"progress": 0.5, "data": "images"},
    "no data": lambda facts: {key: value for key, value in facts.items() if key != "data"},
    "data as a list": lambda facts: facts | {"data": ["synthetic"]},
    "images as a number": lambda facts: facts | {"data": {"synthetic": {"training": 12}}},
    "progress as text": lambda facts: facts | {"progress": "half"},
    "thresholds as a number": lambda facts: facts | {"progress": facts["progress"] | {"best": {"thresholds": 0.5}}},
    "places as a number": lambda facts: facts | {"places": 1},
    "calls as texts": lambda facts: facts | {"resumed": ["foveate train"]},
    "weights without a file": lambda facts: facts | {"initial": {"command": "foveate train"}},
}


@pytest.mark.parametrize("kind", [*CHANGES, "deeper than can be read"])
def test_a_file_of_that_name_which_is_not_that_of_a_run_is_none(kind: str, finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert [each.folder for each in runs_below(tmp_path)] == [run]
    changed = json.dumps(CHANGES[kind](load_facts(run))) if kind in CHANGES else "[" * 100_000
    (run / "run.json").write_text(changed, encoding="utf-8")
    with pytest.raises(ModelError, match=r"run: not the folder of a run \(run\.json: "):
        load_facts(run)
    assert runs_below(tmp_path) == []
