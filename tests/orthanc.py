"""A real DICOMweb server, Debian's Orthanc with its plug-in, and a way to it on which things go wrong when asked to."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from pydicom import Dataset

from made_dicom import packed

PLUGIN = Path("/usr/lib/orthanc")
WAIT = 60
"""Seconds for what takes a moment on an idle machine."""


@dataclass
class Archive:
    """Orthanc that runs."""

    port: int

    @property
    def address(self) -> str:
        """Of its DICOMweb, as a call names it."""
        return f"dicomweb+http://127.0.0.1:{self.port}/dicom-web"

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """By Orthanc's own interface, which no part of foveate uses."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, content
        return content if path.endswith("/file") else json.loads(content)

    def upload(self, *datasets: Dataset) -> None:
        for dataset in datasets:
            self.ask("POST", "/instances", packed(dataset))

    def segmentations(self) -> list[bytes]:
        """The files of all DICOM SEG."""
        found = [each for each in self.ask("GET", "/instances") if self.modality(each) == "SEG"]
        return [self.ask("GET", f"/instances/{each}/file") for each in sorted(found)]

    def modality(self, instance: str) -> str:
        return str(self.ask("GET", f"/instances/{instance}/simplified-tags").get("Modality"))


@contextmanager
def orthanc(folder: Path) -> Iterator[Archive]:
    """Started in a folder of its own on a free port, and ended."""
    program, plugins = shutil.which("Orthanc"), sorted(PLUGIN.glob("libOrthancDicomWeb.so*"))
    if program is None or not plugins:
        pytest.skip("Debian's orthanc and orthanc-dicomweb are not installed")
    for _ in range(3):  # where another process takes the port first
        port = free_port()
        process = started(folder, program, plugins[0], port)
        try:
            if answers(process, port):
                yield Archive(port)
                return
        finally:
            process.kill()
            process.wait(WAIT)
    pytest.fail((folder / "log").read_text("utf-8"))


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def started(folder: Path, program: str, plugin: Path, port: int) -> subprocess.Popen[bytes]:
    configuration = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": [str(plugin)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.json").write_text(json.dumps(configuration), "utf-8")
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([program, folder / "configuration.json"], stdout=log, stderr=log, cwd=folder)


def answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the process comes to answer on the port."""
    until = time.monotonic() + WAIT
    while process.poll() is None and time.monotonic() < until:
        try:
            Archive(port).ask("GET", "/dicom-web/studies")
        except (OSError, AssertionError, http.client.HTTPException, ValueError):
            time.sleep(0.05)
        else:
            return True
    return False


@dataclass
class Said:
    """An answer in place of the server's."""

    status: int
    content: bytes = b""
    kind: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Whether the connection ends after half of it."""
    after: bool = False
    """Whether the server does what it was asked all the same."""


Plan = Callable[[str, str, int], Said | None]
"""Method, path, and how often that was asked before: the answer in the server's place, None for the server's own."""


@dataclass
class Between:
    """What stands between a call and the server, and hears everything."""

    port: int
    scheme: str = "http"
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path."""
    tokens: set[str | None] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"dicomweb+{self.scheme}://127.0.0.1:{self.port}/dicom-web"

    def retrieved(self) -> list[str]:
        """Paths of instances, as often as they were retrieved."""
        return [path for method, path in self.asked if method == "GET" and re.search(r"/instances/[\d.]+$", path)]

    def stored(self) -> int:
        return sum(method == "POST" for method, _ in self.asked)


@contextmanager
def between(
    archive: Archive | None = None,
    plan: Plan = lambda method, path, before: None,
    certificate: Path | None = None,
) -> Iterator[Between]:
    """A server in front of another, or alone; with a certificate, and its key, by https."""
    heard = Between(0, "https" if certificate else "http")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with lock:
                before = heard.asked.count((self.command, self.path))
                heard.asked.append((self.command, self.path))
                heard.tokens.add(self.headers.get("Authorization"))
            said = plan(self.command, self.path, before)
            if said is None or said.after:
                own = self.forwarded(body)
                said = said or own
            self.send_response(said.status)
            for name, value in {"Content-Type": said.kind, **said.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.content)))
            self.end_headers()
            self.wfile.write(said.content[: len(said.content) // 2] if said.cut else said.content)
            self.close_connection = said.cut

        def forwarded(self, body: bytes) -> Said:
            assert archive is not None
            connection = http.client.HTTPConnection("127.0.0.1", archive.port, timeout=WAIT)
            kept = {name: value for name, value in self.headers.items() if name in ("Accept", "Content-Type")}
            connection.request(self.command, self.path, body, kept)
            given = connection.getresponse()
            said = Said(given.status, given.read(), given.headers["Content-Type"] or "text/plain")
            connection.close()
            return said

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    heard.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        thread.join(WAIT)
        server.server_close()


def study_of(address: str, datasets: Sequence[Dataset]) -> str:
    """The address of the study that the datasets are of."""
    return f"{address}/studies/{datasets[0].StudyInstanceUID}"
