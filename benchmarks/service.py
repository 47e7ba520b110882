"""`foveate serve` under load beside `foveate.segment` on the same images: what is lost or mixed up, memory, throughput.

python benchmarks/service.py --clients 32 --requests 600 --json found.json

Clients and service share one machine, over loopback. Each client sends its next request when it has the last answer,
and waits as long as it is told to where the service is full. Every tenth file is broken.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from foveate.drawn import draw
from foveate.imaging import write_rgb

SIZES = ((96, 96), (200, 180), (320, 300), (600, 640), (120, 160), (300, 200), (150, 150), (2100, 2000), (240, 240))
"""Height and width, over and over; one in nine is large."""

BROKEN = 10
"""One of so many files is cut short."""

SEGMENT = """
import json, sys, time
import foveate
model, out, *files = sys.argv[1:]
segmenter = foveate.load(model)
begun = time.perf_counter()
outcomes = foveate.segment(files, out, model=segmenter)
print(json.dumps({"seconds": time.perf_counter() - begun, "failed": sum(bool(each.error) for each in outcomes)}))
"""


@dataclass
class Sent:
    """What became of the requests."""

    statuses: Counter[int] = field(default_factory=Counter)
    mixed_up: int = 0
    """Answers that are another's mask, or a mask of what is broken."""
    lost: int = 0
    """Requests without an answer."""
    seconds: float = 0.0


def write_images(folder: Path, count: int, largest: int) -> list[Path]:
    """So many files, each unlike the others, in mixed sizes up to `largest` pixels; every tenth is cut short."""
    folder.mkdir()
    eyes = [draw(seed, height=300, width=320).image for seed in range(4)]
    sizes = [(height, width) for height, width in SIZES if height * width <= largest]
    files = []
    for number in range(count):
        height, width = sizes[number % len(sizes)]
        image = np.resize(eyes[number % 4][:, : min(width, 320)], (height, width, 3)).copy()
        image[:8, :8] = (number % 251, number // 251, 7)
        files.append(folder / f"{number:04}.png")
        write_rgb(image, files[-1])
        if number % BROKEN == BROKEN - 1:
            files[-1].write_bytes(files[-1].read_bytes()[:500])
    return files


def by_the_library(model: str, files: Sequence[Path], out: Path) -> float:
    """Seconds that `foveate.segment` takes for all of them, in a process of its own."""
    call = [sys.executable, "-c", SEGMENT, model, str(out), *map(str, files)]
    return float(json.loads(subprocess.run(call, capture_output=True, check=True, text=True).stdout)["seconds"])


def memory(process: int) -> int:
    """Bytes in memory, of Linux."""
    return 1024 * int(Path(f"/proc/{process}/status").read_text("ascii").partition("VmRSS:")[2].split()[0])


def send(place: tuple[str, int], files: Sequence[Path], masks: Path, clients: int) -> Sent:
    """All files, by so many clients."""
    sent, waiting, lock = Sent(), deque(files), threading.Lock()

    def client() -> None:
        while True:
            with lock:
                if not waiting:
                    return
                file = waiting.popleft()
            status, body = answer_to(place, file.read_bytes(), sent, lock)
            mask = masks / f"{file.stem}_mask.png"
            fits = body == mask.read_bytes() if mask.exists() else status == 422
            with lock:
                sent.lost += status == 0
                sent.mixed_up += status != 0 and not fits

    begun = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent.seconds = time.perf_counter() - begun
    return sent


def answer_to(place: tuple[str, int], content: bytes, sent: Sent, lock: threading.Lock) -> tuple[int, bytes]:
    """Status and body, after as many turns as a full service takes; (0, b"") where there is none."""
    while True:
        connection = http.client.HTTPConnection(*place, timeout=300)
        try:
            connection.request("POST", "/v1/segment", content, {"Content-Type": "application/octet-stream"})
            answer = connection.getresponse()
            body, again = answer.read(), answer.headers.get("Retry-After")
        except OSError:
            return 0, b""
        finally:
            connection.close()
        with lock:
            sent.statuses[answer.status] += 1
        if answer.status != 503 or again is None:
            return answer.status, body
        time.sleep(int(again))


def under_load(model: str, files: Sequence[Path], masks: Path, clients: int) -> dict[str, Any]:
    """The service from start to end."""
    call = [sys.executable, "-m", "foveate", "serve", "--port", "0", "--model", model]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as process:
        if process.stdout is None:
            raise RuntimeError("the service says nothing")
        address = process.stdout.readline().split(": listening")[0]
        host, _, port = address.removeprefix("http://").rpartition(":")
        drained = threading.Thread(target=deque, args=(process.stdout, 0))
        drained.start()
        send((host, int(port)), files[:2], masks, 1)
        idle, highest, ended = memory(process.pid), [0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.05):
                highest[0] = max(highest[0], memory(process.pid))

        watching = threading.Thread(target=watch)
        watching.start()
        sent = send((host, int(port)), files, masks, clients)
        ended.set()
        watching.join()
        time.sleep(2)
        after = memory(process.pid)
        process.terminate()
        status = process.wait()
        drained.join()
    mib = {"idle": idle, "most": highest[0], "after": after}
    return {
        "seconds": sent.seconds,
        "statuses": dict(sorted(sent.statuses.items())),
        "lost": sent.lost,
        "mixed_up": sent.mixed_up,
        "exit_status": status,
        "mib": {name: round(value / 2**20, 1) for name, value in mib.items()},
    }


def main() -> None:
    """Measure, and print or write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--largest", type=int, default=5_000_000, help="pixels of an image")
    parser.add_argument("--model", default="vessels")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = write_images(Path(name) / "images", asked.requests, asked.largest)
        library = by_the_library(asked.model, files, Path(name) / "masks")
        service = under_load(asked.model, files, Path(name) / "masks", asked.clients)
    found = {
        "clients": asked.clients,
        "requests": asked.requests,
        "model": Path(asked.model).name,
        "library_seconds": library,
        "service": service,
        "throughput": library / service["seconds"],
    }
    text = json.dumps(found, indent=2)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
