"""One server or object store: read, list, put whole; what fails for a moment is tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from foveate.errors import ImageError, OutputError, UsageError, install_line
from foveate.imaging.write import UNFINISHED, unfinished_name
from foveate.inference.remote.address import scheme_of, shown
from foveate.inference.remote.faults import ANSWER_SECONDS, CONNECT_SECONDS, StoreError, patiently

Result = TypeVar("Result")

SFTP = ("sftp", "ssh")

BROUGHT_BY = {"s3": "s3fs", "s3a": "s3fs", "sftp": "paramiko", "ssh": "paramiko"}
"""Packages of the extra `remote`, by scheme."""

FURTHER = {"gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "http": "aiohttp", "https": "aiohttp"}
"""Packages that no extra brings."""

OF_S3 = {
    "config_kwargs": {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": ANSWER_SECONDS,
        "retries": {"mode": "standard", "total_max_attempts": 1},
    }
}
"""Only the table of faults.py says what is tried again."""

ABANDONED_SECONDS = 86_400.0
"""After which a file that isn't whole is no longer being written."""

LONGEST_FILE = 2_000_000_000
"""Bytes of an image that is brought here: it is held in memory."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in a store, as of the last look."""

    path: str
    """In the store's own words."""
    size: int
    """Bytes."""
    version: str
    """What changes with its content, as far as the store says: ETag, or time of change; else empty."""
    changed: float | None = None
    """When, in seconds since 1970, where the store says so."""


