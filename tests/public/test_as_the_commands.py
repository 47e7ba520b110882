"""The functions do what the commands do, print nothing, and tell what is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foveate.errors import OutputError, UsageError, install_line
from foveate.public.audit import audit
from foveate.public.compare import compare
from foveate.public.cross import cross
from foveate.public.evaluate import evaluate
from foveate.public.files import read_results, write_results
from foveate.public.report import report
from foveate_command import run
from known_model import known_model

SET = "synthetic:3"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two models that differ in their threshold."""
    folder = tmp_path_factory.mktemp("models")
    return known_model(folder / "a", name="low", threshold=0.33), known_model(folder / "b", name="high", threshold=0.36)


def without_times(document: Any) -> Any:
    """A JSON document without what differs from call to call."""
    if isinstance(document, dict):
        return {key: without_times(value) for key, value in document.items() if key not in ("seconds", "milliseconds")}
    return [without_times(each) for each in document] if isinstance(document, list) else document


def test_evaluating_in_python_gives_what_the_command_writes_tells_its_progress_and_prints_nothing(
    models: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, int]] = []
    results = evaluate(
        models, data=SET, vessels=False, boundary=False, on_case=lambda _, done, total: told.append((done, total))
    )
    assert capsys.readouterr() == ("", "")
    total = results[0].data.count
    assert told == [(done, total) for _ in models for done in range(1, total + 1)]
    write_results(results, tmp_path / "mine.json")
    file = tmp_path / "theirs.json"
    ran = run("evaluate", *models, "--data", SET, "--no-vessels", "--no-boundary", "--json", file)
    assert ran.status == 0, ran.err
    mine, theirs = (json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in ("mine.json", "theirs.json"))
    assert without_times(mine) == without_times(theirs)
    assert read_results(tmp_path / "mine.json") == results


def test_a_comparison_and_a_matrix_in_python_are_those_of_the_commands(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    (comparison,) = compare(models, data=SET, measure="f1", published=False)
    ran = run("compare", *models, "--data", SET, "--measure", "f1", "--no-published", "--format", "json")
    assert without_times(comparison.model_dump(mode="json")) == without_times(json.loads(ran.out))
    (matrix,) = cross(models, data=SET, measure="dice")
    ran = run("cross", *models, "--data", SET, "--measure", "dice", "--format", "latex")
    write_results([matrix], tmp_path / "matrix.tex")
    assert (tmp_path / "matrix.tex").read_text(encoding="utf-8") == ran.out
    with pytest.raises(OutputError, match="is there already"):
        write_results([matrix], tmp_path / "matrix.tex")


def test_a_report_in_python_is_a_page_with_its_numbers_and_is_not_written_over(
    models: tuple[Path, Path], tmp_path: Path
) -> None:
    results = report(models[0], data=SET, out=tmp_path, vessels=False, boundary=False)
    assert read_results(tmp_path / "report.json") == results
    value = results[0].classes["vessel"].fov.pooled.values["f1"]
    assert f"{value:.4f}" in (tmp_path / "index.html").read_text(encoding="utf-8")
    with pytest.raises(OutputError, match="is there already"):
        report(models[0], data=SET, out=tmp_path)


def test_an_audit_in_python_is_the_commands_and_takes_numbers_for_texts() -> None:
    rates = ("--sensitivity", ".8285", "--specificity", ".9822", "--accuracy", ".9677", "--f1", ".8166")
    ran = run("audit", "--set", "drive", *rates, "--json")
    records = audit(set="drive", sensitivity=0.8285, specificity=0.9822, accuracy=0.9677, f1=0.8166)
    assert [record.model_dump(mode="json") for record in records] == json.loads(ran.out)
    with pytest.raises(UsageError, match="one rate alone"):
        audit(f1=".8")


@pytest.mark.parametrize("name", ["audit", "compare", "cross", "evaluate", "files", "report"])
def test_a_public_function_is_imported_without_anything_heavy(name: str) -> None:
    code = f"import sys, foveate.public.{name}; print(*{{each.partition('.')[0] for each in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert set(ended.stdout.split()) & {"numpy", "pydantic", "PIL", "scipy", "matplotlib", "onnxruntime"} == set()


def test_a_missing_extra_is_said_by_the_function() -> None:
    code = "import sys; sys.modules['scipy'] = None\nfrom foveate.public.audit import audit\naudit(f1='.8', iou='.7')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    said = f"an audit needs scipy, which is not installed: {install_line('evaluate')}"
    assert ended.stderr.splitlines()[-1] == f"foveate.errors.UsageError: {said}"
