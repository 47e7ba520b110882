"""What all tests share: where the real images lie, if they are there."""

from __future__ import annotations

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
def small_data() -> list[DataSet]:
    """Three drawn photographs to train on, and three to test on."""
    from foveate.datasets import open_set

    return [open_set("synthetic:3")]


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_data: list[DataSet]) -> Path:
    """The folder of a run of three short epochs, trained once for all tests."""
    from small_run import run, small_recipe

    folder = tmp_path_factory.mktemp("runs") / "finished"
    run(small_recipe("training.epochs=3"), small_data, folder)
    return folder
