"""A network that asks for more memory than there may be ends in a message, and the next image is done."""

from __future__ import annotations

import subprocess
import sys

import pytest

from foveate.models import open_model
from foveate.runtime.wire import fields, message

LITTLE_MEMORY = """
import numpy as np
from foveate.errors import ModelError
from foveate.models import open_model
from foveate.runtime import Execution, memory, open_session

memory.limit = lambda: 300 * 2**20
content, one = open_model("vessels").content, Execution(threads=1)
session = open_session(content, source="vessels", channels=3, maps=1, execution=one)
try:
    session.run(np.zeros((1, 3, 1024, 1024), np.float32))
except ModelError as error:
    print(error)
print(session.run(np.zeros((1, 3, 64, 64), np.float32)).shape)
"""


def test_an_image_for_which_memory_does_not_last_is_told_and_the_next_is_done() -> None:
    ended = subprocess.run([sys.executable, "-c", LITTLE_MEMORY], capture_output=True, encoding="utf-8", check=True)
    told, shape = ended.stdout.splitlines()
    assert told.startswith("vessels: needs more memory for an image of 1×3×1024×1024 than there is")
    assert "shrink or crop" in told
    assert shape == "(1, 1, 64, 64)"
    assert ended.stderr == ""


def test_a_message_is_read_as_it_is_written() -> None:
    parts: list[tuple[int, int | bytes | memoryview]] = [(1, 0), (2, b"text"), (16, 2**64 - 1), (3, b""), (1, 300)]
    # A view equals the bytes that it shows.
    assert list(fields(memoryview(message(*parts)))) == parts


def test_what_is_read_of_a_model_is_what_the_package_onnx_reads() -> None:
    onnx = pytest.importorskip("onnx", reason="needs onnx, which comes with foveate[train]")
    content = open_model("vessels").content
    operators = []
    for _, graph in (each for each in fields(memoryview(content)) if each[0] == 7):
        assert isinstance(graph, memoryview)
        for number, node in fields(graph):
            if number == 1 and isinstance(node, memoryview):
                operators += [value for found, value in fields(node) if found == 4]
    assert operators == [each.op_type.encode() for each in onnx.load_from_string(content).graph.node]
