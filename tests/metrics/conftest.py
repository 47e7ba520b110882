"""Real photographs for the tests of metrics, each read or predicted once."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_images import Pair, Predicted, moved_vessels, read_image, two_observers


@pytest.fixture(scope="session")
def observers(shared_data: Path) -> list[Pair]:
    """DRIVE's 20 test images: the second observer against the first."""
    return [two_observers(shared_data, number) for number in range(1, 21)]


@pytest.fixture(scope="session", params=["DRIVE 01", "DRIVE 14", "HRF 01_h"])
def pair(request: pytest.FixtureRequest, shared_data: Path) -> Pair:
    """Two real masks of one photograph, and its field of view."""
    name, number = request.param.split()
    return two_observers(shared_data, int(number)) if name == "DRIVE" else moved_vessels(shared_data)


@pytest.fixture(scope="session")
def predicted(shared_data: Path) -> list[Predicted]:
    """Three of DRIVE's test images, segmented by the shipped model."""
    from foveate import load

    model, made = load("vessels"), []
    for number in (3, 9, 19):
        _, truth, fov = two_observers(shared_data, number)
        result = model.segment(read_image(shared_data / "DRIVE" / "test" / "images" / f"{number:02d}_test.tif"))
        made.append(Predicted(result.probability, result.mask, truth, fov))
    return made
