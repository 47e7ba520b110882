"""The end of a call on a cluster: the parts that its processes kept become one record."""

from __future__ import annotations

import time
from collections.abc import Collection

from foveate.errors import FoveateError
from foveate.inference.cluster.work import Work
from foveate.inference.shared_record import SharedRecord

LEAVING_SECONDS = 60.0
"""For which processes that are ending are waited for: their parts can be removed then."""


def joined(work: Work, parts: Collection[str]) -> FoveateError | None:
    """Join the record, of a folder with these parts of it; what can't be done, as an error that isn't raised.

    It is done on a machine of the cluster, so that the call itself never holds the whole record.
    """
    try:
        if work.place is None:
            _in_folder(work, parts)
        else:
            _at_address(work)
    except FoveateError as error:
        return error
    return None


def _in_folder(work: Work, parts: Collection[str]) -> None:
    work.enter()
    record, until = SharedRecord(work.wanted.folder), time.monotonic() + LEAVING_SECONDS
    while not all(map(record.is_left, parts)) and time.monotonic() < until:
        time.sleep(0.05)
    record.refresh()
    record.close()


def _at_address(work: Work) -> None:
    from foveate.inference.remote.record import RemoteRecord
    from foveate.inference.remote.store import RemoteStore

    if work.place is not None:
        store = RemoteStore(work.place.address)
        folder = store.path_of(work.place.address).rstrip("/")
        RemoteRecord(store, folder, work.place.part, work.place.names).close()
