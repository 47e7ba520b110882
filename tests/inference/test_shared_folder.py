"""Several processes in one output folder, and what becomes of outputs whose process was killed."""

from __future__ import annotations

import csv
import hashlib
import json
import multiprocessing
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

import foveate
from computed_models import computed
from foveate.inference.engine import MOST
from foveate.runtime import cores

SIDE = 32
THRESHOLD = 100 / 255
CHANNELS = {"green": 1, "blue": 2}
"""The models: each says that a pixel is foreground by as much as its channel is bright."""

AT_WORK = min(MOST, cores()) + 2
"""Images that a killed process had computed and not recorded: one in each lane, one that waits, one being written."""

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["computed_models", "foveate.public.segment"])
"""Processes are copies of one that has read the modules, so that a hundred are begun in no time."""


@dataclass(frozen=True)
class Begun:
    """A process that segments a folder."""

    process: BaseProcess
    said: Connection
    """A line that it is ready, then the errors of all images."""

    def errors(self) -> list[str]:
        """Waits for its end; none where it said nothing."""
        errors: list[str] = self.said.recv() if self.said.poll(300) else []
        self.process.join(60)
        return errors


def work(images: Path, out: Path, name: str, seconds: float, say: Connection) -> None:
    """Segment a folder by one of the models, in so many seconds an image, and note what is computed."""

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with (images.parent / f"computed by {name}").open("a") as file:
            file.write(f"{batch[0, 0, 0, 0]:.0f}\n")
        time.sleep(seconds)
        return batch[:, CHANNELS[name] : CHANNELS[name] + 1] / np.float32(255)

    say.send("ready")
    model = computed(
        network,
        name=name,
        sha256=name.encode().hex().ljust(64, "0"),
        thresholds=(THRESHOLD,),
        working_minimum=1.0,
        working_maximum=99.0,
        fov="whole",
    )
    outcomes = foveate.segment(images, out, model=model, overlay=True)
    errors = [outcome.error for outcome in outcomes if outcome.error]
    say.send(errors)
    sys.exit(bool(errors))


def draw_images(folder: Path, count: int) -> list[Path]:
    """Small images of noise, of which the red channel is the image's number."""
    folder.mkdir()
    paths = [folder / f"image{number:03}.png" for number in range(count)]
    for number, path in enumerate(paths):
        pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        pixels[..., 0] = number
        PillowImage.fromarray(pixels).save(path)
    return paths


def begin(images: Path, out: Path, model: str, seconds: float) -> Begun:
    hear, say = PROCESSES.Pipe(duplex=False)
    process = PROCESSES.Process(target=work, args=(images, out, model, seconds, say), daemon=True)
    process.start()
    say.close()
    assert hear.recv() == "ready"
    return Begun(process, hear)


def run_and_kill(images: Path, out: Path, model: str, *, processes: int, seconds: float, kills: int) -> int:
    """Begin processes, kill each at a random moment of its work and begin it again, until all have ended by themselves.

    Returns how many were killed, `kills` at most.
    """
    draw, killed = random.Random(processes), 0
    running = [begin(images, out, model, seconds) for _ in range(processes)]
    while killed < kills and any(begun.process.is_alive() for begun in running):
        for place, begun in enumerate(running):
            time.sleep(draw.uniform(0, 2 * seconds) / processes)
            begun.process.kill()
            begun.process.join()
            if begun.process.exitcode == -signal.SIGKILL:
                killed += 1
                running[place] = begin(images, out, model, seconds)
    for begun in running:
        said = begun.errors()
        assert begun.process.exitcode == 0, said
    return killed


def pixels_of(path: Path) -> NDArray[np.uint8]:
    with PillowImage.open(path) as image:
        return np.array(image)


def recorded(out: Path) -> dict[str, Any]:
    images: dict[str, Any] = json.loads((out / "segment.json").read_text(encoding="utf-8"))["images"]
    return images


def check_complete(out: Path, images: list[Path]) -> None:
    """Every image once, complete, recorded with the right SHA-256 and model; and nothing else in the folder."""
    record = recorded(out)
    assert sorted(image["input"] for image in record.values()) == sorted(map(str, images))
    files = []
    for image in record.values():
        source = Path(image["input"])
        assert (image["status"], image["announced"], set(image["outputs"])) == ("done", {}, {"mask", "overlay"})
        assert image["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        for output in image["outputs"].values():
            assert output["sha256"] == hashlib.sha256((out / output["file"]).read_bytes()).hexdigest()
            files.append(output["file"])
        channel = CHANNELS[image["model"]["name"]]
        expected = pixels_of(source)[..., channel] / np.float32(255) >= THRESHOLD
        np.testing.assert_array_equal(pixels_of(out / image["outputs"]["mask"]["file"]) > 0, expected)
    assert len(set(files)) == 2 * len(images)
    assert sorted(path.name for path in out.iterdir()) == sorted([*files, "segment.json", "segment.csv"])
    with (out / "segment.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["image"] for row in rows) == sorted(map(str, images))
    assert {row["status"] for row in rows} == {"done"}


def times_computed(folder: Path, model: str) -> Counter[str]:
    """How often each image was computed."""
    return Counter((folder / f"computed by {model}").read_text().split())


@pytest.mark.parametrize(
    ("count", "processes", "kills"), [(48, 2, 4), pytest.param(200, 4, 80, marks=pytest.mark.slow)]
)
def test_of_processes_that_are_killed_and_begun_again_every_image_is_made_once_and_by_one_model(
    count: int, processes: int, kills: int, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    images = draw_images(tmp_path / "images", count)
    killed = run_and_kill(tmp_path / "images", out, "green", processes=processes, seconds=0.05, kills=kills)
    assert killed >= processes
    check_complete(out, images)
    times = times_computed(tmp_path, "green")
    assert set(times) == {str(number) for number in range(count)}
    assert count <= sum(times.values()) <= count + killed * AT_WORK
    before = {path: path.read_bytes() for path in out.iterdir()}
    another = begin(tmp_path / "images", out, "blue", 0.0)
    said = another.errors()
    assert (another.process.exitcode, len(said)) == (1, count)
    assert all("made by another model (green)" in error for error in said)
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert not (tmp_path / "computed by blue").exists()


def test_what_a_killed_process_left_is_made_by_the_next_model_and_called_its_own(tmp_path: Path) -> None:
    out = tmp_path / "out"
    images = draw_images(tmp_path / "images", 12)
    first = begin(tmp_path / "images", out, "green", 0.05)
    while not (out / "image004_mask.png").exists():
        time.sleep(0.01)
    first.process.kill()
    first.process.join()
    second = begin(tmp_path / "images", out, "blue", 0.0)
    said = second.errors()
    assert second.process.exitcode == 1
    check_complete(out, images)
    models = Counter(image["model"]["name"] for image in recorded(out).values())
    assert models["green"] >= 4
    assert models["blue"] >= 4
    assert sum("made by another model (green)" in error for error in said) == models["green"]


def test_two_processes_share_the_work_and_neither_loses_a_record(tmp_path: Path) -> None:
    out = tmp_path / "out"
    images = draw_images(tmp_path / "images", 16)
    both = [begin(tmp_path / "images", out, "green", 0.1) for _ in range(2)]
    for begun in both:
        said = begun.errors()
        assert begun.process.exitcode == 0, said
    check_complete(out, images)
    assert set(times_computed(tmp_path, "green").values()) == {1}
