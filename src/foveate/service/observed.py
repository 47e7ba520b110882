"""What is known of the requests: a line for each, and the numbers that Prometheus collects; nothing of the images."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from foveate.service.places import Places

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds, of the histogram."""

TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus's text format."""


@dataclass(slots=True)
class Line:
    """What is said of a request."""

    method: str
    path: str
    """One that there is; `other` for any other."""
    started: float = field(default_factory=time.perf_counter)
    status: int = 0
    """0: the connection ended before there was an answer."""
    code: str = ""
    """Of the problem."""
    model: str = ""
    outputs: str = ""
    images: int = 0
    failed: int = 0
    """Images with a problem, among others that have none."""
    bytes: int = 0
    names: tuple[str, ...] = ()
    """Of the images, where they are asked for."""
    error: str = ""
    """Where the service itself failed: the traceback."""

    def as_json(self, now: datetime, seconds: float) -> str:
        """On one line; what is empty is left out."""
        facts = {key: value for key, value in asdict(self).items() if key != "started" and (value or key == "status")}
        return json.dumps({"time": now.isoformat(timespec="milliseconds")} | facts | {"seconds": round(seconds, 4)})


class Observed:
    """Counts the requests that have ended, and passes the line of each on."""

    def __init__(self, places: Places, on_request: Callable[[str], None] | None) -> None:
        self._places, self._on_request = places, on_request
        self._requests: Counter[tuple[str, int]] = Counter()
        self._images: Counter[tuple[str, str]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._count, self._sum = 0, 0.0

    def ended(self, line: Line) -> None:
        """A request has."""
        seconds = time.perf_counter() - line.started
        self._requests[line.path, line.status] += 1
        if line.images:
            self._images[line.model, "done"] += line.images - line.failed
            self._images[line.model, "failed"] += line.failed
            self._count, self._sum = self._count + 1, self._sum + seconds
            self._buckets.update(most for most in BUCKETS if seconds <= most)
            self._places.worked(seconds)
        if self._on_request is not None:
            self._on_request(line.as_json(datetime.now(UTC), seconds))

    def metrics(self) -> str:
        """In Prometheus's text format."""
        requests = {f'path="{path}",status="{status}"': n for (path, status), n in sorted(self._requests.items())}
        images = {f'model="{_escaped(model)}",outcome="{how}"': n for (model, how), n in sorted(self._images.items())}
        buckets = {f'le="{most:g}"': self._buckets[most] for most in BUCKETS} | {'le="+Inf"': self._count}
        seconds = "foveate_segment_seconds"
        return "".join(
            (
                _family("foveate_requests_total", "counter", "Requests that have ended.", requests),
                _family("foveate_images_total", "counter", "Images, by what became of them.", images),
                _family("foveate_places_taken", "gauge", "Requests that are worked on.", {"": self._places.taken}),
                _family("foveate_held_bytes", "gauge", "Of uploads in memory.", {"": self._places.held}),
                f"# HELP {seconds} From first byte to answer.\n# TYPE {seconds} histogram\n",
                *(_sample(f"{seconds}_bucket", labels, count) for labels, count in buckets.items()),
                _sample(f"{seconds}_sum", "", round(self._sum, 6)) + _sample(f"{seconds}_count", "", self._count),
            )
        )


def _family(name: str, kind: str, meaning: str, samples: dict[str, int]) -> str:
    head = f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n"
    return head + "".join(_sample(name, labels, value) for labels, value in samples.items())


def _sample(name: str, labels: str, value: float) -> str:
    return f"{name}{{{labels}}} {value}\n" if labels else f"{name} {value}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"")
