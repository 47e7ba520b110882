"""The record at an address: parts that are put whole and never changed, and joined when a call ends.

`segment.record/PART/` holds the parts, where PART is `all`, or `3-of-10` for calls that share the work by `--shard`. A
call puts what it has to say every `ROWS_A_PART` images or `SECONDS_A_PART` seconds; after a kill, what was not said is
made again by the next call. Nobody vouches for an image before all of its outputs are there.

When a call ends, it joins the parts of its PART: the last words on every image, in files of `ROWS_JOINED`; only then
the others go. Files that are full stay, so that the end of a call costs what is new; an image that is in one and was
made again has a later row elsewhere. One call at a time does so, by a file that is put only where there is none. Where
two do all the same (a store that knows no such condition, a call that was killed an hour ago), an image may stand in
two parts, with the same words.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

from foveate.errors import ImageError, OutputError
from foveate.imaging import csv_text
from foveate.inference.record import Common
from foveate.inference.remote.faults import StoreError
from foveate.inference.remote.rows import RecordRow, as_parquet, last_words, packed, rows_of, table_of
from foveate.inference.remote.store import RemoteStore, StoredFile
from foveate.inference.shared_record import PARTS

ROWS_A_PART, SECONDS_A_PART = 500, 30.0
ROWS_JOINED = 200_000
"""In one file; some 60 MB of it."""

ENDING = ".parquet"
FULL = ".full"
"""Before the ending of a file with so many rows, which stays as it is."""

JOINING = "joining"
ABANDONED_SECONDS = 3600.0
"""After which a call that began to join is taken for killed."""

FAILED = "segment.failed"
TRIES = 5
"""To read all parts while others join theirs."""


class RemoteRecord:
    """What is known of a call's images, and what it says of them."""

    def __init__(self, store: RemoteStore, folder: str, part: str, names: Collection[str]) -> None:
        """Read what is there of the names, by whatever part. Raises OutputError."""
        self.rows: dict[str, RecordRow] = {}
        """By NAME: the last word on each."""
        self._store, self._folder, self._part = store, folder, part
        self._place = f"{folder}/{PARTS}/{part}"
        self._names = frozenset(names)
        self._unsaid: dict[str, RecordRow] = {}
        self._since = time.monotonic()
        self._read()

    def say(self, row: RecordRow) -> None:
        """Remember a row, and put what is due. What can't be put now is put with the next, or by `close`."""
        self.rows[row.name] = self._unsaid[row.name] = row
        if len(self._unsaid) >= ROWS_A_PART or time.monotonic() - self._since >= SECONDS_A_PART:
            with suppress(OutputError):
                self.put()

    def close(self) -> None:
        """Put what is left, join the parts, and list what failed. Raises OutputError."""
        self.put()
        try:
            with self._alone() as alone:
                if alone:
                    self._join()
            self._list_failed()
        except (StoreError, ImageError) as error:
            raise OutputError(f"{self._store.shown(self._place)}: can't be joined ({error}).") from None

    def put(self) -> None:
        """Put what is left to say. Raises OutputError."""
        self._since = time.monotonic()
        if self._unsaid:
            self._add(as_parquet(list(self._unsaid.values())))
            self._unsaid.clear()

    def _add(self, content: bytes, kind: str = "") -> None:
        name = f"{time.time():017.6f}-{secrets.token_hex(4)}{kind}{ENDING}"
        self._store.put(f"{self._place}/{name}", content, replace=True)

    def _read(self) -> None:
        for _ in range(TRIES):
            try:
                common = Common()
                for part in self._parts(f"{self._folder}/{PARTS}"):
                    content = self._store.fetch(part.path)
                    for row in rows_of(content, self._store.shown(part.path), self._names, common):
                        if row.name not in self.rows or row.said >= self.rows[row.name].said:
                            self.rows[row.name] = row
                return
            except StoreError as error:
                raise OutputError(f"{self._store.shown(self._folder)}: can't be listed ({error}).") from None
            except ImageError as error:  # another call has joined it meanwhile
                reason = error
        raise OutputError(f"{reason} The record can't be read.") from None

    def _parts(self, place: str) -> list[StoredFile]:
        return [file for file in self._store.tidied(place, recursive=True) if file.path.endswith(ENDING)]

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other call joins the same parts now."""
        path = f"{self._place}/{JOINING}"
        now = str(time.time()).encode()
        try:
            self._store.put(path, now)
        except FileExistsError:
            if not self._is_abandoned(path):
                yield False
                return
            self._store.put(path, now, replace=True)
        try:
            yield True
        finally:
            self._store.remove(path)

    def _is_abandoned(self, path: str) -> bool:
        try:
            return time.time() - float(self._store.fetch(path)) > ABANDONED_SECONDS
        except (ImageError, ValueError):
            return False

    def _join(self) -> None:
        """Of files that are full nothing is read: what is said in them of images that were made again, is outdated."""
        parts = [part for part in self._parts(self._place) if not part.path.endswith(FULL + ENDING)]
        if len(parts) < 2:
            return
        tables = (table_of(self._store.fetch(each.path), self._store.shown(each.path)) for each in parts)
        for joined in last_words(tables, ROWS_JOINED):
            self._add(packed(joined), FULL if joined.num_rows == ROWS_JOINED else "")
        for each in parts:
            self._store.remove(each.path)

    def _list_failed(self) -> None:
        """A table of what failed, of the call's images as far as the record knows them."""
        failed = [
            [row.image.input, row.image.error] for _, row in sorted(self.rows.items()) if row.image.status == "failed"
        ]
        name = FAILED + ("" if self._part == "all" else f".{self._part}") + ".csv"
        self._store.put(f"{self._folder}/{name}", csv_text([["image", "error"], *failed]).encode(), replace=True)
