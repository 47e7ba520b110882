"""The record while calls are at work: each call adds lines to a part of its own, reads the others', and joins all.

`segment.record/` lies beside `segment.json` as long as a call runs, or after one was killed. A part is a file of JSON
lines, locked as long as its call lives: by that the others know whether an image that it announced is being made or was
given up. An announcement is made under one more lock, so that no two calls take on the same image. When a call ends, it
writes what all have said to `segment.json` and `segment.csv` and removes its own part and those of calls that were
killed. Nothing is ever written but whole files under their names, and lines at the end of one's own part: a line that
was cut off counts for nothing.

It is assumed that a lock holds between all that work on the folder, and that a file shows what was written to it
before: so it is on local disks, NFS 4 and SMB, and not between machines that mount by sshfs. On a disk without locks
calls must not overlap.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

import msgspec

from foveate.errors import OutputError
from foveate.imaging import write_bytes
from foveate.imaging.lock import acquire, is_at
from foveate.imaging.write import UNFINISHED
from foveate.inference.record import RECORD, TABLE, Common, Entry, ImageRecord, as_csv, as_json, read_record

PARTS = "segment.record"
_LOCK = "lock"
_ENDING = ".jsonl"


class _Line(Entry, frozen=True, kw_only=True):
    """What a call says of one image; the last word of the highest turn holds."""

    name: str
    image: ImageRecord


class SharedRecord:
    """The record of one output folder, open for one call; `close` ends that."""

    def __init__(self, folder: Path) -> None:
        """Read what is there and begin a part. Raises OutputError for a record that isn't ours, or can't be written."""
        self.images: dict[str, ImageRecord] = {}
        """By NAME, as of the last `refresh`."""
        self._folder = folder
        self._parts = folder / PARTS
        self._own = self._parts / f"{os.getpid()}-{os.urandom(4).hex()}{_ENDING}"
        self.part = self._own.name
        """Of the record: this call's."""
        self._said_by: dict[str, Path | None] = {}
        self._owners: dict[str, str] = {}
        self._common = Common()
        self._decoder = msgspec.json.Decoder(_Line)
        self._read: dict[Path, int] = {}
        self._joined: tuple[int, int, int] | None = None
        self._changed = False
        self.refresh()
        with self._alone():
            try:
                self._file = FileIO(self._own, "xb")
            except OSError as error:
                raise _unwritable(self._own, error) from error
            with suppress(OSError):  # where the file system has no locks
                acquire(self._file)

    def refresh(self) -> None:
        """Hear what others have said since. Raises OutputError for what is no record of ours."""
        # In this order: who removes a part has written segment.json before.
        for part in self._listed():
            if part != self._own:
                self._hear_part(part)
        state = _state(self._folder / RECORD)
        if state != self._joined:
            for name, image in read_record(self._folder):
                self._hear(name, image, None)
            self._joined = state

    def is_busy(self, name: str) -> bool:
        """Whether another call that lives has announced the image and not said yet what became of it."""
        part = self._said_by.get(name)
        announced = name in self.images and self.images[name].status == "announced"
        return announced and part is not None and part != self._own and _lives(part) is True

    def is_left(self, part: str) -> bool:
        """Whether the call that a part is of has ended, as far as locks tell."""
        return _lives(self._parts / part) is not True

    def owner(self, file: str) -> str | None:
        """The NAME of the image that an output is of; upper and lower case count as the same."""
        return self._owners.get(file.lower())

    def take(self, name: str, image: ImageRecord) -> bool:
        """Say the first word of the image's next turn, on disk before anything follows from it.

        False where it is no longer the next one, or an output is of another image: another call was quicker.
        """
        with self._alone():
            self.refresh()
            before = self.images.get(name)
            free = all(self.owner(file) in (None, name) for file in image.files)
            if not free or image.turn != next_turn(before):
                return False
            self._append(name, image, lasting=True)
            return True

    def conclude(self, name: str, image: ImageRecord) -> None:
        """Say the last word of a turn that this call has taken. Raises OutputError."""
        self._append(name, image)

    def close(self) -> None:
        """Join what all have said into segment.json and segment.csv; parts of calls that live stay there, too.

        Raises OutputError where these can't be written; the parts stay then, and the next call joins them.
        """
        with self._alone():
            joined = False
            try:
                self.refresh()
                self._join()
                joined = True
            finally:
                self._leave(joined)

    def _join(self) -> None:
        record, table = self._folder / RECORD, self._folder / TABLE
        if self.images and (self._changed or not (record.exists() and table.exists())):
            write_bytes(as_json(self.images), record)
            write_bytes(as_csv(self.images).encode(), table)

    def _leave(self, joined: bool) -> None:
        """Remove the own part and those of calls that were killed; the last call also what these left half written."""
        ended = [part for part in self._listed() if part != self._own and _lives(part) is False] if joined else []
        if joined or not os.fstat(self._file.fileno()).st_size:
            ended.append(self._own)
        self._file.close()
        with suppress(OSError):
            for part in ended:
                part.unlink(missing_ok=True)
            if not any(self._listed()):
                self._remove_half_written()
                (self._parts / _LOCK).unlink()
                self._parts.rmdir()

    def _remove_half_written(self) -> None:
        """Remove what calls that were killed left beside the outputs; no call is writing now."""
        below = {Path(file).parent for image in self.images.values() for file in image.files}
        for folder in (self._folder / path for path in below if not path.is_absolute() and ".." not in path.parts):
            with suppress(FileNotFoundError), os.scandir(folder) as entries:
                for entry in entries:
                    if UNFINISHED.fullmatch(entry.name):
                        Path(entry.path).unlink(missing_ok=True)

    def _alone(self) -> BinaryIO:
        """A lock that one call at a time has, until it is closed."""
        path = self._parts / _LOCK
        while True:
            try:
                self._parts.mkdir(parents=True, exist_ok=True)
                file = path.open("ab")
            except FileNotFoundError:  # the last call was leaving
                continue
            except OSError as error:
                raise _unwritable(path, error) from error
            with suppress(OSError):  # where the file system has no locks
                acquire(file, wait=True)
            if is_at(path, file):
                return file
            file.close()

    def _append(self, name: str, image: ImageRecord, *, lasting: bool = False) -> None:
        """Add a line to the own part, or nothing; `lasting`: so that it outlives a power cut."""
        line = msgspec.json.encode(_Line(name=name, image=image)) + b"\n"
        length = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(line) != len(line):
                raise OSError("the disk is full")
            if lasting:
                os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(length)
            self._file.seek(length)
            raise OutputError(f"{image.input}: can't be recorded, as {_unwritable(self._own, error)}") from error
        self._hear(name, image, self._own)
        self._changed = True

    def _listed(self) -> Iterator[Path]:
        try:
            return iter(sorted(path for path in self._parts.iterdir() if path.suffix == _ENDING))
        except FileNotFoundError:
            return iter(())
        except OSError as error:
            raise OutputError(f"{self._parts}: can't be listed ({error.strerror}). Choose another --out.") from error

    def _hear_part(self, part: Path) -> None:
        try:
            with part.open("rb") as file:
                file.seek(self._read.get(part, 0))
                for text in file:
                    if not text.endswith(b"\n"):
                        break
                    line = self._decoder.decode(text)
                    self._hear(line.name, line.image, part)
                    self._read[part] = self._read.get(part, 0) + len(text)
                    self._changed = True
        except FileNotFoundError:  # joined meanwhile
            return
        except OSError as error:
            raise OutputError(f"{part}: can't be read ({error.strerror}). Choose another --out.") from error
        except (ValueError, RecursionError) as error:
            raise OutputError(f"{part}: is no part of a record. Move it away or choose another --out.") from error

    def _hear(self, name: str, image: ImageRecord, part: Path | None) -> None:
        """Take over what a part says of an image, or segment.json (None), unless it is known better."""
        known = self.images.get(name)
        if known is not None:
            before, now = ((entry.turn, entry.status != "announced") for entry in (known, image))
            if now < before or (now == before and part is None):
                return
            for file in known.files:
                if self.owner(file) == name:
                    del self._owners[file.lower()]
        self.images[name] = self._common.shared(image)
        self._said_by[name] = part
        self._owners |= {file.lower(): name for file in image.files}


def next_turn(before: ImageRecord | None) -> int:
    """The number of an image's next turn."""
    return 1 if before is None else before.turn + 1


def _lives(part: Path) -> bool | None:
    """Whether the call that a part is of still runs; None where the file system has no locks to tell."""
    try:
        with part.open("rb") as file:
            return not acquire(file, shared=True)
    except FileNotFoundError:
        return False
    except OSError:
        return None


def _state(path: Path) -> tuple[int, int, int] | None:
    """What differs between a file and another one under its name; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path}: can't be written ({error.strerror or error}); free some space, or give a folder where you may write."
    )
