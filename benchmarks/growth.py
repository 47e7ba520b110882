"""How time and memory of `foveate segment` grow with pixels and with images, as JSON beside this file.

python benchmarks/growth.py [--largest 20000]    some ten minutes, and 2 GB of disk for the while

By `vessels`, which reduces a large image, and by a network of the tests that works at an image's own size, in tiles.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

import foveate
from foveate.drawn import draw
from foveate.imaging.large.tiff_file import TiffFile

SIDES = (2500, 5000, 10_000, 20_000)
IMAGES = (1, 2, 3)
"""Of the largest side but one, in a folder."""

MEMORY = "450MB"
"""`--max-memory` of the smallest: without, it would be held as a whole, and be measured on another way."""

JSON = Path(__file__).with_suffix(".json")
CONTEXT = 16
"""Of the network of the tests, as its file there says."""


def write_photograph(file: Path, side: int) -> None:
    """A drawn eye with noise, side×side, as a BigTIFF in packed tiles; no more than a strip of it is held."""
    small = PillowImage.fromarray(draw(3, height=1024, width=1024).image)
    random, scale = np.random.default_rng(1), 1024 / side
    with file.open("wb") as opened:
        tiff = TiffFile(opened, (side, side), "rgb")
        for top in range(0, side, 256):
            rows = min(256, side - top)
            box = (0, top * scale, 1024, (top + rows) * scale)
            strip = np.asarray(small.resize((side, rows), PillowImage.Resampling.BILINEAR, box), np.int16)
            noise = random.integers(-6, 7, strip.shape, np.int16)
            tiff.add(np.where(strip > 20, (strip + noise).clip(0, 255), strip).astype(np.uint8))
        tiff.finish()


def run_apart(model: str, files: list[Path], memory: str | None) -> dict[str, float]:
    """One call of `foveate.segment` in a process of its own: seconds, processor seconds, and the most memory."""
    bounded = ["--memory", memory] if memory else []
    with tempfile.TemporaryDirectory(dir=files[0].parent) as out:
        call = [sys.executable, __file__, "--one", model, out, *map(str, files), *bounded]
        answered = subprocess.run(call, capture_output=True, check=True, text=True)
    found: dict[str, float] = json.loads(answered.stdout)
    return found


def one(model: str, out: Path, files: list[Path], memory: str | None) -> dict[str, float]:
    """That call; the model is opened before it is timed."""
    segmenter = foveate.load(model)
    started, busy = time.perf_counter(), time.process_time()
    outcomes = foveate.segment(files, out, model=segmenter, max_memory=memory)
    if wrong := [outcome.error for outcome in outcomes if outcome.error]:
        raise SystemExit("\n".join(wrong))
    status = Path("/proc/self/status").read_text("ascii")
    return {
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - busy,
        "peak_mb": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
    }


def native_model(folder: Path) -> Path:
    """The network of the tests that works at an image's own size, written into a new folder."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from native_model import write_native_model

    return write_native_model(folder, context=CONTEXT)


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=SIDES[-1], help="leave out larger sides")
    parser.add_argument("--out", type=Path, default=JSON)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        model, out, *files = asked.one
        sys.stdout.write(json.dumps(one(model, Path(out), [Path(file) for file in files], asked.memory)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        found = grown(Path(temporary), [side for side in SIDES if side <= asked.largest])
    text = json.dumps(found, indent=1)
    sys.stdout.write(text + "\n")
    asked.out.write_text(text + "\n", "utf-8")


def grown(folder: Path, sides: list[int]) -> dict[str, Any]:
    """By pixels, a row for each side and model; by images, a row for each number of them."""
    models = {"vessels": "vessels", "native": str(native_model(folder / "native"))}
    found: dict[str, Any] = {"pixels": {name: [] for name in models}, "images": []}
    for side in sides:
        file = folder / f"{side}.tif"
        write_photograph(file, side)
        for name, model in models.items():
            measured = run_apart(model, [file], MEMORY if side == SIDES[0] else None)
            found["pixels"][name].append({"side": side} | measured)
            sys.stderr.write(f"{name} {side}: {measured}\n")
        if side == sides[max(0, len(sides) - 2)]:
            for count in IMAGES:
                files = [file, *(folder / f"{side}_{number}.tif" for number in range(1, count))]
                for further in files[1:]:
                    if not further.exists():
                        further.hardlink_to(file)
                found["images"].append({"images": count, "side": side} | run_apart("vessels", files, None))
    return found


if __name__ == "__main__":
    main()
