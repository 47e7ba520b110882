"""A training takes its memory once: tensors that come get the pages of those that have gone."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

TRAINING = """
import resource, sys
import torch
import foveate

torch.set_num_threads(1)
foveate.train(
    "region-guided-vessels",
    ["training.epochs=1", "training.samples_per_epoch=64", "training.crop=256", "training.batch=8",
     "training.warm_up=0", "training.precision=32-true",
     "preparation.working_minimum=256", "preparation.working_maximum=256"],
    data=["synthetic:3"],
    out=sys.argv[1],
    device="cpu",
)
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_minflt * resource.getpagesize(), used.ru_maxrss * 1024)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="is about the GNU C library")
def test_the_system_clears_hardly_more_pages_than_a_training_ever_holds(tmp_path: Path) -> None:
    words = [sys.executable, "-c", TRAINING, str(tmp_path / "run")]
    told = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    cleared, peak = map(int, told.split()[-2:])
    assert peak > 1 << 30
    assert cleared < 2 * peak
