"""What tests know of an object store and an SSH server on loopback, and credentials that must be seen nowhere."""

from __future__ import annotations

import getpass
import io
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foveate_command import pixels

KEY, SECRET, TOKEN, PASSWORD = "AKIAPLANTED", "planted-secret-key", "planted-session-token", "planted-password"
PLANTED = (SECRET, TOKEN, PASSWORD)

WAIT = 60
"""Seconds for what takes a moment on an idle machine."""


@dataclass(frozen=True)
class Bucket:
    """A bucket of the object store, for one test."""

    client: Any
    name: str
    server: tuple[str, int]

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)

    def content(self, beginning: str = "", ending: str = "") -> dict[str, bytes]:
        return {key: self.of(key) for key in self.states(beginning) if key.endswith(ending)}

    def of(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def states(self, beginning: str) -> dict[str, Any]:
        """When each object was last put."""
        listed = self.client.list_objects_v2(Bucket=self.name, Prefix=beginning).get("Contents", [])
        return {each["Key"]: each["LastModified"] for each in listed}

    def address(self, key: str) -> str:
        return f"s3://{self.name}/{key}"


@dataclass(frozen=True)
class SftpServer:
    """An SSH server that the user has met, and a folder on it."""

    port: int
    folder: Path
    known_hosts: Path

    def address(self, path: str, port: int | None = None) -> str:
        """With a password in it, which isn't needed."""
        return f"sftp://{getpass.getuser()}:{PASSWORD}@127.0.0.1:{port or self.port}{self.folder}/{path}"

    def meet_at(self, port: int) -> None:
        """Know the server under another port."""
        line = self.known_hosts.read_text("utf-8").splitlines()[0]
        with self.known_hosts.open("a", encoding="utf-8") as file:
            file.write(line.replace(f":{self.port} ", f":{port} ") + "\n")


def photograph(seed: int) -> bytes:
    """A drawn photograph as the bytes of a file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels(seed)[:96, :96]).save(file, "PNG")
    return file.getvalue()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WAIT
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=WAIT):
            return
        assert process.poll() is None, "sshd has ended"
        assert time.monotonic() < until
        time.sleep(0.02)
