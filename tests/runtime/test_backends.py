"""Every backend gives the same answer, and what was asked for and isn't there is an error."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest
from numpy.typing import NDArray

import foveate
from foveate.drawn import draw
from foveate.errors import UsageError
from foveate.imaging import write_rgb
from foveate.models import open_model
from foveate.runtime import Execution, Wish, chosen, open_session
from foveate.runtime.onnx import Call, SharedNetwork

VESSELS = open_model("vessels")
needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="needs the extra openvino")


def eye(height: int, width: int, seed: int = 3) -> NDArray[np.float32]:
    image = draw(seed, height=height, width=width).image
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32)


def by(execution: Execution, *batches: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    session = open_session(VESSELS.content, source="vessels", channels=3, maps=1, execution=execution)
    return [session.run(batch) for batch in batches]


@needs_openvino
def test_openvino_gives_onnx_runtimes_probabilities_also_where_a_size_comes_so_often_that_it_is_compiled_for() -> None:
    from foveate.runtime.openvino import OFTEN

    batches = [eye(96, 120), eye(64, 64), *[eye(96, 120, seed) for seed in range(OFTEN + 2)]]
    expected = by(Execution(threads=1), *batches)
    found = by(Execution("openvino", threads=1), *batches)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4)


@needs_openvino
@pytest.mark.parametrize("threads", [1, 2])
def test_threads_that_share_a_session_of_openvino_get_each_their_own_answer(threads: int) -> None:
    session = open_session(VESSELS.content, source="vessels", execution=Execution("openvino", threads=threads))
    batches = [eye(64, 72, seed) for seed in range(8)] + [eye(64, 80 + 8 * number) for number in range(8)]
    alone = [session.run(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(session.run, batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def test_threads_that_share_a_session_of_onnx_runtime_get_each_their_own_answer_to_the_bit() -> None:
    session = open_session(VESSELS.content, source="vessels", execution=Execution(threads=2))
    batches = [eye(64, 72, seed) for seed in range(8)]
    alone = [session.run(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(session.run, batches))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(other, one)


def test_a_call_has_all_threads_unless_others_come_with_it() -> None:
    met, opened, by = Barrier(2), list[str](), list[str]()

    def call_of(name: str) -> Call:
        def call(batch: NDArray[np.float32]) -> NDArray[np.float32]:
            by.append(name)
            if batch[0]:
                met.wait(timeout=100)
            return batch

        return call

    def beside() -> Call:
        opened.append("beside")
        return call_of("beside")

    network = SharedNetwork(call_of("alone"), beside)
    lonely, joined = np.zeros(1, np.float32), np.ones(1, np.float32)
    network(lonely)
    network(lonely)
    assert by == ["alone", "alone"]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(network, [joined, joined]))
    assert sorted(by[2:]) == ["alone", "beside"]
    for _ in range(3):
        network(lonely)
    assert by[4:] == ["beside", "alone", "alone"]
    assert opened == ["beside"]


CTRL_C_AFTERWARDS = """
import signal, threading
from foveate.models import open_model
from foveate.runtime import Execution, open_session
signal.signal(signal.SIGINT, signal.default_int_handler)
execution = Execution("openvino", threads=1)
sessions = [open_session(open_model("vessels").content, source="vessels", execution=execution)]
dropping = threading.Thread(target=sessions.clear)
dropping.start()
dropping.join()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard")
"""


@needs_openvino
def test_ctrl_c_is_heard_after_another_thread_has_dropped_a_session_of_openvino() -> None:
    ended = subprocess.run([sys.executable, "-c", CTRL_C_AFTERWARDS], capture_output=True, check=False, text=True)
    assert (ended.returncode, ended.stdout) == (0, "heard\n"), ended.stderr


@needs_openvino
def test_a_segmenter_by_openvino_pickles_and_its_record_says_what_ran(tmp_path: Path) -> None:
    segmenter = foveate.load("vessels", backend="openvino", threads=1)
    again = pickle.loads(pickle.dumps(segmenter))
    image = draw(3, height=120, width=130).image
    np.testing.assert_array_equal(again.segment(image).mask, segmenter.segment(image).mask)
    write_rgb(image, tmp_path / "eye.png")
    (outcome,) = foveate.segment(tmp_path / "eye.png", tmp_path / "out", model=again)
    assert outcome.error == ""
    (entry,) = json.loads((tmp_path / "out" / "segment.json").read_text("utf-8"))["images"].values()
    assert entry["execution"] == {"backend": "openvino", "device": "cpu", "precision": "f32", "threads": 1}


@needs_openvino
def test_auto_takes_openvino_for_many_images_and_onnx_runtime_for_few_or_where_it_isnt_known() -> None:
    assert chosen(Wish(), images=1) == chosen(Wish()) == Execution("onnxruntime", "cpu", "f32", 0)
    assert chosen(Wish(threads=3), images=10_000) == Execution("openvino", "cpu", "f32", 3)
    assert chosen(Wish("onnxruntime"), images=10_000).backend == "onnxruntime"
    assert chosen(Wish(device="cuda"), images=10_000).backend == "onnxruntime"


def test_auto_is_onnx_runtime_for_many_where_openvino_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foveate.runtime.opened.find_spec", lambda name: None)
    assert chosen(Wish(), images=10_000) == Execution()


def test_openvino_that_is_not_installed_is_an_error_and_no_other_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UsageError, match=r"--backend openvino needs openvino, which is not installed: pip install"):
        foveate.load("vessels", backend="openvino")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"device": "directml"}, r"^device directml: the installed ONNX Runtime has no such device\. It has: .*cpu"),
        ({"device": "mps"}, r"^device mps: the installed ONNX Runtime has no such device"),
        ({"backend": "onnxruntime", "precision": "bf16"}, r"^precision bf16: ONNX Runtime computes in f32 alone"),
        ({"backend": "torch"}, r"^vessels: is no run's folder; --backend torch runs the weights of one"),
        ({"backend": "tensorrt"}, r"^unknown backend 'tensorrt'\. .*Valid: auto, onnxruntime, openvino, torch"),
        ({"precision": "int8"}, r"^unknown precision 'int8'"),
        pytest.param(
            {"backend": "openvino", "device": "cuda"}, r"^device cuda: --backend openvino runs on", marks=needs_openvino
        ),
    ],
    ids=str,
)
def test_what_is_asked_for_and_not_there_is_an_error_in_one_line(asked: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        foveate.load("vessels", **asked)  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)


@needs_openvino
def test_bf16_on_a_processor_without_it_is_an_error_and_else_nearly_the_same_mask() -> None:
    import openvino

    execution, batch = Execution("openvino", precision="bf16", threads=1), eye(96, 120)
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(UsageError, match="precision bf16: this processor has no instructions for it"):
            by(execution, batch)
        return
    (exact,), (half,) = by(Execution(threads=1), batch), by(execution, batch)
    threshold = VESSELS.card.thresholds[0]
    assert np.mean((exact >= threshold) == (half >= threshold)) > 0.995


@needs_openvino
def test_loading_and_running_by_openvino_touches_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("the network was touched")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(f"socket.{name}", refuse)
    assert by(Execution("openvino", threads=1), eye(64, 64))[0].shape == (1, 1, 64, 64)
