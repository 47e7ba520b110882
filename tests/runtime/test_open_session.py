import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foveate.errors import ModelError
from foveate.models import open_model
from foveate.runtime import Execution, open_session

VESSELS = open_model("vessels")
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="needs the extra openvino")


def resident_bytes() -> int:
    """Memory of this process that lies in RAM (proc(5), statm, second field, in pages)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def colours(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.float32)


@pytest.mark.parametrize("content", [b"", b"no model at all", VESSELS.content[: len(VESSELS.content) // 2]])
def test_a_file_that_is_no_model_is_refused_in_one_line_that_names_it(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"^mine\.onnx: ") as refused:
        open_session(content, source="mine.onnx")
    assert "\n" not in str(refused.value)


def test_a_model_with_two_outputs_is_refused() -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx, which comes with foveate[train]")
    model = onnx.load_from_string(VESSELS.content)
    second = onnx.helper.make_node("Identity", [model.graph.output[0].name], ["second"])
    model.graph.node.append(second)
    model.graph.output.append(onnx.helper.make_tensor_value_info("second", onnx.TensorProto.FLOAT, None))
    with pytest.raises(ModelError, match=r"^mine\.onnx: .*1 inputs and 2 outputs"):
        open_session(model.SerializeToString(), source="mine.onnx")


@pytest.mark.parametrize(("height", "width"), [(16, 16), (16, 200), (72, 40), (120, 88)])
def test_any_size_of_whole_strides_gives_a_probability_per_pixel(height: int, width: int) -> None:
    session = open_session(VESSELS.content, source="vessels")
    probability = session.run(colours(0, 1, 3, height, width))
    assert probability.shape == (1, 1, height, width)
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1


@pytest.mark.parametrize(
    "execution", [Execution(), pytest.param(Execution("openvino"), marks=needs_openvino)], ids=lambda each: each.backend
)
@pytest.mark.parametrize("too_much", [1e-7, 1e-4])
def test_what_rounding_takes_beyond_1_and_below_0_comes_back_as_1_and_0(execution: Execution, too_much: float) -> None:
    pytest.importorskip("onnx", reason="needs onnx, which comes with foveate[train]")
    from onnx import numpy_helper

    from strange_models import node, then

    factor = numpy_helper.from_array(np.array(1 + 2 * too_much, np.float32), "factor")
    less = numpy_helper.from_array(np.array(too_much, np.float32), "less")
    model = then(node("Mul", "green factor", "more"), node("Sub", "more less"), weights=[factor, less])
    batch = np.zeros((1, 3, 8, 16), np.float32)
    batch[..., 8:] = 255
    probability = open_session(model.SerializeToString(), source="mine.onnx", execution=execution).run(batch)
    assert probability.min() == 0
    assert probability.max() == 1


def test_the_number_of_threads_changes_nothing_that_is_seen() -> None:
    batch = colours(1, 1, 3, 96, 128)
    one, two = (
        open_session(VESSELS.content, source="vessels", execution=Execution(threads=count)).run(batch)
        for count in (1, 2)
    )
    # Sums may be split otherwise.
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_a_call_leaves_no_trace_in_the_next() -> None:
    session = open_session(VESSELS.content, source="vessels")
    batch = colours(2, 1, 3, 64, 80)
    before = session.run(batch).copy()
    session.run(colours(3, 1, 3, 112, 48))
    np.testing.assert_array_equal(session.run(batch), before)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/statm")
def test_images_of_fifty_sizes_do_not_pile_up_in_memory() -> None:
    session = open_session(VESSELS.content, source="vessels", execution=Execution(threads=1))
    sides = 16 * np.random.default_rng(4).integers(8, 28, (50, 2)) + 8
    largest = sides.max(axis=0)
    assert len(np.unique(sides, axis=0)) >= 45
    session.run(np.zeros((1, 3, *largest), np.float32))
    before, most = resident_bytes(), 0
    for height, width in sides:
        session.run(np.zeros((1, 3, height, width), np.float32))
        most = max(most, resident_bytes())
    # The buffers of one image of the mean size are tens of megabytes; malloc's own slack is as much.
    assert most - before < 128 * 2**20


def test_the_second_image_of_a_size_costs_no_more_memory_than_the_first_and_none_is_given_back_between() -> None:
    # In a process of its own, whose pages are counted: each that is written to for the first time is a fault.
    ended = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, encoding="utf-8", check=True)
    first, second = map(int, ended.stdout.split())
    assert first > 10_000
    assert second < first / 20


FAULTS = """
import resource
import numpy as np
from foveate.models import open_model
from foveate.runtime import Execution, open_session

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

session = open_session(open_model("vessels").content, source="vessels", execution=Execution(threads=1))
batch = np.zeros((1, 3, 640, 640), np.float32)
counts = [faults()]
for _ in range(2):
    session.run(batch)
    counts.append(faults())
print(counts[1] - counts[0], counts[2] - counts[1])
"""
