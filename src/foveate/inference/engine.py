"""Many images from a source through a segmenter into a sink; a failure stops none of the others.

Two engines do the same with the same results. `serial` has one image at a time. `abreast` has several, each in a thread
of its own, and writes in another what is segmented: so all cores are busy also where the work on one image is not for
several. A large image has the network for itself, so that it needs no more memory.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, cast

from foveate.errors import FoveateError
from foveate.inference.segmentation import Segmentation
from foveate.inference.sink import BegunImage, Outcome, Sink, Written
from foveate.inference.source import SourceItem
from foveate.records import Photograph
from foveate.runtime import cores

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from foveate.imaging.large.photograph import LargePhotograph
    from foveate.imaging.nifti.volume import Volume
    from foveate.inference.large.result import LargeSegmentation
    from foveate.inference.nifti.result import VolumeSegmentation

    Read = Photograph | LargePhotograph | Volume
    Segmented = Segmentation | LargeSegmentation | VolumeSegmentation

Step = Callable[["Read"], "Segmented"]
"""A photograph to its segmentation: pure, and the same whatever else is going on. `large.step.BoundedStep`."""

Pass = Callable[[Step, Sequence[SourceItem], Sink], Iterator[tuple[SourceItem, Outcome | None]]]
"""An engine's way through the images, in order; without an outcome are those that others are making."""

WAIT_SECONDS = 0.2
"""How often a call that has nothing else to do looks whether others have made the images that they announced."""

LARGE = 1_500_000
"""Pixels of an image from which on no other is segmented beside it."""

MOST = 4
"""Images that are segmented at the same time where there are cores for more: each needs memory of its own."""


