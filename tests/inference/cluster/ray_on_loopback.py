"""A Ray cluster of several processes on loopback, calls on it that can be killed, and what these leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from foveate_command import green_model, images_in_record

WAIT = 120
"""Seconds for what takes a moment on an idle machine."""

LOOPBACK = "127.0.0.2"
"""Ray takes the machine's outer address in place of 127.0.0.1."""

MACHINES = 2
STORE_BYTES = 80_000_000


@contextmanager
def ray_cluster(folder: Path) -> Iterator[str]:
    """The address of a head and of two machines of one core each, all of them processes of their own."""
    from ray._private.utils import get_ray_address_file
    from ray.cluster_utils import Cluster

    # Ray notes the head's address there, wherever its own folder is, and fails on a machine that no Ray has been on.
    Path(get_ray_address_file(None)).parent.mkdir(parents=True, exist_ok=True)
    cluster = Cluster()
    try:
        add(cluster, num_cpus=0, temp_dir=str(folder))
        for _ in range(MACHINES):
            add(cluster, num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call, unused-ignore]


def add(cluster: Any, **facts: Any) -> None:
    """A machine more; Ray itself waits half a minute for one to begin, and ends where a busy computer takes longer."""
    for tries_left in reversed(range(4)):
        there = set(cluster.list_all_nodes())
        try:
            cluster.add_node(
                node_ip_address=LOOPBACK, object_store_memory=STORE_BYTES, include_dashboard=False, **facts
            )
            return
        except (Exception, SystemExit):
            if not tries_left:
                raise
            for begun in set(cluster.list_all_nodes()) - there:
                cluster.remove_node(begun)


@dataclass
class Call:
    """`foveate segment --engine ray` in a process of its own."""

    process: subprocess.Popen[bytes]
    out: Path
    log: Path
    before: frozenset[int]
    """Processes of the parts that were there when it began."""

    def lines(self) -> dict[int, int]:
        """Images that each process on the cluster has concluded, as its part of the record has them."""
        concluded = {}
        for pid, part in parts_in(self.out):
            with suppress(FileNotFoundError):
                concluded[pid] = part.read_bytes().count(b'"status":"done"')
        return concluded

    def kill_a_worker(self) -> None:
        """The first that has concluded an image and lives.

        Parts of processes that were killed before stay, and their numbers may be others' by now: nothing is killed that
        doesn't say it is an actor.
        """
        until = time.monotonic() + WAIT
        while time.monotonic() < until:
            for pid, count in self.awaited(1).items():
                if count and pid not in self.before and is_actor(pid):
                    os.kill(pid, signal.SIGKILL)
                    return
            time.sleep(0.002)
        raise AssertionError(self.log.read_text("utf-8"))

    def awaited(self, count: int) -> dict[int, int]:
        """What `lines` says once so many images are concluded in parts that are there."""
        until = time.monotonic() + WAIT
        while sum((lines := self.lines()).values()) < count:
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() < until
            time.sleep(0.002)
        return lines

    def ended(self) -> int:
        return self.process.wait(WAIT)


def called(images: Path, out: Path, address: str, log: Path, *options: str) -> Call:
    words = ["segment", str(images), "-o", str(out), "--model", str(green_model()), "--engine", "ray", *options]
    command = [sys.executable, "-m", "foveate", *words, "--address", address]
    before = frozenset(pid for pid, _ in parts_in(out))
    with log.open("wb") as file:
        return Call(subprocess.Popen(command, stdout=file, stderr=file), out, log, before)


def parts_in(out: Path) -> list[tuple[int, Path]]:
    """The parts of a folder's record, each with the number of the process that it is of."""
    return [(int(part.name.partition("-")[0]), part) for part in (out / "segment.record").glob("*.jsonl")]


def is_actor(pid: int) -> bool:
    """Whether a process calls itself one of Ray Data's workers."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::MapWorker")
    except OSError:
        return False


def draw_small_images(folder: Path, good: int, broken: int, side: int = 64) -> None:
    """Noise, of which no two are alike, and files that are no images."""
    folder.mkdir()
    for number in range(good):
        pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
        PillowImage.fromarray(pixels).save(folder / f"good{number:05}.png", compress_level=1)
    for number in range(broken):
        (folder / f"broken{number:04}.png").write_bytes(b"no image")


def masks_in(folder: Path) -> dict[str, bytes]:
    """All that lies in an output folder but the record."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("segment.")}


def check_complete(out: Path, local: Path, good: int, broken: int) -> None:
    """Every good image has one mask equal to the local engine's, every broken one a reason, and nothing is twice."""
    assert masks_in(out) == masks_in(local)
    text = (out / "segment.json").read_text("utf-8")
    pairs = json.loads(text, object_pairs_hook=lambda found: found)
    named = Counter(name for name, _ in dict(pairs)["images"])
    assert named.total() == len(named) == good + broken
    recorded = images_in_record(out)
    assert Counter(image["status"] for image in recorded.values()) == {"done": good, "failed": broken}
    assert all("is not an image" in image["error"] for image in recorded.values() if image["status"] == "failed")
    # Neither a part of the record nor a half-written file is left.
    assert {path.name for path in out.iterdir()} == masks_in(out).keys() | {"segment.json", "segment.csv"}
