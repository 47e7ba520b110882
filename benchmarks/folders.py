"""How many photographs of a folder become masks in a second: part of `benchmarks/segmenting.py`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from foveate.drawn import draw
from foveate.runtime import cores

FOLDERS = (1, 10, 100)
BACKENDS = ("onnxruntime", *(["openvino"] if find_spec("openvino") else []))

PASS = """
import json, sys, tempfile, time
import foveate
folder, backend, threads = sys.argv[1:]
model = foveate.load("vessels", backend=backend, threads=int(threads))
for _ in range(2):
    started = time.perf_counter()
    done = foveate.segment(folder, tempfile.mkdtemp(), model=model)
    seconds = time.perf_counter() - started
print(json.dumps(seconds / len(done)))
"""
"""Prints the seconds of an image in the second of two passes through a folder."""


def folders(folder: Path) -> dict[str, dict[str, float]]:
    """Images per second of `foveate segment` on folders, with its start, by each backend that is here."""
    found: dict[str, dict[str, float]] = {}
    for backend in BACKENDS:
        found[backend] = {}
        for count in FOLDERS:
            own = folder / f"{count}"
            own.mkdir(exist_ok=True)
            for number in range(count):
                if not (file := own / f"{number}.jpg").exists():
                    write_jpeg(file, 584, 565, seed=number % 5)
            out = tempfile.mkdtemp(dir=folder)
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "foveate", "segment", str(own), "-q", "-o", out, "--backend", backend],
                check=True,
                capture_output=True,
            )
            found[backend][str(count)] = count / (time.perf_counter() - started)
    return found


def abreast(folder: Path) -> dict[str, dict[str, float]]:
    """Seconds of an image of a folder, warm: by one thread alone, by all cores, and what share of these that uses."""
    found = {}
    for backend in BACKENDS:
        alone, together = (_seconds(folder, backend, threads) for threads in (1, 0))
        found[backend] = {"one thread": alone, "all cores": together, "share": alone / cores() / together}
    return found


def _seconds(folder: Path, backend: str, threads: int) -> float:
    command = [sys.executable, "-c", PASS, str(folder), backend, str(threads)]
    if threads == 1 and sys.platform == "linux":
        command = ["taskset", "-c", "0", *command]  # reading and writing beside it would be a second thread
    answered = subprocess.run(command, check=True, capture_output=True)
    seconds: float = json.loads(answered.stdout)
    return seconds


def write_jpeg(file: Path, height: int, width: int, seed: int = 3) -> None:
    """A drawn eye of that size."""
    small = draw(seed, height=min(height, 1168), width=min(width, 1752)).image
    Image.fromarray(small).resize((width, height)).save(file, quality=92)
