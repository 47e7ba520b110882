"""A PostgreSQL server for the tests, where Debian's package, or another, has the programs for one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

USER = "postgres"
"""Whom Debian's package makes; the server refuses to run as root."""


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, the newest one."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")]
    on_path = shutil.which("pg_ctl")
    found = sorted(found, key=lambda each: int(each.parent.name)) or ([Path(on_path).parent] if on_path else [])
    return found[-1] if found else None


def call(*words: str | Path) -> None:
    """As that user where we are root, else as ourselves."""
    user = USER if os.geteuid() == 0 else None
    subprocess.run([*map(str, words)], check=True, capture_output=True, user=user, group=user, cwd="/", timeout=60)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of an empty database on a server of our own, gone after the tests."""
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed (Debian: apt install postgresql)")
    if os.geteuid() == 0 and USER not in {each.pw_name for each in pwd.getpwall()}:
        pytest.skip(f"the tests run as root, and there is no user {USER} to run PostgreSQL as")
    # Not below pytest's own folder, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="foveate-postgresql-", ignore_cleanup_errors=True) as place:
        if os.geteuid() == 0:
            shutil.chown(place, USER)
        data = Path(place) / "data"
        call(folder / "initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync")
        port = free_port()
        options = f"-p {port} -k {place} -c listen_addresses=127.0.0.1 -c fsync=off"
        call(folder / "pg_ctl", "-D", data, "-w", "-l", Path(place) / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://tester:secret@127.0.0.1:{port}/postgres"
        finally:
            call(folder / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
