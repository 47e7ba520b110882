import csv
import io
from pathlib import Path

import pytest

from foveate.imaging import csv_text, write_csv


@pytest.mark.parametrize("name", ["=1+1", "+a", "-eye", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")'])
def test_a_cell_that_a_spreadsheet_would_calculate_is_a_text_behind_an_apostrophe(name: str) -> None:
    ((cell, other),) = csv.reader(io.StringIO(csv_text([[name, "eye.png"]]), newline=""))
    assert (cell, other) == (f"'{name}".replace("\r", "\n"), "eye.png")


def test_numbers_and_all_other_texts_are_as_they_are(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["image", "difference", "p"],
        ["a=b, c@d.png", -0.25, None],
        ["'quoted' \"name\"", "-0.25", "+1e-3"],
    ]
    write_csv(rows, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    assert b"\r" not in (tmp_path / "table.csv").read_bytes()
