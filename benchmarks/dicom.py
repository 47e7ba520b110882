"""Processor seconds of a folder of DICOM files beside the same images as PNG: python benchmarks/dicom.py --help.

Drawn photographs, as ophthalmic photography without compression, and as PNG files. Both folders are segmented by the
command, in a process of its own each, in turns, in another order each round. Seconds are the processor's, user and
system together, so that whatever else the machine does counts for nothing; a ratio is taken within each round.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from foveate.drawn import draw
from foveate.imaging import write_rgb

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

FORMS = ("png", "dicom")
ASKED = 1.3
"""The most that DICOM may take of PNG's seconds."""
DIFFERENT = 10
"""Photographs that are drawn; each is there several times."""


def write_folders(folder: Path, images: int, side: int) -> None:
    """The same images in both forms."""
    from made_dicom import FUNDUS, ROOT, image, saved

    pixels = [draw(seed, height=side, width=side).image for seed in range(min(images, DIFFERENT))]
    for number in range(images):
        photograph = pixels[number % len(pixels)]
        (folder / "png").mkdir(parents=True, exist_ok=True)
        write_rgb(photograph, folder / "png" / f"{number:04d}.png")
        series = f"{ROOT}2.{number}"
        saved(folder / "dicom" / f"{number:04d}.dcm", image(photograph, FUNDUS, number, SeriesInstanceUID=series))


def processor_seconds(given: Path, out: Path, model: str, threads: int) -> float:
    """Of one call of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "foveate", "segment", given, "-o", out, "--model", model, "--threads", threads]
    subprocess.run([*map(str, command), "-q"], check=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def measured(folder: Path, asked: argparse.Namespace) -> list[dict[str, float]]:
    """Seconds by form, for each round."""
    rounds = []
    for number in range(asked.rounds):
        order = FORMS if number % 2 else FORMS[::-1]
        out = folder / f"out{number}"
        taken = {form: processor_seconds(folder / form, out / form, asked.model, asked.threads) for form in order}
        sys.stdout.write(json.dumps({form: round(seconds, 2) for form, seconds in taken.items()}) + "\n")
        rounds.append(taken)
    return rounds


def main() -> None:
    """Measure, and end with status 1 where DICOM takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--side", type=int, default=512, help="pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", default="vessels")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        write_folders(Path(place), asked.images, asked.side)
        rounds = measured(Path(place), asked)
    ratio = median(taken["dicom"] / taken["png"] for taken in rounds)
    seconds = {form: round(median(taken[form] for taken in rounds), 2) for form in FORMS}
    found = {"images": asked.images, "side": asked.side, "seconds": seconds, "ratio": round(ratio, 3)}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.exit(ratio > ASKED)


if __name__ == "__main__":
    main()
