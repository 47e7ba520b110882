"""A short form of the benchmark of DICOM beside PNG: both are segmented and counted. The ratio is for many images."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from foveate_command import green_model

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "dicom.py"


def test_both_forms_are_segmented_and_their_seconds_counted() -> None:
    call = [sys.executable, SCRIPT, "--images=2", "--side=64", "--rounds=1", f"--model={green_model()}"]
    ended = subprocess.run(list(map(str, call)), capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["images"] == 2
    assert min(found["seconds"].values()) > 0
