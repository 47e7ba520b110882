"""Fixtures that train once for all tests of this folder."""

from pathlib import Path

import pytest
from small_run import run, small_recipe

from foveate.datasets import DataSet, open_set


@pytest.fixture(scope="session")
def small_data() -> list[DataSet]:
    return [open_set("synthetic:3")]


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_data: list[DataSet]) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    run(small_recipe("training.epochs=3"), small_data, folder)
    return folder
