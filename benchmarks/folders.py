"""How many photographs of a folder become masks in a second: part of `benchmarks/segmenting.py`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from foveate.drawn import draw
from foveate.runtime import cores

FOLDERS = (1, 10, 100)
BACKENDS = ("onnxruntime", *(["openvino"] if find_spec("openvino") else []))

PASSES = """
import sys, tempfile, time
import foveate
folder, backend, threads = sys.argv[1:]
model = foveate.load("vessels", backend=backend, threads=int(threads))
for _ in sys.stdin:
    started = time.perf_counter()
    done = foveate.segment(folder, tempfile.mkdtemp(), model=model)
    print((time.perf_counter() - started) / len(done), flush=True)
"""
"""For every line that it is sent it goes through a folder, and prints the seconds of an image."""


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


def abreast(folder: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Seconds of an image of a folder, warm: by one thread on one core; by all cores; by processes that share nothing,
    one on each core; and what share of that many times the first the others are. All are run in turn, and the medians
    count.

    What the processes fall short of is the machine's: cores share their way to the memory.
    """
    found = {}
    for backend in BACKENDS:
        apart = [_begun(folder, backend, core) for core in range(cores())]
        whole = _begun(folder, backend)
        ways = {"one thread": [apart[0]], "all cores": [whole], "processes": apart}
        rounds = [{way: _seconds(processes) for way, processes in ways.items()} for _ in range(repeats + 1)][1:]
        for process in (*apart, whole):
            process.communicate()
        shares = [{way: each["one thread"] / cores() / seconds for way, seconds in each.items()} for each in rounds]
        found[backend] = {way: statistics.median(each[way] for each in rounds) for way in ways} | {
            "share": statistics.median(each["all cores"] for each in shares),
            "share of processes": statistics.median(each["processes"] for each in shares),
        }
    return found


def _begun(folder: Path, backend: str, core: int | None = None) -> subprocess.Popen[str]:
    """A process that waits for its first line: with one thread on a core of its own, or with all."""
    command = [sys.executable, "-c", PASSES, str(folder), backend, "0" if core is None else "1"]
    if core is not None and sys.platform == "linux":
        command = ["taskset", "-c", str(core), *command]  # reading and writing beside it would be a second thread
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def _seconds(processes: Sequence[subprocess.Popen[str]]) -> float:
    """Of an image, where each of them goes through the folder at the same time."""
    for process in processes:
        if process.stdin is not None:
            process.stdin.write("\n")
            process.stdin.flush()
    each = [float(process.stdout.readline()) for process in processes if process.stdout is not None]
    return statistics.mean(each) / len(each)


def write_jpeg(file: Path, height: int, width: int, seed: int = 3) -> None:
    """A drawn eye of that size."""
    small = draw(seed, height=min(height, 1168), width=min(width, 1752)).image
    Image.fromarray(small).resize((width, height)).save(file, quality=92)
