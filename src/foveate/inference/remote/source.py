"""Addresses as items of a source: files, folders, patterns and lists in stores, each read in its turn."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import ImageError, UsageError
from foveate.imaging import ENDINGS, is_photograph_name
from foveate.inference.listing.lists import entries_of
from foveate.inference.listing.names import Placed, names_of_results
from foveate.inference.remote.address import PATTERN, is_address, local_or_address, shown
from foveate.inference.remote.faults import StoreError
from foveate.inference.remote.store import LONGEST_FILE, RemoteStore, StoredFile, store_key
from foveate.inference.source import FetchedItem, FileItem, SourceItem


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A file in a store."""

    store: RemoteStore
    path: str
    folder: str
    """Below which it has its name, as a path in the store."""
    name: str = ""
    """What a list calls its results."""
    facts: StoredFile | None = None
    """As the listing had them; None where there was none."""

    @property
    def placed(self) -> Placed:
        """By what may be said of it."""
        return Placed(self.store.shown(self.path), self.store.shown(self.folder), name=self.name)

    def look(self) -> tuple[int, str]:
        """As `Stored.look`."""
        try:
            facts = self.facts or self.store.look(self.path)
        except StoreError as error:
            raise ImageError(f"{self.store.shown(self.path)}: can't be read ({error}).") from None
        if facts is None:
            raise ImageError(f"{self.store.shown(self.path)}: is not there.")
        return facts.size, facts.version

    def fetch(self) -> bytes:
        """As `Stored.fetch`."""
        size, _ = self.look()
        if size > LONGEST_FILE:
            raise ImageError(
                f"{self.store.shown(self.path)}: has {size / 1e9:.1f} GB, and at most {LONGEST_FILE / 1e9:.0f} are read"
                " from an address. Bring it to a local disk."
            )
        return self.store.fetch(self.path)


def fetched_items(placed: Sequence[Placed], *, recursive: bool) -> list[SourceItem]:
    """An item for each file that the places mean, once. Raises UsageError for what isn't there or can't be listed."""
    stores: dict[tuple[str, str], RemoteStore] = {}
    meant: dict[str | Path, tuple[Placed, StoredImage | None]] = {}
    for each in placed:
        if isinstance(each.file, Path):
            meant.setdefault(each.file.resolve(), (each, None))
            continue
        store = stores.setdefault(store_key(each.file), RemoteStore(each.file))
        for found in _found(each, each.file, store, recursive):
            meant.setdefault(found.placed.file, (found.placed, found))
    names = names_of_results([each for each, _ in meant.values()])
    return [
        FileItem(Path(each.file), name) if found is None else FetchedItem(str(each.file), name, found)
        for (each, found), name in zip(meant.values(), names, strict=True)
    ]


def listed_at(table: str) -> list[Placed]:
    """What a list in a store names; paths count from its own folder there. Raises UsageError and DataError."""
    store = RemoteStore(table)
    try:
        entries = entries_of(shown(table), store.fetch(store.path_of(table)))
    except ImageError as error:
        raise UsageError(str(error)) from None
    files = [local_or_address(entry if is_address(entry) else _beside(table, entry)) for entry, _ in entries]
    return [
        Placed(file, file.parent if isinstance(file, Path) else "", name=name, listed=True)
        for file, (_, name) in zip(files, entries, strict=True)
    ]


def _beside(table: str, entry: str) -> str:
    """The address of a path that counts from a list's own folder, without dots in it."""
    beginning, _, rest = table.partition("://")
    authority, _, path = rest.partition("/")
    return f"{beginning}://{authority}{posixpath.normpath(posixpath.join('/', posixpath.dirname(path), entry))}"


def _found(placed: Placed, address: str, store: RemoteStore, recursive: bool) -> Iterator[StoredImage]:
    path = store.path_of(address)
    if placed.listed:
        yield StoredImage(store, path, _parent(path), placed.name)
        return
    try:
        yield from _looked_for(store, path, address, recursive)
    except StoreError as error:
        raise UsageError(f"{shown(address)}: can't be listed ({error}).") from None


def _looked_for(store: RemoteStore, path: str, address: str, recursive: bool) -> Iterator[StoredImage]:
    if "://" not in path and PATTERN.search(path):
        files = _images(store.matching(path))
        yield from (StoredImage(store, file.path, _parent(file.path), facts=file) for file in files)
        if not files:
            raise UsageError(f"{shown(address)}: no image matches it; check the name.")
        return
    if (file := store.look(path)) is not None:
        yield StoredImage(store, path, _parent(path), facts=file)
        return
    path = path.rstrip("/")
    files = _images(store.below(path, recursive=recursive))
    if not files:
        further = "" if recursive else "; --recursive takes those in sub-folders"
        endings = ", ".join(sorted(ENDINGS))
        raise UsageError(
            f"{shown(address)}: no such file, and no image in a folder of this name; looked for {endings}"
            f" and .dcm{further}."
        )
    for each in files:
        yield StoredImage(store, each.path, path if recursive else _parent(each.path), facts=each)


def _images(files: Iterable[StoredFile]) -> list[StoredFile]:
    return [file for file in files if is_photograph_name(file.path.rpartition("/")[2], dicom=True)]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
