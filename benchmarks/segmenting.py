"""How fast photographs become masks here: cold and warm, by every backend, and beside other networks, as JSON.

make bench                       everything that this machine can run; some minutes
python benchmarks/segmenting.py --before OLD.onnx    also another model file, run without a memory arena

What is compared is run in turn, in one call, and stands as medians of `--repeats`; ratios are what to quote.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from folders import FOLDERS, abreast, folders, write_jpeg

import foveate
from foveate.drawn import draw
from foveate.models import open_model
from foveate.networks.registry.catalogue import catalogue
from foveate.runtime import Execution, cores, open_session

SIDE = 512
"""Pixels of the square image that networks are compared on."""

PHOTOGRAPHS = {"584x565": (584, 565), "999x960": (960, 999), "3504x2336": (2336, 3504)}
"""Those of DRIVE, CHASE_DB1 and HRF: name to height and width."""

PAUSE = 0.05
"""Seconds before each call: threads of the one before it spin for a while before they sleep."""

JSON = Path(__file__).with_suffix(".json")

Call = Callable[[], object]


def in_turn(calls: Mapping[str, Call], repeats: int) -> dict[str, float]:
    """The median seconds of each, after one call of each that isn't counted."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(repeats + 1):
        for name, call in calls.items():
            time.sleep(PAUSE)
            started = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(own) for name, own in seconds.items()}


def machine() -> dict[str, Any]:
    """What this ran on, and rates that bound what any program can do here."""
    side = 1536
    left, right = (np.random.default_rng(seed).random((side, side), np.float32) for seed in (0, 1))
    source = np.zeros(2**26, np.float32)
    target = np.empty_like(source)
    parts = [np.array_split(array, cores()) for array in (target, source)]
    with ThreadPoolExecutor(cores()) as pool:
        calls: dict[str, Call] = {
            "product": lambda: left @ right,
            "copy": lambda: np.copyto(target, source),
            "copy by all": lambda: list(pool.map(np.copyto, *parts)),
        }
        best = in_turn(calls, 7)
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("onnxruntime", "openvino", "torch", "numpy") if find_spec(name)},
        "gflops": 2 * side**3 / best["product"] / 1e9,
        "copied_gb_per_s": 2 * source.nbytes / best["copy"] / 1e9,
        "copied_by_all_gb_per_s": 2 * source.nbytes / best["copy by all"] / 1e9,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def backends(before: Path | None, repeats: int) -> dict[str, float]:
    """Seconds of the shipped network alone, by what can run it here."""
    model = open_model("vessels")
    batch = np.ascontiguousarray(draw(3, height=SIDE, width=SIDE).image.transpose(2, 0, 1)[None], np.float32)
    calls: dict[str, Call] = {}
    if before is not None:
        calls["before"] = _without_arena(before, batch)
    wanted = [Execution()]
    if find_spec("openvino"):
        wanted += [Execution("openvino"), Execution("openvino", precision="bf16")]
    for execution in wanted:
        try:
            session = open_session(model.content, source="vessels", execution=execution, trusted=True)
        except Exception as error:
            sys.stderr.write(f"left out: {error}\n")
            continue
        for _ in range(8):  # until sizes that come often have been compiled for
            session.run(batch)
        calls[str(execution)] = lambda session=session: session.run(batch)  # type: ignore[misc]
    if find_spec("torch"):
        calls |= _eager(batch, ["vessels", "wnet"])
    return in_turn(calls, repeats)


def bounds() -> dict[str, float]:
    """What the shipped network must do for one image: megabytes moved, and billions of multiply-adds.

    The bytes are those that ONNX Runtime's profile says its operations read and write, after all that it joins.
    """
    import onnxruntime

    model, options = open_model("vessels"), onnxruntime.SessionOptions()
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(model.content, options, providers=["CPUExecutionProvider"])
        session.run(None, {session.get_inputs()[0].name: np.zeros((1, 3, SIDE, SIDE), np.float32)})
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    sizes = ("activation_size", "parameter_size", "output_size")
    moved = sum(int(event["args"][size]) for event in events for size in sizes if size in event.get("args", {}))
    found = {"moved_mb": moved / 1e6}
    if find_spec("torch"):
        from foveate.networks import build
        from foveate.networks.registry.counting import measure

        made = partial(build, model.card.network, **model.card.options)
        found["gmacs"] = measure(made, in_channels=3, height=SIDE, width=SIDE)[0].gmacs
    return found


def _without_arena(file: Path, batch: Any) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {session.get_inputs()[0].name: batch})


