"""HTTP/1.1 as uvicorn speaks it, with an end to what a slow or endless client may take."""

from __future__ import annotations

import asyncio
import json
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from foveate.service.limits import ServiceLimits
from foveate.service.problems import ServiceError


class TimedProtocol(H11Protocol):
    """A connection. uvicorn waits for a request's head, and for an answer to be taken, as long as it lasts."""

    limits: ClassVar[ServiceLimits]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One more."""
        self._lingering = _Lingering(transport, self)
        super().connection_made(self._lingering)  # type: ignore[arg-type]
        self._head: asyncio.TimerHandle | None = None
        self._drain: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        if len(self.connections) > self.limits.connections:
            problem = ServiceError(
                "busy", f"{self.limits.connections} connections are open, and no more may be.", retry_after=5
            )
            self._end_with(503, b"Service Unavailable", problem)
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Some bytes more."""
        if not self.transport.is_closing():
            super().data_received(data)
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """One less."""
        for timer in (self._head, self._drain, self._taking, self._lingering.timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """What is left of a body that nobody reads may come for a while, so that the client reads the answer."""
        super().on_response_complete()
        if self._drain is None and self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._drain = self.loop.call_later(self.limits.body_seconds, self.transport.abort)

    def pause_writing(self) -> None:
        """The client takes its answer more slowly than it comes."""
        super().pause_writing()
        self._taking = self._taking or self.loop.call_later(self.limits.body_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It has caught up."""
        super().resume_writing()
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def send_400_response(self, msg: str) -> None:
        """A request that is none, in the form of every other problem."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            problem = ServiceError(
                "bad_request", f"the request is no HTTP, or its head has over {self.limits.head_bytes} bytes."
            )
            self._end_with(400, b"Bad Request", problem)
        else:
            self.transport.close()

    def _end_with(self, status: int, reason: bytes, problem: ServiceError) -> None:
        content = json.dumps(problem.content()).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (headers | problem.headers).items())
        self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, reason, lines.encode(), content))
        self.transport.close()

    def _watch(self) -> None:
        """Begin to count the seconds where a request's head is awaited, and end where it is there."""
        if self.conn.their_state is not h11.IDLE:
            if self._head is not None:
                self._head.cancel()
                self._head = None
            if self._drain is not None and self.conn.their_state is not h11.SEND_BODY:
                self._drain.cancel()
                self._drain = None
        elif self._head is None:
            self._head = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def _give_up(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.transport.abort()


class _Lingering:
    """A transport that closes once the client has sent what it began to send, or has had its time for that.

    A system resets a connection that is closed with bytes unread, and a client that writes all before it reads, as most
    do, never learns what the answer was.
    """

    def __init__(self, transport: asyncio.Transport, protocol: TimedProtocol) -> None:
        self._transport, self._protocol = transport, protocol
        self.timer: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Whether nothing more is read by the protocol."""
        return self.timer is not None or self._transport.is_closing()

    def close(self) -> None:
        """Now, where nothing is on its way; a second time, at once."""
        protocol = self._protocol
        if self.is_closing() or protocol.conn.their_state is not h11.SEND_BODY:
            self._transport.close()
            return
        self.timer = protocol.loop.call_later(protocol.limits.body_seconds, self._transport.abort)
        self._transport.write_eof()
        self._transport.resume_reading()


def protocol_within(limits: ServiceLimits) -> type[TimedProtocol]:
    """The protocol of a service with these limits."""
    return type("LimitedProtocol", (TimedProtocol,), {"limits": limits})
