"""Images as they are sent to other machines: where each lies, without its pixels and without what signs in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from foveate.errors import UsageError
from foveate.inference.remote.address import shown
from foveate.inference.remote.source import StoredImage
from foveate.inference.remote.store import RemoteStore, StoredFile
from foveate.inference.source import FetchedItem, FileItem, SourceItem


@dataclass(frozen=True, slots=True)
class SentObject:
    """A file in a store, which another process opens for itself."""

    key: str
    name: str
    store: str
    """Any address in it."""
    path: str
    """In the store's own words."""
    facts: StoredFile | None
    """As the listing had them."""


Sent = FileItem | SentObject
"""What is sent of an image, some hundred bytes."""


def sent(item: SourceItem) -> Sent:
    """What is sent of an image. Raises UsageError for what isn't a file of its own, or needs a secret to be read."""
    if type(item) is FileItem:
        return item
    if isinstance(item, FetchedItem) and isinstance(item.stored, StoredImage):
        stored = item.stored
        refuse_secrets(stored.store.address)
        return SentObject(item.key, item.name, stored.store.address, stored.path, stored.facts)
    raise UsageError(
        f"{item.key}: --engine ray takes images that are a file each. Leave out --engine for series of DICOM files,"
        " volumes, DICOMweb, and sources of your own."
    )


def received(items: Sequence[Sent], stores: dict[str, RemoteStore]) -> list[SourceItem]:
    """The images again; `stores` are those that this process has opened, by address, and gets those it opens now."""
    return [item if isinstance(item, FileItem) else _opened(item, stores) for item in items]


def _opened(item: SentObject, stores: dict[str, RemoteStore]) -> FetchedItem:
    # An address in a store stands for all of it, so that one connection does.
    store = stores.get(item.store)
    if store is None:
        store = stores[item.store] = RemoteStore(item.store)
    return FetchedItem(item.key, item.name, StoredImage(store, item.path, "", facts=item.facts))


def refuse_secrets(address: str) -> None:
    """Raise UsageError for an address that signs in by itself: it would be sent through the cluster."""
    parts = urlsplit(address, allow_fragments=False)
    if parts.password is not None or "=" in parts.query:
        raise UsageError(
            f"{shown(address)}: its password or signature isn't sent to other machines. Give them credentials where"
            " each library looks for them, and leave these out of the address."
        )