def _eager(batch: Any, names: list[str]) -> dict[str, Call]:
    """Networks in plain PyTorch, both ways to lay out an image in memory."""
    import torch

    from foveate.networks import build

    card = open_model("vessels").card
    calls: dict[str, Call] = {}
    for name in names:
        network = build(card.network, **card.options) if name == "vessels" else build(name)
        network.eval()
        for layout, memory in (("NCHW", torch.contiguous_format), ("channels last", torch.channels_last)):
            image = torch.from_numpy(batch).contiguous(memory_format=memory)

            def run(network: Any = network, image: Any = image) -> None:
                with torch.inference_mode():
                    network(image)

            calls[f"PyTorch, {name}, {layout}"] = run
    return calls


def networks(repeats: int) -> dict[str, dict[str, float | None]]:
    """Every network of the registry and two of MONAI in eager PyTorch: seconds and billions of multiply-adds."""
    import torch

    from foveate.networks import build

    image = torch.rand(1, 3, SIDE, SIDE)
    built: dict[str, Any] = {name: build(name).eval() for name in catalogue()}
    if find_spec("monai"):
        from monai.networks.nets import AttentionUnet, BasicUNetPlusPlus

        built["MONAI AttentionUnet"] = AttentionUnet(2, 3, 1, (16, 32, 64, 128), (2, 2, 2)).eval()
        built["MONAI BasicUNetPlusPlus"] = BasicUNetPlusPlus(2, 3, 1).eval()

    def call(network: Any) -> Call:
        def run() -> None:
            with torch.inference_mode():
                network(image)

        return run

    seconds = in_turn({name: call(network) for name, network in built.items()}, repeats)
    known = {name: network.counts[""].gmacs for name, network in catalogue().items()}
    return {name: {"seconds": own, "gmacs": known.get(name)} for name, own in seconds.items()}


def photographs(folder: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Seconds from a file to a mask's bytes, warm, and of the network in it; peak memory of a process that does so."""
    found = {}
    for name, (height, width) in PHOTOGRAPHS.items():
        file = folder / f"{name}.jpg"
        write_jpeg(file, height, width)
        answered = subprocess.run(
            [sys.executable, __file__, "--warm", str(file), "--repeats", str(repeats)], capture_output=True, check=True
        )
        found[name] = json.loads(answered.stdout)
    return found


def warm(file: Path, repeats: int) -> dict[str, float]:
    """In a process of its own: the medians for one photograph, and the most memory that it ever had."""
    segmenter, spent = foveate.load("vessels"), [0.0]
    run = segmenter.session.run

    class Timed:
        execution = segmenter.session.execution

        def run(self, batch: Any) -> Any:
            started = time.perf_counter()
            output = run(batch)
            spent[0] += time.perf_counter() - started
            return output

    timed = foveate.Segmenter(segmenter.card, Timed(), segmenter.procedure)
    whole, network = [], []
    for number in range(repeats + 1):
        spent[0], started = 0.0, time.perf_counter()
        timed.segment(file).png("mask")
        if number:
            whole.append(time.perf_counter() - started)
            network.append(spent[0])
    return {
        "seconds": statistics.median(whole),
        "network": statistics.median(network),
        "peak_mb": _peak(),
    }


def _peak() -> float:
    """MiB, the most that this process had; what its parent had is not among it, as it is in `ru_maxrss`."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cold(folder: Path, repeats: int) -> dict[str, float]:
    """Seconds of whole commands: Python with the runtime alone, one photograph to its mask on disk, the help."""
    photo = folder / "584x565.jpg"
    command = [sys.executable, "-c", "from foveate.cli.process import run; run()"]
    # As pip leaves a package; from a checkout Python may be told not to.
    compileall.compile_dir(Path(foveate.__file__).parent, quiet=1)

    def segment() -> None:
        out = tempfile.mkdtemp(dir=folder)
        subprocess.run([*command, "segment", str(photo), "-q", "-o", out], check=True, capture_output=True)

    return in_turn(
        {
            "import": lambda: subprocess.run([sys.executable, "-c", "import numpy, onnxruntime"], check=True),
            "segment": segment,
            "help": lambda: subprocess.run([*command, "--help"], check=True, capture_output=True),
        },
        repeats,
    )


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--before", type=Path, help="another model file, run without a memory arena")
    parser.add_argument("--out", type=Path, default=JSON)
    parser.add_argument("--warm", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.warm:
        sys.stdout.write(json.dumps(warm(asked.warm, asked.repeats)))
        return
    found: dict[str, Any] = {"repeats": asked.repeats, "machine": machine()}
    found["network"] = backends(asked.before, asked.repeats)
    found["bounds"] = bounds()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found["photographs"] = photographs(folder, asked.repeats)
        found["cold"] = cold(folder, asked.repeats)
        found["folders"] = folders(folder)
        found["abreast"] = abreast(folder / str(FOLDERS[-1]), asked.repeats)
    if find_spec("torch"):
        found["networks"] = networks(3)
    text = json.dumps(found, indent=1)
    sys.stdout.write(text + "\n")
    asked.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
