"""What all tests share: where the real images lie, if they are there."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from foveate.datasets import DataSet
    from real_images import Pair, Predicted
    from running import Running

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the public data sets; a test that asks for it is skipped where it is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the public data sets are not at {SHARED_DATA}")
    return SHARED_DATA


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", type=Path, help="a folder for pictures of the pages that tests open")


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path | None:
    """Where pictures of pages are to be kept, if anywhere."""
    folder: Path | None = pytestconfig.getoption("--pictures")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def eyes_drawn_once() -> Iterator[None]:
    """A photograph of `synthetic:N` is drawn once for all tests of a process, as drawing takes longer than most of what
    is done with it; whoever loads it gets a copy. `tests/drawn` looks at the drawing itself."""
    from foveate.drawn import cases, draw

    drawn = cache(draw)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cases, "draw", lambda seed: copy.deepcopy(drawn(seed)))
        yield


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
def photographs(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Six small ones to train on, as files: `synthetic:6` is drawn anew by every process, and is of full size."""
    from foveate.drawn import draw
    from foveate.imaging import write_mask, write_rgb

    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(6):
        drawn = draw(seed, height=150, width=160)
        write_rgb(drawn.image, folder / "images" / f"{seed}.png")
        write_mask(drawn.mask, folder / "masks" / f"{seed}.png")
    return f"folder:{folder}"


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, small_data: list[DataSet]) -> Path:
    """The folder of a run of three short epochs, trained once for all tests."""
    from small_run import run, small_recipe

    folder = tmp_path_factory.mktemp("runs") / "finished"
    run(small_recipe("training.epochs=3"), small_data, folder)
    return folder


@pytest.fixture(scope="module")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every network is exported once for all modules that ask for this, in whichever process: the same weights again
    are read from a file."""
    from exported_once import graph_of

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("foveate.training.after.export.to_onnx", partial(graph_of, folder / "exported once"))
        yield


@pytest.fixture(scope="session")
def observers(shared_data: Path) -> list[Pair]:
    """DRIVE's 20 test images: the second observer against the first."""
    from real_images import two_observers

    return [two_observers(shared_data, number) for number in range(1, 21)]


@pytest.fixture(scope="session", params=["DRIVE 01", "DRIVE 14", "HRF 01_h"])
def pair(request: pytest.FixtureRequest, shared_data: Path) -> Pair:
    """Two real masks of one photograph, and its field of view."""
    from real_images import moved_vessels, two_observers

    name, number = request.param.split()
    return two_observers(shared_data, int(number)) if name == "DRIVE" else moved_vessels(shared_data)


@pytest.fixture(scope="session")
def predicted(shared_data: Path) -> list[Predicted]:
    """Three of DRIVE's test images, segmented by the shipped model."""
    from real_images import predicted_drive

    return [predicted_drive(shared_data, number) for number in (3, 9, 19)]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`foveate serve` with the model whose answer is known, in a process of its own."""
    from running import started

    with started(tmp_path_factory.mktemp("service") / "log") as running:
        yield running