def run(
    step: Step,
    items: Sequence[SourceItem],
    sink: Sink,
    *,
    engine: Pass | None = None,
    threads: int = 0,
    on_wait: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """One outcome for each item, in order, and the sink closed at the end, also where the caller stops early.

    Without an `engine` several images are segmented at a time, by `threads` (0: one for each core).

    An image that another call is making is waited for at the end, and made here if that call was killed. `on_wait` is
    told how many there are. Raises OutputError where the sink can't say what it did.
    """
    one_pass = engine or (partial(abreast, threads=threads) if len(items) > 1 else serial)
    try:
        for _, outcome in until_done(step, items, sink, one_pass, on_wait=on_wait):
            yield outcome
    finally:
        sink.close()


def until_done(
    step: Step,
    items: Sequence[SourceItem],
    sink: Sink,
    one_pass: Pass,
    *,
    on_wait: Callable[[int], None] | None = None,
) -> Iterator[tuple[SourceItem, Outcome]]:
    """As `run`, with the item of each outcome and the sink left open."""
    left = items
    while left:
        busy = []
        for item, outcome in one_pass(step, left, sink):
            if outcome is None:
                busy.append(item)
            else:
                yield item, outcome
        if busy:
            if on_wait is not None:
                on_wait(len(busy))
            time.sleep(WAIT_SECONDS)
        left = busy


def serial(step: Step, items: Sequence[SourceItem], sink: Sink) -> Iterator[tuple[SourceItem, Outcome | None]]:
    """One image after the other."""
    for item in items:
        begun = sink.begin(item)
        yield item, sink.conclude(_made(step, begun, sink)) if isinstance(begun, BegunImage) else begun


def _made(step: Step, work: BegunImage, sink: Sink) -> Written:
    try:
        return sink.write(work, _segmented(step, work, _read(work)))
    except (FoveateError, MemoryError) as error:
        return sink.failed(work, error)


def _read(work: BegunImage) -> Read:
    started = time.perf_counter()
    photograph = work.item.read()
    work.seconds += time.perf_counter() - started
    return photograph


def _segmented(step: Step, work: BegunImage, photograph: Read) -> Segmented:
    started = time.perf_counter()
    result = step(photograph)
    work.seconds += time.perf_counter() - started
    return result


class NetworkPlaces:
    """An image takes one, a large one all of them. They are taken in turn, so that nobody waits for ever."""

    def __init__(self, count: int) -> None:
        self._count, self._free, self._turn = count, Semaphore(count), Lock()

    @contextmanager
    def taken(self, *, large: bool) -> Iterator[None]:
        """Those that an image needs, as long as it is inside."""
        count = self._count if large else 1
        with self._turn:
            for _ in range(count):
                self._free.acquire()
        try:
            yield
        finally:
            self._free.release(count)


class _Lanes:
    """The images between being begun and being concluded, in order: first those in the lanes, then those written."""

    def __init__(
        self, step: Step, sink: Sink, places: NetworkPlaces, segmenting: ThreadPoolExecutor, writing: ThreadPoolExecutor
    ) -> None:
        self._step, self._sink, self._places = step, sink, places
        self._segmenting, self._writing = segmenting, writing
        self._ahead: deque[tuple[SourceItem, tuple[BegunImage, Future[Read | Segmented]] | Outcome | None]] = deque()
        self._behind: deque[tuple[SourceItem, Future[Written] | Outcome | None]] = deque()

    def begin(self, item: SourceItem) -> int:
        """Ask the sink, and let a lane have the image; how many are ahead."""
        begun = self._sink.begin(item)
        state = (begun, self._segmenting.submit(self._in_lane, begun)) if isinstance(begun, BegunImage) else begun
        self._ahead.append((item, state))
        return len(self._ahead)

    def _in_lane(self, work: BegunImage) -> Read | Segmented:
        photograph = _read(work)
        if not isinstance(photograph, Photograph):
            return photograph
        with self._places.taken(large=photograph.pixels[..., 0].size >= LARGE):
            return _segmented(self._step, work, photograph)

    def written(self, most: int = 0) -> Iterator[tuple[SourceItem, Outcome | None]]:
        """Have images written, in order, until `most` are left ahead; what became of others meanwhile."""
        while len(self._ahead) > most:
            item, state = self._ahead.popleft()
            self._behind.append((item, self._write(*state) if isinstance(state, tuple) else state))
            yield from self.concluded(1)

    def _write(self, work: BegunImage, coming: Future[Read | Segmented]) -> Future[Written] | Outcome:
        try:
            result = coming.result()
            if isinstance(result, Segmentation):
                return self._writing.submit(self._sink.write, work, result)
            # Of a very large image reading and writing is the work, and is stopped where this thread is.
            photograph = cast("LargePhotograph", result)
            with self._places.taken(large=True):
                return self._sink.conclude(self._sink.write(work, _segmented(self._step, work, photograph)))
        except (FoveateError, MemoryError) as error:
            return self._sink.conclude(self._sink.failed(work, error))

    def concluded(self, most: int = 0) -> Iterator[tuple[SourceItem, Outcome | None]]:
        """What has become of images, in order, but for the last `most`, whose writing needn't be waited for."""
        while len(self._behind) > most:
            item, outcome = self._behind.popleft()
            if outcome is not None and not isinstance(outcome, Outcome):
                outcome = self._sink.conclude(outcome.result())
            yield item, outcome


def abreast(
    step: Step, items: Sequence[SourceItem], sink: Sink, *, threads: int = 0
) -> Iterator[tuple[SourceItem, Outcome | None]]:
    """As many images at a time as there are threads (0: cores), but for `MOST`; one thread more writes, in order."""
    from concurrent.futures import ThreadPoolExecutor

    count = min(MOST, threads or cores())
    with ThreadPoolExecutor(count, "segment") as segmenting, ThreadPoolExecutor(1, "write") as writing:
        lanes = _Lanes(step, sink, NetworkPlaces(count), segmenting, writing)
        try:
            for item in items:
                if lanes.begin(item) > count:
                    yield from lanes.written(count)
            yield from lanes.written()
            yield from lanes.concluded()
        finally:
            # Where the caller stops early, what was written is vouched for all the same.
            segmenting.shutdown(wait=False, cancel_futures=True)
            deque(lanes.concluded(), maxlen=0)
