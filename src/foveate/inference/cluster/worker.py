"""A process on a cluster: it opens the model once, then reads, segments and writes the images that it is sent.

It says of each image only what became of it. What can't go on, such as a full disk, it says, too, instead of ending, so
that the call can end with that sentence.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from foveate.errors import FoveateError, ImageError
from foveate.inference.cluster.call import ClusterCall
from foveate.inference.cluster.said import in_a_line
from foveate.inference.cluster.sent import Sent, received
from foveate.inference.engine import abreast, until_done
from foveate.inference.folder_sink import FolderSink
from foveate.inference.large.source import bounded
from foveate.inference.large.step import BoundedStep
from foveate.inference.sink import BegunImage, Outcome, Sink
from foveate.inference.source import SourceItem

if TYPE_CHECKING:
    from ray import ObjectRef

    from foveate.inference.remote.sink import RemoteSink
    from foveate.inference.remote.store import RemoteStore

FAULT = "a process on the cluster met an error that is foveate's own"


@dataclass(frozen=True, slots=True)
class Said:
    """What became of one image, or why nothing can."""

    number: int
    """Of the image in the call; -1 where it is of none."""
    outcome: Outcome | None = None
    part: str = ""
    """Of the folder's record, in which this stands."""
    stop: FoveateError | None = None
    """Ends the call."""
    cause: str = ""
    """The traceback of `stop`, where that can't be told in words for people."""


class Worker:
    """What `map_batches` has on a machine, once for each actor."""

    def __init__(self, told: ObjectRef[ClusterCall]) -> None:
        import ray

        self._stores: dict[str, RemoteStore] = {}
        self._stop: FoveateError | None = None
        try:
            self._call: ClusterCall = ray.get(told)
            self._call.enter()
            segmenter = self._call.segmenter()
            self._step = BoundedStep(segmenter, self._call.limits)
            self._sink: FolderSink | RemoteSink = _sink(self._call, segmenter)
        except FoveateError as error:
            self._stop = error

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        """A batch of rows `image`, each a number, what was sent of it, and a reason not to try it ('' to try it)."""
        rows: list[tuple[int, Sent, str]] = [pickle.loads(each) for each in batch["image"]]
        return {"said": [pickle.dumps(said) for said in self._all_said(rows)]}

    def _all_said(self, rows: Sequence[tuple[int, Sent, str]]) -> list[Said]:
        if self._stop is not None:
            return [Said(-1, stop=self._stop)]
        try:
            return [*self._given_up(rows), *self._made(rows)]
        except FoveateError as error:
            return [Said(-1, stop=error)]
        except Exception as error:  # for which Ray would drop the batch, and the reason
            return [Said(-1, stop=_fault(rows, error), cause=traceback.format_exc())]

    def _made(self, rows: Sequence[tuple[int, Sent, str]]) -> Iterator[Said]:
        left = [(number, item) for number, item, reason in rows if not reason]
        items = bounded(received([item for _, item in left], self._stores), self._call.limits)
        numbers = {id(item): number for (number, _), item in zip(left, items, strict=True)}
        one_pass = partial(abreast, threads=self._call.execution.threads)
        said = [
            self._said(numbers[id(item)], outcome)
            for item, outcome in until_done(self._step, items, self._sink, one_pass)
        ]
        self._vouch()
        yield from said

    def _given_up(self, rows: Sequence[tuple[int, Sent, str]]) -> Iterator[Said]:
        """Have the record say why images aren't tried again."""
        left = [(number, item, reason) for number, item, reason in rows if reason]
        items = received([item for _, item, _ in left], self._stores)
        for (number, _, reason), item in zip(left, items, strict=True):
            yield self._said(number, _refused(self._sink, item, reason))

    def _said(self, number: int, outcome: Outcome) -> Said:
        return Said(number, outcome, self._sink.part if isinstance(self._sink, FolderSink) else "")

    def _vouch(self) -> None:
        """Have the record say of what was made, before anybody hears of it: this process may be killed."""
        if not isinstance(self._sink, FolderSink):
            self._sink.put_record()


def _sink(call: ClusterCall, segmenter: Any) -> FolderSink | RemoteSink:
    if call.destination is None:
        return FolderSink(segmenter, call.wanted, call.inputs)
    from foveate.inference.remote.sink import RemoteSink

    there = call.destination
    return RemoteSink(segmenter, call.wanted, there.address, there.part, there.names, there.inputs)


def _fault(rows: Sequence[tuple[int, Sent, str]], error: Exception) -> FoveateError:
    """An error that nobody has foreseen, at one of these images."""
    first = rows[0][1].key
    image = first if len(rows) == 1 else f"{first} or one of the {len(rows) - 1} that were sent with it"
    return FoveateError(
        f"{image}: {FAULT} ({in_a_line(error)}). Segment these without --engine ray to find the image, and report it."
    )


def _refused(sink: Sink, item: SourceItem, reason: str) -> Outcome:
    begun = sink.begin(item)
    error = ImageError(f"{item.key}: {reason}")
    if isinstance(begun, BegunImage):
        return sink.conclude(sink.failed(begun, error))
    return begun or Outcome(item.key, {}, error=str(error))
