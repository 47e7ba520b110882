"""An object store and an SSH server on loopback, started for the tests and ended by them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from foveate.inference.remote import faults
from stores_on_loopback import KEY, SECRET, TOKEN, WAIT, Bucket, SftpServer, free_port, wait_for_port


@pytest.fixture(scope="session")
def s3_server() -> Iterator[tuple[str, int]]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def bucket(s3_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    """With credentials where S3's libraries look for them."""
    import boto3

    endpoint = "http://{}:{}".format(*s3_server)
    for name, value in {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=endpoint)
    name = f"eyes-{tmp_path.parent.name}-{tmp_path.name}".lower().replace("_", "-")[:40] + f"-{time.time_ns()}"
    client.create_bucket(Bucket=name)
    return Bucket(client, name, s3_server)


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SftpServer]:
    """OpenSSH's server, with keys of its own."""
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("no OpenSSH server is installed (Debian: apt install openssh-server)")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # as its service does, where it runs as root
    place, home = tmp_path / "sshd", tmp_path / "home/.ssh"
    home.mkdir(parents=True, mode=0o700)
    (place / "files").mkdir(parents=True)
    for key in (place / "host_key", home / "id_ed25519"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    shutil.copy(home / "id_ed25519.pub", place / "authorized_keys")
    port = free_port()
    host_key = (place / "host_key.pub").read_text("ascii")
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}", encoding="ascii")
    (place / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host_key\nAuthorizedKeysFile {place}/authorized_keys\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPasswordAuthentication no\nPermitRootLogin yes\n"
        "MaxStartups 100\nSubsystem sftp internal-sftp\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("HOME", str(home.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", place / "config"], stderr=log)
    try:
        wait_for_port(port, process)
        yield SftpServer(port, place / "files", home / "known_hosts")
    finally:
        process.kill()
        process.wait(WAIT)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many tries, in a moment."""
    monkeypatch.setattr(faults, "WAITS", tuple(wait / 200 for wait in faults.WAITS))
