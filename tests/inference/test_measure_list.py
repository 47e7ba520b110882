"""The lists that `foveate measure` takes."""

from pathlib import Path

import pytest

from foveate.inference.measuring.measure_list import measure_jobs
from foveate.inference.measuring.measurement import Known


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_list_says_the_same_whether_commas_semicolons_or_tabs_part_its_columns(tmp_path: Path, sign: str) -> None:
    (tmp_path / "eye.png").touch()
    table = tmp_path / "list.csv"
    table.write_text(f"path{sign}um_per_pixel{sign}eye\neye.png{sign} 7.5{sign}left\n", encoding="utf-8")
    (job,) = measure_jobs([table], Known())
    assert (job.path, job.known.um_per_pixel, job.known.eye) == (tmp_path / "eye.png", 7.5, "left")
