"""The workflow for other systems calls what the Makefile has, with no more rights than it needs."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from source_tree import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z]+):", MAKEFILE, flags=re.MULTILINE))
VARIABLES = {"PYTHON", "TARGET", "CELLS", "JOBS"}

every_workflow = pytest.mark.parametrize("workflow", [yaml.safe_load(file.read_text("utf-8")) for file in FILES])


def runs(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@every_workflow
def test_every_command_of_a_workflow_makes_targets_that_there_are(workflow: dict[str, Any]) -> None:
    assert runs(workflow)
    for line in runs(workflow):
        # An expression of the workflow's is a word, whatever it holds.
        make, *words = re.sub(r"\$\{\{.*?\}\}", "value", line).split()
        assert make == "make"
        assert {word for word in words if "=" not in word} <= TARGETS
        assert {word.partition("=")[0] for word in words if "=" in word} <= VARIABLES
        assert all(f"$({word.partition('=')[0]})" in MAKEFILE for word in words if "=" in word)


@every_workflow
def test_tests_and_matrix_are_called_on_three_systems_and_a_release_waits_for_them(workflow: dict[str, Any]) -> None:
    jobs = workflow["jobs"]
    for name in ("test", "matrix"):
        systems = jobs[name]["strategy"]["matrix"]["system"]
        assert {system.partition("-")[0] for system in systems} == {"ubuntu", "macos", "windows"}
    assert set(jobs["release"]["needs"]) == {"test", "matrix"}


@every_workflow
def test_a_workflow_may_read_and_no_more_and_ends_by_itself(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] > 0
        assert "permissions" not in job
