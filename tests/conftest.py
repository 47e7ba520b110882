"""What all tests share: where the real images lie, if they are there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from foveate.datasets import DataSet

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the public data sets; a test that asks for it is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the public data sets are not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture(scope="session")
def shared_papers() -> Path:
    """The folder with the papers' texts; a test that asks for it is skipped where it is missing."""
    papers = SHARED_DATA.parent / "papers"
    if not papers.is_dir():
        pytest.skip(f"the papers' texts are not at {papers}")
    return papers


@pytest.fixture(scope="session")
def small_data() -> list[DataSet]:
    """Three photographs to train on, and three to test on, each drawn once for all tests."""
    from foveate.datasets import open_set

    drawn = open_set("synthetic:3")
    return [replace(drawn, entries=tuple(replace(entry, load=cache(entry.load)) for entry in drawn.entries))]


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_data: list[DataSet]) -> Path:
    """The folder of a run of three short epochs, trained once for all tests."""
    from small_run import run, small_recipe

    folder = tmp_path_factory.mktemp("runs") / "finished"
    run(small_recipe("training.epochs=3"), small_data, folder)
    return folder
