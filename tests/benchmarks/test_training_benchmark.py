"""The benchmark runs and says what it found; how fast is for a quiet machine, not for a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "training.py"
SMALL = ("training.crop=64", "training.batch=2", "network.widths=[4, 4, 8, 8]", "preparation.working_maximum=512")


@pytest.mark.slow
def test_the_benchmark_measures_every_loop_and_the_ratios_follow_from_its_rounds(tmp_path: Path) -> None:
    call = [
        sys.executable,
        str(SCRIPT),
        "--seconds=1",
        "--rounds=1",
        "--images=1",
        "--threads=1",
        "--precision=bf16-mixed",
    ]
    told = subprocess.run(
        [*call, "--json", str(tmp_path / "found.json"), *SMALL], capture_output=True, text=True, check=True
    ).stdout
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert (found["recipe"], found["network"], found["crop"]) == ("region-guided-vessels", "region_guided", 64)
    loops = {loop["name"]: loop for loop in found["loops"]}
    assert {name: loop["precision"] for name, loop in loops.items()} == {
        "engine": "bf16-mixed",
        "bare": "bf16-mixed",
        "plain": "32-true",
        "engine, fp32": "32-true",
    }
    for name, ratio in found["ratios"].items():
        one, other = (loops[part]["images_per_second"] for part in name.split(" / "))
        assert ratio["smallest"] == ratio["median"] == ratio["largest"] == pytest.approx(one / other)
        assert name in told
    assert {"engine / bare", "engine / plain", "engine, fp32 / plain"} <= found["ratios"].keys()
    assert all(f"{loop['images_per_second']:.2f}" in told for loop in loops.values())
