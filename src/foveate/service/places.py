"""How much is taken on at a time: a number of requests and of bytes. Used by the event loop's thread alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from foveate.service.problems import ServiceError

if TYPE_CHECKING:
    from foveate.service.limits import ServiceLimits

WEIGHT = 0.2
"""Of the last request in the mean of how long they take."""


class Places:
    """The places of a service, and the bytes that are held in them."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits = limits
        self.taken = 0
        self.held = 0
        self.stopping = False
        self._seconds = 1.0

    def take(self) -> Place:
        """A place. Raises ServiceError where all are taken, or the service is being stopped."""
        if self.stopping:
            raise ServiceError("stopping", "the service is being stopped.", retry_after=10)
        if self.taken >= self._limits.queue:
            raise self.full(f"{self.taken} requests are being worked on or wait, and no more may.")
        self.taken += 1
        return Place(self)

    def hold(self, count: int) -> None:
        """So many bytes more. Raises ServiceError where that is too many."""
        if self.held + count > self._limits.held_bytes:
            raise self.full(
                f"uploads of {self.held} bytes are held, and no more than {self._limits.held_bytes} may be."
            )
        self.held += count

    def full(self, message: str) -> ServiceError:
        """Busy, for about as long as the requests at hand take."""
        return ServiceError("busy", message, retry_after=max(1, min(60, math.ceil(self.taken * self._seconds / 2))))

    def worked(self, seconds: float) -> None:
        """A request took so long."""
        self._seconds += WEIGHT * (seconds - self._seconds)


class Place:
    """A request's, from its first byte until nothing of it is worked on any more."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._held = 0
        self._keepers = 1

    def hold(self, count: int) -> None:
        """So many bytes more. Raises ServiceError where that is too many."""
        self._places.hold(count)
        self._held += count

    def kept(self) -> None:
        """Somebody else needs it, too, until he gives it back."""
        self._keepers += 1

    def give_back(self) -> None:
        """No longer needed by one of those who have it."""
        self._keepers -= 1
        if not self._keepers:
            self._places.taken -= 1
            self._places.held -= self._held

    @contextmanager
    def used(self) -> Iterator[Place]:
        """Given back at the end."""
        try:
            yield self
        finally:
            self.give_back()
