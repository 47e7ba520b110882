"""`foveate segment --engine ray` beside the local engine, and with kills, as JSON beside this file.

python benchmarks/ray_cluster.py [cost] [memory] [kills]    half an hour on two idle cores; a part alone by its name

cost: processor seconds of each image, start-up taken away by having few images and many.
memory: of the call, for a thousand images and for ten thousand.
kills: a head and two machines, a worker killed, then the call, then the call repeated; what is left is checked.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from foveate.drawn import draw
from foveate.imaging import write_rgb

JSON = Path(__file__).with_suffix(".json")
TESTS = Path(__file__).parents[1] / "tests"
PARTS = ("cost", "memory", "kills")
MARK = "FOVEATE_BENCHMARK"
"""Of the environment: processes that come of a command inherit it, whoever becomes their parent."""

SAMPLED_SECONDS = 0.1

SMALL = 32
"""Pixels on a side where images only have to be many."""


def taken(command: list[str]) -> tuple[float, float, str]:
    """Seconds, processor seconds of all processes that came of a command, and what it said.

    What they took is read while they live: Ray's daemon doesn't wait for its workers, so that the system forgets it.
    """
    mark = f"{MARK}={secrets.token_hex(8)}"
    started = time.perf_counter()
    took: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryFile("w+") as said:
        name, _, value = mark.partition("=")
        main = subprocess.Popen(command, stdout=said, env=os.environ | {name: value})
        while main.poll() is None:
            took |= _of_marked(mark.encode(), took)
            time.sleep(SAMPLED_SECONDS)
        seconds = time.perf_counter() - started
        if main.returncode:
            raise SystemExit(f"{command} ended with {main.returncode}")
        said.seek(0)
        text = said.read()
    return seconds, sum(took.values()), text


def _of_marked(mark: bytes, known: Collection[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Process and when it began, to processor seconds, of all whose environment has the mark.

    Or had it once: Ray writes the titles of its processes over it.
    """
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            facts = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            process = folder.name, facts[19]
            if process in known or mark in (folder / "environ").read_bytes().split(b"\0"):
                found[process] = (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")
    return found


def call(engine: str, images: Path, out: Path, model: str) -> list[str]:
    """One call in a process of its own, which says how much memory it took."""
    return [sys.executable, __file__, "--one", engine, str(images), str(out), model]


def one(engine: str, images: str, out: str, model: str) -> None:
    """That call."""
    import foveate

    foveate.segment(images, out, model=model, engine=engine)  # type: ignore[arg-type]
    status = Path("/proc/self/status").read_text("ascii")
    sizes = {name: int(status.partition(f"{name}:")[2].split()[0]) / 1024 for name in ("VmHWM", "RssAnon")}
    sys.stdout.write(json.dumps({"peak_mb": sizes["VmHWM"], "own_mb": sizes["RssAnon"]}))


def cost(folder: Path, few: int, many: int) -> dict[str, Any]:
    """Processor seconds of an image, by engine: photographs of 584×565, by `vessels`."""
    found: dict[str, Any] = {"few": few, "many": many}
    drawn = draw(3, height=584, width=565).image
    for count in (few, many):
        (folder / str(count)).mkdir()
        for number in range(count):
            write_rgb(drawn, folder / str(count) / f"{number:05}.png") if not number else (
                folder / str(count) / f"{number:05}.png"
            ).hardlink_to(folder / str(count) / "00000.png")
    for engine in ("local", "ray"):
        ran = {}
        for count in (few, many):
            seconds, busy, _ = taken(call(engine, folder / str(count), folder / f"{engine}{count}", "vessels"))
            ran[count] = {"seconds": seconds, "processor_seconds": busy}
            sys.stderr.write(f"{engine}, {count} images: {seconds:.0f} s, {busy:.0f} processor s\n")
        each = (ran[many]["processor_seconds"] - ran[few]["processor_seconds"]) / (many - few)
        found[engine] = {"each": each, "start": ran[few]["processor_seconds"] - few * each}
    for count in (few, many):
        masks = [sorted((folder / f"{engine}{count}").glob("*.png")) for engine in ("local", "ray")]
        if [each.read_bytes() for each in masks[0]] != [each.read_bytes() for each in masks[1]]:
            raise SystemExit("the engines' masks differ")
    found["ratio"] = found["ray"]["each"] / found["local"]["each"]
    return found


def memory(folder: Path, counts: list[int], model: Path) -> dict[str, Any]:
    """Of the call with the Ray engine, by number of images."""
    from ray_on_loopback import draw_small_images

    found = {}
    for count in counts:
        draw_small_images(folder / str(count), count, 0, SMALL)
        seconds, _, said = taken(call("ray", folder / str(count), folder / f"out{count}", str(model)))
        found[str(count)] = json.loads(said) | {"seconds": seconds}
        sys.stderr.write(f"{count} images: {found[str(count)]}\n")
        shutil.rmtree(folder / str(count))
        shutil.rmtree(folder / f"out{count}")
    return found


def kills(folder: Path, good: int, broken: int) -> dict[str, Any]:
    """A worker killed after a sixth of the images, the call after a third, and the call repeated."""
    from ray_on_loopback import called, check_complete, draw_small_images, ray_cluster

    from foveate_command import segment

    images, local, out = folder / "images", folder / "local", folder / "out"
    draw_small_images(images, good, broken)
    segment(images, "-o", local)
    with ray_cluster(folder / "ray") as address:
        first = called(images, out, address, folder / "first")
        first.awaited(good // 6)
        first.kill_a_worker()
        first.awaited(good // 3)
        first.process.kill()
        first.ended()
        made = {path.name: path.stat().st_ino for path in out.glob("*.png")}
        started = time.perf_counter()
        second = called(images, out, address, folder / "second")
        second.process.wait()
        seconds = time.perf_counter() - started
    check_complete(out, local, good, broken)
    again = sum((out / name).stat().st_ino != number for name, number in made.items())
    return {"good": good, "broken": broken, "made": len(made), "made_again": again, "seconds": seconds}


def main() -> None:
    """Measure, print and store; a part that is left out stays as it was stored."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure; all of it unless said")
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=1100)
    parser.add_argument("--counts", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--good", type=int, default=2970)
    parser.add_argument("--broken", type=int, default=30)
    parser.add_argument("--out", type=Path, default=JSON)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(*asked.one)
        return
    sys.path[:0] = [str(TESTS), str(TESTS / "inference/cluster")]
    found = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {}
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        from green_model import write_green_model

        folder = Path(temporary)
        (folder / "green").mkdir()
        write_green_model(folder / "green")
        for part in asked.parts or PARTS:
            (folder / part).mkdir()
            if part == "cost":
                found[part] = cost(folder / part, asked.few, asked.many)
            elif part == "memory":
                found[part] = memory(folder / part, asked.counts, folder / "green/green.onnx")
            else:
                found[part] = kills(folder / part, asked.good, asked.broken)
            text = json.dumps(found, indent=1)
            asked.out.write_text(text + "\n", "utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
