"""Files of an SSH server, by fsspec's file system on paramiko: only of servers that are known, and whole files."""

from __future__ import annotations

import posixpath
from contextlib import suppress
from typing import Any

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem

from foveate.errors import UsageError
from foveate.inference.remote.faults import ANSWER_SECONDS, CONNECT_SECONDS


class KnownServer(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    """Refuses a server whose key isn't in known_hosts: fsspec by itself would trust any."""

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """As paramiko calls it."""
        raise UsageError(
            f"sftp://{hostname}: its key ({key.get_name()}) is not in ~/.ssh/known_hosts. Connect to it once by ssh,"
            " and compare the fingerprint."
        )


class KnownSftp(SFTPFileSystem):  # type: ignore[misc]
    """The file system of a server that the user has met; keys come from ~/.ssh and the agent."""

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        self.client.load_system_host_keys()
        self.client.set_missing_host_key_policy(KnownServer())
        times = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), CONNECT_SECONDS)
        try:
            self.client.connect(self.host, **(times | self.ssh_kwargs))
        except paramiko.SSHException as error:
            if "authentication" in str(error):  # paramiko's word where there is no key to try
                raise paramiko.AuthenticationException from error
            raise
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(ANSWER_SECONDS)

    def put_whole(self, path: str, content: bytes, unfinished: str, *, replace: bool) -> None:
        """Write a file beside its place, called `unfinished`, and rename it: whole, or not there.

        Raises FileExistsError for one that is there, unless `replace`.
        """
        part = posixpath.join(posixpath.dirname(path), unfinished)
        try:
            with self._begun(part) as file:
                file.set_pipelined(True)
                file.write(content)
            if replace:
                self.ftp.posix_rename(part, path)
            else:
                self._rename_to_a_free_name(part, path)
        except BaseException:
            with suppress(Exception):  # where the connection is gone
                self.ftp.remove(part)
            raise

    def _begun(self, part: str) -> paramiko.SFTPFile:
        """A new file, in a folder that is made where it is missing."""
        try:
            return self.ftp.open(part, "wb")
        except FileNotFoundError:
            with suppress(OSError):  # where another call makes it now
                self.makedirs(posixpath.dirname(part), exist_ok=True)
            return self.ftp.open(part, "wb")

    def _rename_to_a_free_name(self, part: str, path: str) -> None:
        try:
            self.ftp.rename(part, path)  # OpenSSH's server replaces nothing by this
        except OSError:
            with suppress(FileNotFoundError):
                self.ftp.stat(path)
                raise FileExistsError(path) from None
            raise


def opened(address: str) -> Any:
    """The file system of an address, signed in."""
    return KnownSftp(**SFTPFileSystem._get_kwargs_from_urls(address), skip_instance_cache=True)
