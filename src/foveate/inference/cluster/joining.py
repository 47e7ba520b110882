"""The end of a call on a cluster: the parts that its processes kept become one record."""

from __future__ import annotations

import time
from collections.abc import Collection

from foveate.errors import FoveateError
from foveate.inference.cluster.call import ClusterCall
from foveate.inference.shared_record import SharedRecord

LEAVING_SECONDS = 60.0
"""For which processes that are ending are waited for: their parts can be removed then."""


def joined(call: ClusterCall, parts: Collection[str]) -> FoveateError | None:
    """Join the record, of a folder with these parts of it; what can't be done, as an error that isn't raised.

    It is done on a machine of the cluster, so that the call itself never holds the whole record.
    """
    try:
        if call.destination is None:
            _in_folder(call, parts)
        else:
            _at_address(call)
    except FoveateError as error:
        return error
    return None


def _in_folder(call: ClusterCall, parts: Collection[str]) -> None:
    call.enter()
    record, until = SharedRecord(call.wanted.folder), time.monotonic() + LEAVING_SECONDS
    while not all(map(record.is_left, parts)) and time.monotonic() < until:
        time.sleep(0.05)
    record.refresh()
    record.close()


def _at_address(call: ClusterCall) -> None:
    from foveate.inference.remote.record import RemoteRecord
    from foveate.inference.remote.store import RemoteStore

    if call.destination is not None:
        store = RemoteStore(call.destination.address)
        folder = store.path_of(call.destination.address).rstrip("/")
        RemoteRecord(store, folder, call.destination.part, call.destination.names).close()