class RemoteStore:
    """A connection for every thread that uses it. Paths are the store's own, as `path_of` has them."""

    def __init__(self, address: str) -> None:
        """Of any address in it. Raises UsageError where a package is missing, or no such kind of store is known."""
        self.address = address
        """As it was given, with what it may sign in by."""
        self._scheme = scheme_of(address)
        self._host = shown(address).partition("://")[2].partition("/")[0]
        self._of_thread = threading.local()
        self._of_all: Any = None
        self._connect_all = threading.Lock()
        self._filesystem_class()

    def path_of(self, address: str) -> str:
        """Of an address in this store."""
        return str(self._filesystem_class()._strip_protocol(address))

    def shown(self, path: str) -> str:
        """The address of a path, for messages and records."""
        if "://" in path:
            return shown(path)
        return shown(f"{self._scheme}://{self._host if path.startswith('/') else ''}{path}")

    def fetch(self, path: str) -> bytes:
        """The content of a file. Raises ImageError."""
        try:
            content: bytes = self._try(lambda files: files.cat_file(path))
        except FileNotFoundError:
            raise ImageError(f"{self.shown(path)}: is not there.") from None
        except StoreError as error:
            raise ImageError(f"{self.shown(path)}: can't be read ({error}).") from None
        return content

    def look(self, path: str) -> StoredFile | None:
        """A file as it is now; None where there is none, or a folder. Raises StoreError."""
        try:
            facts = self._try(lambda files: files.info(path))
        except FileNotFoundError:
            return None
        return _stored(facts) if facts["type"] == "file" else None

    def below(self, folder: str, *, recursive: bool) -> list[StoredFile]:
        """The files in a folder, by path; none where there is no such folder. Raises StoreError."""

        def listed(files: Any) -> Iterable[dict[str, Any]]:
            files.invalidate_cache()
            found = files.find(folder, detail=True) if recursive else files.ls(folder, detail=True)
            return found.values() if isinstance(found, dict) else found

        return self._files(listed)

    def tidied(self, folder: str, *, recursive: bool) -> list[StoredFile]:
        """As `below`; what calls that were killed left half written there is removed. Raises StoreError."""
        files = self.below(folder, recursive=recursive)
        for file in filter(_is_abandoned, files):
            self.remove(file.path)
        return files

    def matching(self, pattern: str) -> list[StoredFile]:
        """The files whose paths match, by path; `**` goes through folders. Raises StoreError."""
        return self._files(lambda files: files.glob(pattern, detail=True).values())

    def put(self, path: str, content: bytes, *, replace: bool = False) -> None:
        """Write a whole file at once. Raises OutputError; FileExistsError unless `replace`, for one that is there."""
        mode = "overwrite" if replace else "create"
        try:
            if self._scheme in SFTP:
                unfinished = unfinished_name()  # of each try the same
                self._try(lambda files: files.put_whole(path, content, unfinished, replace=replace))
            else:
                self._try(lambda files: files.pipe_file(path, content, mode=mode))
        except FileNotFoundError:
            raise OutputError(f"{self.shown(path)}: can't be written (there is no such place).") from None
        except StoreError as error:
            raise OutputError(f"{self.shown(path)}: can't be written ({error}).") from None

    def remove(self, path: str) -> None:
        """Take a file away, if it is there. Raises StoreError."""
        try:
            self._try(lambda files: files.rm_file(path))
        except FileNotFoundError:
            return

    def _files(self, listed: Callable[[Any], Iterable[dict[str, Any]]]) -> list[StoredFile]:
        try:
            facts = self._try(lambda files: list(listed(files)))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(map(_stored, (each for each in facts if each["type"] == "file")), key=lambda each: each.path)

    def _try(self, action: Callable[[Any], Result]) -> Result:
        return patiently(lambda: action(self._connected()), self._forget)

    def _connected(self) -> Any:
        """The file system: one for all threads where it is made for that, else one for each."""
        files = self._of_all or getattr(self._of_thread, "files", None)
        if files is None:
            with self._connect_all:
                files = self._of_all or self._opened()
                if files.async_impl:
                    self._of_all = files
            self._of_thread.files = files
        return files

    def _opened(self) -> Any:
        if self._scheme in SFTP:
            from foveate.inference.remote.sftp import opened

            return opened(self.address)
        import fsspec

        options = OF_S3 if BROUGHT_BY.get(self._scheme) == "s3fs" else {}
        files, _ = fsspec.url_to_fs(self.address, skip_instance_cache=True, use_listings_cache=False, **options)
        if options:
            files.retries = 1  # s3fs's own
        return files

    def _forget(self) -> None:
        """Connect anew, where a connection doesn't do that by itself."""
        if self._of_all is None:
            self._of_thread.files = None

    def _filesystem_class(self) -> Any:
        try:
            import fsspec

            return fsspec.get_filesystem_class(self._scheme)
        except ImportError as error:
            package = "fsspec" if getattr(error, "name", None) == "fsspec" else BROUGHT_BY.get(self._scheme)
            remedy = install_line("remote") if package else f"pip install {FURTHER.get(self._scheme, 'its package')}"
            package = package or FURTHER.get(self._scheme, "a package")
            raise UsageError(f"{self._scheme}:// needs {package}, which is not installed: {remedy}") from None
        except ValueError:
            raise UsageError(f"{self._scheme}://: no such kind of store is known; check the address.") from None


def _is_abandoned(file: StoredFile) -> bool:
    """Whether it is what a call that was killed left of a file that it was writing."""
    unfinished = UNFINISHED.fullmatch(file.path.rpartition("/")[2]) is not None
    return unfinished and file.changed is not None and time.time() - file.changed > ABANDONED_SECONDS


def store_key(address: str) -> tuple[str, str]:
    """What addresses in one store have in common."""
    return scheme_of(address), urlsplit(address).netloc


def _stored(facts: dict[str, Any]) -> StoredFile:
    """Of what fsspec's file systems say of a file."""
    version = next((str(facts[name]) for name in ("ETag", "etag", "mtime", "LastModified") if facts.get(name)), "")
    changed = facts.get("mtime") or facts.get("LastModified")
    when = changed.timestamp() if isinstance(changed, datetime) else None
    return StoredFile(str(facts["name"]), int(facts.get("size") or 0), version.strip('"'), when)
