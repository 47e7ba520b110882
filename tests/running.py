"""`foveate serve` in a process of its own, or its server in a thread, and requests to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from foveate_command import green_model

BOUNDARY = "a-boundary-of-the-tests"
WAIT = 60
"""Seconds for what takes a moment on an idle machine."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A service that listens."""

    address: str
    process: subprocess.Popen[bytes] | None = None
    log: Path | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every request."""

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.address)
        return str(parts.hostname), int(parts.port or 0)

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout: float = WAIT
    ) -> Answer:
        connection = http.client.HTTPConnection(*self.place, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers={**self.headers, **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def segment(self, content: bytes, query: str = "", **headers: str) -> Answer:
        """One image, as the body."""
        sent = {"Content-Type": "application/octet-stream"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.ask("POST", f"/v1/segment?{query}", content, sent)

    def form(self, files: Sequence[tuple[str, bytes]], query: str = "") -> Answer:
        """Several, as a form."""
        return self.ask("POST", f"/v1/segment?{query}", form_of(files), FORM)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place, timeout=WAIT)

    def lines(self, path: str, **facts: Any) -> list[dict[str, Any]]:
        """What the service says of requests to a path, once a line has these facts: it may come after the answer."""
        assert self.log is not None
        until = time.monotonic() + WAIT
        while True:
            said = [json.loads(line) for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]
            found = [line for line in said if line["path"] == path]
            if any(facts.items() <= line.items() for line in found):
                return found
            assert time.monotonic() < until, found
            time.sleep(0.02)

    def memory(self) -> int:
        """Bytes of the process that are in memory."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.is_file():
            pytest.skip("the system doesn't say how much memory a process has")
        return 1024 * int(status.read_text("ascii").partition("VmRSS:")[2].split()[0])


FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def form_of(files: Sequence[tuple[str, bytes]], field_name: str = "file") -> bytes:
    """A form's body, whatever the names hold."""
    parts = []
    for name, content in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field_name}"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@contextmanager
def started(log: Path, *options: str, model: str | Path | None = None, **environment: str) -> Iterator[Running]:
    """The command, until the test is over."""
    command = [
        sys.executable,
        "-m",
        "foveate",
        "serve",
        "--port",
        "0",
        "--model",
        str(model or green_model()),
        *options,
    ]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **environment})
    try:
        yield Running(wait_for_address(log, process), process, log)
    finally:
        process.kill()
        process.wait(WAIT)


def wait_for_address(log: Path, process: subprocess.Popen[bytes]) -> str:
    """The first word of what the command says once it listens."""
    until = time.monotonic() + WAIT
    while "listening" not in log.read_text("utf-8"):
        assert process.poll() is None, log.read_text("utf-8")
        assert time.monotonic() < until
        time.sleep(0.05)
    return log.read_text("utf-8").split(": listening")[0]


@contextmanager
def in_a_thread(
    send_buffer: int = 0, *, segmenter: Any = None, key: str | None = None, **limits: int
) -> Iterator[Running]:
    """The server in a thread of this process, with limits that the command has no options for."""
    import foveate
    from foveate.service.app import Service
    from foveate.service.guard import Access
    from foveate.service.limits import ServiceLimits
    from foveate.service.server import address_of, listening_socket, run

    service = Service([segmenter or foveate.load(green_model())], ServiceLimits(**limits), Access(key))
    bound, begun = listening_socket("127.0.0.1", 0), threading.Event()
    if send_buffer:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    thread = threading.Thread(target=run, args=(service, bound, begun.set))
    thread.start()
    try:
        assert begun.wait(WAIT)
        yield Running(address_of("127.0.0.1", bound))
    finally:
        service.places.stopping = True
        thread.join(WAIT)


def stop(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """The status that the process ends with."""
    with suppress(ProcessLookupError):
        process.send_signal(number)
    return process.wait(WAIT)
