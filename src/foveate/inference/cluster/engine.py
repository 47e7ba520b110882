"""Many images through the processes of a Ray cluster; the call lists them, hears what became of each, and no more.

Ray Data gives batches of images to a pool of actors that grows and shrinks with the work, restarts one that dies, and
gives its batch to another. An image at which actors keep dying is told apart by passes: what the first left is tried
alone, and what is left then gets a reason in the record.
"""

from __future__ import annotations

import gc
import logging
import math
import pickle
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from foveate.errors import ServerError
from foveate.inference.cluster.call import ClusterCall
from foveate.inference.cluster.connection import Cluster, connected
from foveate.inference.cluster.joining import joined
from foveate.inference.cluster.said import in_a_line
from foveate.inference.cluster.sent import Sent
from foveate.inference.cluster.worker import Said, Worker
from foveate.inference.sink import Outcome
from foveate.runtime import Execution

if TYPE_CHECKING:
    from ray import ObjectRef
    from ray.data import Dataset

LARGEST_BATCH = 64
"""Images of which a killed process may have to look at again."""

BATCHES_EACH = 8
"""For each session at least, so that all are busy until the end."""

RETRIES = 3
"""How often a batch is given to another process, where one dies."""

GIVEN_UP = f"the process that was at it ended, in each of {RETRIES + 1} tries; there may be too little memory for it"


def run_on_cluster(
    items: Sequence[Sent],
    call: ClusterCall,
    *,
    address: str | None = None,
    on_start: Callable[[Cluster], None] | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """What became of each image, with its number in `items`, as they come.

    Raises UsageError and ServerError where the cluster can't be used or is lost, and what ends a call by itself, such
    as OutputError where the record can't be written. Whoever repeats the call after that does only what is left.
    """
    import ray

    execution = call.execution
    with connected(address, execution.threads, gpu=execution.device == "cuda") as cluster, _plain_errors():
        if on_start is not None:
            on_start(cluster)
        told, parts = ray.put(call), set[str]()
        del call  # which holds the paths of all images once more
        try:
            yield from _in_passes(items, told, cluster, execution, parts)
        finally:
            gc.collect()
            error = ray.get(ray.remote(num_cpus=0)(joined).remote(told, parts))
        if error is not None:
            raise error


def _in_passes(
    items: Sequence[Sent], told: ObjectRef[ClusterCall], cluster: Cluster, execution: Execution, parts: set[str]
) -> Iterator[tuple[int, Outcome]]:
    left = dict.fromkeys(range(len(items)))
    batch = min(LARGEST_BATCH, math.ceil(len(items) / (BATCHES_EACH * cluster.sessions)))
    for size, waiting, reason in ((batch, None, ""), (1, 1, ""), (batch, None, GIVEN_UP)):
        rows = ({"image": pickle.dumps((number, items[number], reason))} for number in list(left))
        for said in _streamed(rows, max(1, size), waiting, told, cluster, execution) if left else ():
            if said.stop is not None:
                raise said.stop from (RuntimeError(said.cause) if said.cause else None)
            if said.outcome is not None and said.number in left:
                del left[said.number]
                parts.add(said.part)
                yield said.number, said.outcome


def _streamed(
    rows: Iterable[dict[str, bytes]],
    size: int,
    waiting: int | None,
    told: ObjectRef[ClusterCall],
    cluster: Cluster,
    execution: Execution,
) -> Iterator[Said]:
    """What processes say of rows, of which each gets `size` at a time; batches `waiting` at one would die with it."""
    import ray.data

    listed = list(rows)
    batches = math.ceil(len(listed) / size)
    images = ray.data.from_items(listed, override_num_blocks=batches)
    del listed
    said = _mapped(images, told, batches, waiting, cluster, execution)
    for row in said.iter_rows():
        yield pickle.loads(row["said"])


def _mapped(
    images: Dataset,
    told: ObjectRef[ClusterCall],
    batches: int,
    waiting: int | None,
    cluster: Cluster,
    execution: Execution,
) -> Dataset:
    from ray.data import ActorPoolStrategy

    first = max(1, min(batches, cluster.sessions))
    with warnings.catch_warnings():
        # Of Ray 2.60, which has no other way to bound retries.
        warnings.filterwarnings("ignore", message="`ray_remote_args` is deprecated")
        return images.map_batches(
            Worker,
            fn_constructor_args=(told,),
            batch_size=None,
            compute=ActorPoolStrategy(
                min_size=1, initial_size=first, max_size=batches, max_tasks_in_flight_per_actor=waiting
            ),
            num_cpus=execution.threads,
            num_gpus=1 if execution.device == "cuda" else None,
            max_restarts=-1,
            max_task_retries=RETRIES,
        )


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Ray Data without progress bars, log lines, and an end at the first batch that is lost; its errors in a line."""
    import ray
    from ray.data import DataContext

    context, log = DataContext.get_current(), logging.getLogger("ray.data")
    settings: dict[str, Any] = {"enable_progress_bars": False, "max_errored_blocks": -1}
    standing, level = {name: getattr(context, name) for name in settings}, log.level
    try:
        log.setLevel(logging.CRITICAL + 1)
        for name, value in settings.items():
            setattr(context, name, value)
        yield
    except ray.exceptions.RayError as error:
        raise ServerError(f"the Ray cluster was lost, or can't work ({in_a_line(error)}). Repeat the call.") from error
    finally:
        log.setLevel(level)
        for name, value in standing.items():
            setattr(context, name, value)
