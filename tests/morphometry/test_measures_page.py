"""docs/measures.md says what the data dictionary has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from foveate.morphometry.dictionary import VESSELS
from foveate.morphometry.trust import observer_agreement

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "measures.md"


def test_the_pages_tables_are_those_of_the_data_dictionary(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    for name in ("write_measures.py", "generated.py"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    (tmp_path / "docs").mkdir()
    copy = tmp_path / "docs" / "measures.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, tmp_path / "scripts" / "write_measures.py"], check=True)
    assert copy.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_what_observers_taught_is_about_measures_that_there_are() -> None:
    names = {measure.name for measure in VESSELS}
    assert set(observer_agreement().margins) <= names
    assert observer_agreement().unreliable <= names
    assert all(f"`{name}`" in PAGE.read_text(encoding="utf-8") for name in observer_agreement().unreliable)
