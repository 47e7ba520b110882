"""`vessels` gives a large image to its network in bands of rows, which changes nothing but the memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from foveate.drawn import draw
from foveate.inference import Segmenter
from foveate.inference.large import limits
from foveate.runtime import Execution


class Watched:
    """A session that keeps the sizes of what it is given."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.session, self.sizes = segmenter.session, list[tuple[int, ...]]()

    @property
    def execution(self) -> Execution:
        return self.session.execution

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.sizes.append(batch.shape[2:])
        return self.session.run(batch)


def watched(backend: Literal["auto", "openvino"] = "auto") -> tuple[Segmenter, Watched]:
    segmenter = foveate.load("vessels", backend=backend)
    session = Watched(segmenter)
    return Segmenter(segmenter.card, session), session


def fundus(height: int, width: int) -> NDArray[np.uint8]:
    small = PillowImage.fromarray(draw(2, height=584, width=565).image)
    return np.asarray(small.resize((width, height), PillowImage.Resampling.BICUBIC))


@pytest.mark.parametrize(("height", "width"), [(1080, 1152), (1024, 1032), (1408, 2048)])
def test_bands_say_what_the_whole_says(height: int, width: int) -> None:
    segmenter, session = watched()
    batch = fundus(height, width).transpose(2, 0, 1)[None].astype(np.float32)
    in_bands = segmenter.network(batch)
    assert len(session.sizes) > 1
    assert max(rows * columns for rows, columns in session.sizes) < 0.75 * height * width
    np.testing.assert_allclose(in_bands, session.session.run(batch), rtol=0, atol=1e-6)


def test_an_image_of_usual_size_is_seen_as_a_whole() -> None:
    segmenter, session = watched()
    segmenter.network(np.zeros((1, 3, 1000, 1000), np.float32))
    segmenter.network(np.zeros((1, 3, 328, 4000), np.float32))  # which has no rows to spare
    assert session.sizes == [(1000, 1000), (328, 4000)]


def test_a_card_that_bounds_the_working_size_gives_no_tiles_however_little_memory_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MEMORY", limits.LEAST_MEMORY)
    segmenter, session = watched()
    segmenter.segment(fundus(1300, 1250))
    assert len(session.sizes) == 2
    assert len({columns for _, columns in session.sizes}) == 1


def test_openvino_sees_the_whole() -> None:
    pytest.importorskip("openvino", reason="needs the extra 'openvino'")
    segmenter, session = watched("openvino")
    segmenter.network(np.zeros((1, 3, 1080, 1152), np.float32))
    assert session.sizes == [(1080, 1152)]


def test_the_network_of_vessels_looks_no_farther_than_its_card_says() -> None:
    segmenter, session = watched()
    context = segmenter.card.preparation.context
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 320, 32)).astype(np.float32)
    before = session.run(image)
    reaches = []
    for row in range(160, 176):  # each place in what the network pools together
        other = image.copy()
        other[:, :, row] = 255 - other[:, :, row]
        changed = np.flatnonzero((session.run(other) != before).any((0, 1, 3)))
        reaches += [row - changed.min(), changed.max() - row]
    assert context / 2 < max(reaches) <= context


PEAK = """
import sys
from pathlib import Path
import foveate
(outcome,) = foveate.segment(sys.argv[1], sys.argv[2])
assert outcome.error == "", outcome.error
print(Path("/proc/self/status").read_text("ascii").partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_photograph_of_eight_megapixels_takes_less_than_450_mb(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    PillowImage.fromarray(fundus(2336, 3504)).save(photo)
    command = [sys.executable, "-c", PEAK, str(photo), str(tmp_path / "out")]
    answered = subprocess.run(command, check=True, capture_output=True, text=True)
    assert 1024 * int(answered.stdout) < 450e6
