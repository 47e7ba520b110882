"""From a model file to a session that has been tried, whatever runs it; and what runs it where that is left open."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from foveate.errors import UsageError
from foveate.runtime.graph import check_graph
from foveate.runtime.onnx import loading, open_in_onnxruntime
from foveate.runtime.session import Device, Execution, Precision, Session, Wish
from foveate.runtime.sizes import check_sizes

TRIAL = (32, 64)
"""Height and width of the image on which a file is tried before it is called a model."""

MANY = 48
"""Images from which on OpenVINO, where it is installed, is quicker in all; its beginning takes .8 s more."""


def chosen(wish: Wish, *, images: int | None = None) -> Execution:
    """What runs a model file where the wish leaves something open, by what was measured: see docs/benchmark.md.

    That is ONNX Runtime on the processor in f32; for `images` of `MANY` or more OpenVINO, where it is installed. bf16
    and other devices are for who names them.
    """
    device: Device = "cpu" if wish.device == "auto" else wish.device
    precision: Precision = "f32" if wish.precision == "auto" else wish.precision
    backend = wish.backend
    if backend == "auto":
        pays = images is not None and images >= MANY and device == "cpu" and find_spec("openvino") is not None
        backend = "openvino" if pays or precision == "bf16" else "onnxruntime"
    return Execution(backend, device, precision, wish.threads)


def open_session(
    model: bytes,
    *,
    source: str,
    channels: int | None = None,
    maps: int | None = None,
    execution: Execution | None = None,
    trusted: bool = False,
) -> Session:
    """A model file, ready to run.

    `source` names the model in errors; C and K are `channels` and `maps`, or where these are None what the file has.
    A file that is not `trusted`, as those of the package are, is looked through and tried on a small image.
    Raises ModelError for bytes that consist of more than `graph` allows, that can't be loaded, that have other than one
    input and one output of that kind, or that fail on the small image; UsageError for an `execution` that can't be had.
    """
    execution = execution or Execution()
    if execution.backend == "torch":
        raise UsageError("backend torch: runs the weights of a run's folder, not a model file. Name the run.")
    if not trusted:
        check_graph(model, source)
    session: Session
    if execution.backend == "onnxruntime" or not trusted:
        by_onnxruntime = execution if execution.backend == "onnxruntime" else Execution(threads=execution.threads)
        session = opened = open_in_onnxruntime(model, source, channels, maps, by_onnxruntime)
        if channels is not None and not trusted:
            with loading(source):
                check_sizes(model, source, opened.input, (1, channels, *TRIAL))
            opened.run(np.full((1, channels, *TRIAL), 128, np.float32))
    if execution.backend == "openvino":
        from foveate.runtime.openvino import open_in_openvino

        session = open_in_openvino(model, source, maps, execution)
        if channels is not None:
            session.run(np.full((1, channels, *TRIAL), 128, np.float32))
    return session
