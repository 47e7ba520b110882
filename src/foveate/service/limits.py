"""What a client may ask for: the one table that checks, `foveate serve --limits`, `/readyz` and the page go by."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def _limit(default: int, unit: str, meaning: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """Each is a whole number from 1 up. Raises ValueError, "NAME: what is wrong with it", for any other."""

    max_bytes: int = _limit(64 * 2**20, "bytes", "in the body of a request; more: 413")
    max_images: int = _limit(20, "images", "in a request; more: 413")
    max_pixels: int = _limit(50_000_000, "pixels", "of an image, by its header, before it is decoded; more: 422")
    max_seconds: int = _limit(60, "seconds", "from the end of an upload to its answer; longer: 504")
    queue: int = _limit(
        32, "requests", "that are received, wait or are worked on at a time; more: 503 with Retry-After"
    )
    held_bytes: int = _limit(256 * 2**20, "bytes", "of all uploads held at a time; more: 503 with Retry-After")
    body_seconds: int = _limit(60, "seconds", "to send a body, and to take an answer; longer: 408, then closed")
    head_seconds: int = _limit(10, "seconds", "to send a request's line and headers; longer: closed")
    head_bytes: int = _limit(16 * 2**10, "bytes", "of a request's line and headers; more: 400")
    idle_seconds: int = _limit(15, "seconds", "between two requests of a connection; longer: closed")
    connections: int = _limit(256, "connections", "open at a time; more: 503 with Retry-After, then closed")

    def __post_init__(self) -> None:
        for row in fields(self):
            value = getattr(self, row.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{row.name}: {value!r} is no whole number from 1 up")


@dataclass(frozen=True, slots=True)
class Row:
    """A limit for people."""

    name: str
    value: int
    unit: str
    meaning: str

    def __str__(self) -> str:
        return f"{self.name}  {self.value} {self.unit} {self.meaning}"


def rows(limits: ServiceLimits) -> Iterator[Row]:
    """The table."""
    for each in fields(limits):
        yield Row(each.name, getattr(limits, each.name), each.metadata["unit"], each.metadata["meaning"])
