"""The matrix: its page is what was found, and a cell that fails is seen, said, and leaves nothing behind."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matrix
import matrix_uses
import pytest
import write_matrix

FOUND = json.loads(write_matrix.FOUND.read_text("utf-8"))


def test_the_page_is_what_its_script_writes() -> None:
    assert write_matrix.text() == write_matrix.PAGE.read_text("utf-8")


def test_every_extra_for_users_is_in_a_cell_and_has_a_use() -> None:
    import release

    tried = {name for cell in (*matrix.LIGHT, *matrix.TRAINING) for name in cell.split(",")}
    assert tried == set(release.extras()) == set(matrix_uses.USES)


def test_the_bounds_table_names_every_package_that_pyproject_names() -> None:
    rows = write_matrix._bounds(FOUND["cells"]).splitlines()[2:]
    assert {row.split(" | ")[0].removeprefix("| ") for row in rows} == matrix.named(
        (matrix.ROOT / "pyproject.toml").read_text("utf-8")
    )


def test_the_bounds_table_has_the_lowest_of_all_cells_whatever_came_later() -> None:
    cells = [
        {"python": "3.11.7", "end": end, "failed": "", "versions": {"scipy": version}}
        for end, version in (("lowest", "1.9.0"), ("lowest", "1.17.1"), ("newest", "1.17.1"), ("newest", "1.9.3"))
    ]
    assert "| scipy | 1.9.0 to 1.17.1 |" in write_matrix._bounds(cells)


def test_a_cell_that_cant_be_resolved_is_a_failure_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "UV", (sys.executable, "-c", "import sys; sys.exit('no versions go together')"))
    cell = matrix.tried(tmp_path / "foveate.whl", Path(sys.executable), "3.11.7", "nifti", "lowest", tmp_path)
    assert (cell.failed, cell.error, cell.found) == ("resolve", "no versions go together", {})
    assert [path.name for path in tmp_path.iterdir()] in ([], ["pins.txt"])
    outcome: dict[str, Any] = vars(cell)
    assert write_matrix._outcome(outcome) == "**fails at resolve**"
    assert "no versions go together" in write_matrix._failures([outcome])


def test_every_python_that_is_found_is_of_the_version_that_it_is_called_by() -> None:
    found = matrix.pythons()
    assert found
    for minor, (interpreter, version) in found.items():
        code = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
        assert matrix.call("python", interpreter, "-c", code).strip() == version
        assert version.startswith(f"{minor}.")
