"""Listening, until the process is asked to end: then what runs is finished, and what comes is refused."""

from __future__ import annotations

import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from foveate.errors import UsageError
from foveate.runtime.freed import hand_back_freed_memory
from foveate.service.app import Service
from foveate.service.protocol import protocol_within

WAITING = 128
"""Connections that the system keeps until they are taken."""


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound to the address. Raises UsageError where that can't be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=WAITING)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{host}, port {port}: can't be listened on ({reason}). Choose another --host or --port."
        ) from error


def is_loopback(bound: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback


def address_of(host: str, bound: socket.socket) -> str:
    """What to open in a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{bound.getsockname()[1]}"


def run(service: Service, bound: socket.socket, on_start: Callable[[], None] | None) -> None:
    """Serve on the socket until the service's `places` are stopping, which SIGINT and SIGTERM bring about."""
    hand_back_freed_memory()
    limits = service.limits
    config = uvicorn.Config(
        service.app,
        http=protocol_within(limits),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=limits.idle_seconds,
        timeout_graceful_shutdown=limits.max_seconds + limits.body_seconds,
        h11_max_incomplete_event_size=limits.head_bytes,
    )
    try:
        _Server(config, service, on_start).run(sockets=[bound])
    finally:
        service.lanes.close()
        bound.close()


class _Server(uvicorn.Server):
    """uvicorn's, which ends as it is told to and leaves the signals as they were."""

    def __init__(self, config: uvicorn.Config, service: Service, on_start: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._service, self._on_start = service, on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self._on_start is not None:
            self._on_start()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM inside of it; the second SIGINT waits for nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to end, ten times a second."""
        return await super().on_tick(counter) or self._service.places.stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take on nothing more."""
        self._service.places.stopping = True
        super().handle_exit(sig, frame)
