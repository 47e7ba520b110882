"""What becomes of memory that is freed, in processes of their own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is about the GNU C library")

IMAGES_COME_AND_GO = """
import sys
import numpy as np
from foveate.runtime.freed import hand_back_freed_memory

def held():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

if sys.argv[1] == "handed back":
    hand_back_freed_memory()
np.ones(20 << 20, np.uint8)
before = held()
images, answers = [], []
for _ in range(10):
    images.append(np.ones(8 << 20, np.uint8))
    answers.append(bytes(100_000))
images.clear()
print(held() - before)
"""


def test_no_freed_image_is_kept_behind_a_small_answer() -> None:
    def kept(how: str) -> int:
        ended = subprocess.run([sys.executable, "-c", IMAGES_COME_AND_GO, how], capture_output=True, check=True)
        return int(ended.stdout)

    assert kept("as it is") > 60 << 20
    assert kept("handed back") < 8 << 20


TENSORS_COME_AND_GO = """
import resource, sys
from contextlib import nullcontext
from foveate.runtime.freed import freed_memory_kept

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def come_and_go():
    before = pages()
    for _ in range(10):
        large, larger = b"1" * (40 << 20), b"1" * (80 << 20)
        del large, larger
    return (pages() - before) * 4096

with freed_memory_kept() if sys.argv[1] == "kept" else nullcontext():
    within = come_and_go()
held = int(open("/proc/self/statm").read().split()[1]) * 4096
print(within, come_and_go(), held)
"""


def test_a_tensor_gets_the_pages_of_the_one_before_until_the_training_is_over() -> None:
    def cleared(how: str) -> list[int]:
        ended = subprocess.run([sys.executable, "-c", TENSORS_COME_AND_GO, how], capture_output=True, check=True)
        return [int(number) for number in ended.stdout.split()]

    within, after, _ = cleared("as it is")
    assert within > 1000 << 20
    assert after > 1000 << 20
    within, after, held = cleared("kept")
    assert within < 200 << 20
    assert after > 1000 << 20
    assert held < 100 << 20
