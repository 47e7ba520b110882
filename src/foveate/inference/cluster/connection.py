"""The Ray cluster of a call: that of an address, or one on this machine that begins and ends with the call."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from foveate.errors import ServerError, UsageError
from foveate.inference.engine import cores

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
"""What only the environment can tell Ray, and what its processes inherit: no reports of its use to its makers, and no
lines in C++'s words. What the user has set, stays."""

HERE = ("localhost", "127.0.0.1", "[::1]")
"""For which Ray takes the address that other machines know this one by."""

CONNECT_SECONDS = 30.0

STORE_BYTES = 512 * 2**20
"""Of shared memory for a cluster of one call: rows, and the model's bytes; it is taken as it is needed."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is there."""

    machines: int
    cores: float
    gpus: float
    sessions: int
    """That have place at the same time."""
    dashboard: str
    """Its address; empty where there is none."""

    def __str__(self) -> str:
        said = f"Ray: {self.machines} machine{'s' * (self.machines > 1)}, {self.cores:g} cores"
        said += f", {self.gpus:g} GPUs" if self.gpus else ""
        said += f"; at most {self.sessions} sessions at a time"
        return said + (f"; dashboard http://{self.dashboard}" if self.dashboard else "")


@contextmanager
def connected(address: str | None, each: float, *, gpu: bool) -> Iterator[Cluster]:
    """The cluster, as long as it is used, for sessions that have `each` so many cores, and a GPU where that is said.

    A connection that the program has already is used, and left open. Raises UsageError for an address that can't be
    used and a cluster without place for a session, ServerError where none answers.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    own = not ray.is_initialized()
    if own:
        _begin(address, each)
    try:
        yield _looked_at(each, gpu=gpu)
    finally:
        if own:
            ray.shutdown()


def _begin(address: str | None, each: float) -> None:
    import ray

    if address is not None and address.startswith("ray://"):
        raise UsageError(
            f"--address {address}: Ray Data doesn't go through Ray's client. Start the call on a machine of the cluster"
            " with --address auto, or send it there by `ray job submit`."
        )
    if address is not None:
        _refuse_silence(address)
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    standing = signal.getsignal(signal.SIGTERM)
    try:
        if address is None:
            count = max(cores(), round(each))
            ray.init("local", num_cpus=count, object_store_memory=STORE_BYTES, include_dashboard=False, **quiet)
        else:
            ray.init(address, **quiet)
    except (Exception, SystemExit) as error:  # which Ray raises where a process of its own doesn't begin in time
        reason = str(error).partition("\n")[0]
        if address is None:
            raise ServerError(f"--engine ray: no cluster could be started on this machine ({reason})") from error
        raise ServerError(f"--address {address}: no Ray cluster answers there ({reason}).") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, standing)  # Ray sets its own


def _refuse_silence(address: str) -> None:
    """Raise ServerError where nobody listens: Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if not port.isdigit() or host in HERE:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ServerError(f"--address {address}: no Ray cluster answers there ({error}).") from error


def _looked_at(each: float, *, gpu: bool) -> Cluster:
    import ray

    known: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = [node["Resources"] for node in known if node["Alive"]]
    places = [int(node.get("CPU", 0) // each) for node in nodes]
    if gpu:
        places = [min(place, int(node.get("GPU", 0))) for place, node in zip(places, nodes, strict=True)]
    count = {name: sum(node.get(name, 0) for node in nodes) for name in ("CPU", "GPU")}
    if not sum(places):
        needed = f"{each:g} cores" + (" and a GPU" if gpu else "")
        raise UsageError(
            f"--engine ray: no machine of the cluster has {needed}, which a session needs; lower --threads, or have a"
            " larger machine join."
        )
    dashboard = ray.get_dashboard_url() if hasattr(ray, "get_dashboard_url") else ""
    return Cluster(len(nodes), count["CPU"], count["GPU"], sum(places), dashboard or "")
