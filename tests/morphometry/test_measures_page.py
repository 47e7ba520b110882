"""docs/measures.md says what the data dictionary has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from foveate.morphometry.dictionary import VESSELS
from foveate.morphometry.trust import observer_agreement

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "measures.md"


def test_the_pages_tables_are_those_of_the_data_dictionary(tmp_path: Path) -> None:
    script = (ROOT / "scripts" / "write_measures.py").read_text(encoding="utf-8")
    written = tmp_path / "scripts" / "write_measures.py"
    written.parent.mkdir()
    written.write_text(script, encoding="utf-8")
    (tmp_path / "docs").mkdir()
    copy = tmp_path / "docs" / "measures.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, written], check=True)
    assert copy.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_what_observers_taught_is_about_measures_that_there_are() -> None:
    names = {measure.name for measure in VESSELS}
    assert set(observer_agreement().margins) <= names
    assert observer_agreement().unreliable <= names
    assert all(f"`{name}`" in PAGE.read_text(encoding="utf-8") for name in observer_agreement().unreliable)
