"""Many images from a source through a segmenter into a sink; a failure stops none of the others.

Two engines do the same with the same results. `serial` has one image at a time. `overlapped` reads the next image and
writes the last one while the network runs; where an image is large, it waits, so that it needs no more memory.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from foveate.errors import FoveateError
from foveate.imaging.large import LargePhotograph
from foveate.inference.large.result import LargeSegmentation
from foveate.inference.segmentation import Segmentation
from foveate.inference.sink import BegunImage, Outcome, Sink, Written
from foveate.inference.source import SourceItem
from foveate.records import Photograph

if TYPE_CHECKING:
    from foveate.imaging.nifti.volume import Volume
    from foveate.inference.nifti.result import VolumeSegmentation

Read: TypeAlias = "Photograph | LargePhotograph | Volume"
Segmented: TypeAlias = "Segmentation | LargeSegmentation | VolumeSegmentation"

Step = Callable[[Read], Segmented]
"""A photograph to its segmentation: pure, and the same whatever else is going on. `large.step.BoundedStep`."""

Pass = Callable[[Step, Sequence[SourceItem], Sink], Iterator[tuple[SourceItem, Outcome | None]]]
"""An engine's way through the images, in order; without an outcome are those that others are making."""

WAIT_SECONDS = 0.2
"""How often a call that has nothing else to do looks whether others have made the images that they announced."""

LARGE = 4_000_000
"""Pixels of an image from which on nothing else is done beside it."""


def run(
    step: Step,
    items: Sequence[SourceItem],
    sink: Sink,
    *,
    engine: Pass | None = None,
    on_wait: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """One outcome for each item, as they come, and the sink closed at the end, also where the caller stops early.

    An image that another call is making is waited for at the end, and made here if that call was killed. `on_wait` is
    told how many there are. Raises OutputError where the sink can't say what it did.
    """
    one_pass = engine or (overlapped if len(items) > 1 else serial)
    try:
        left = items
        while left:
            busy = []
            for item, outcome in one_pass(step, left, sink):
                if outcome is None:
                    busy.append(item)
                else:
                    yield outcome
            if busy:
                if on_wait is not None:
                    on_wait(len(busy))
                time.sleep(WAIT_SECONDS)
            left = busy
    finally:
        sink.close()


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


@dataclass(slots=True)
class _Ahead:
    """An image that is being read, where there is anything to make of it."""

    item: SourceItem
    begun: BegunImage | Outcome | None
    photograph: Future[Read] | None


class _Overlap:
    """The images between being begun and being concluded: one that is read, one in the network, one that is written."""

    def __init__(self, step: Step, sink: Sink, reading: ThreadPoolExecutor, writing: ThreadPoolExecutor) -> None:
        self._step, self._sink, self._reading, self._writing = step, sink, reading, writing
        self._behind: deque[tuple[SourceItem, Future[Written] | Outcome | None]] = deque()

    def begin(self, item: SourceItem) -> _Ahead:
        """Ask the sink, and begin to read."""
        begun = self._sink.begin(item)
        return _Ahead(item, begun, self._reading.submit(_read, begun) if isinstance(begun, BegunImage) else None)

    def photograph(self, ahead: _Ahead) -> Read | None:
        """What was read; None where that failed, or nothing is to be made."""
        if not isinstance(ahead.begun, BegunImage) or ahead.photograph is None:
            self._behind.append((ahead.item, None if isinstance(ahead.begun, BegunImage) else ahead.begun))
            return None
        try:
            return ahead.photograph.result()
        except (FoveateError, MemoryError) as error:
            self._fail(ahead.item, ahead.begun, error)
            return None
        finally:
            ahead.photograph = None

    def segment(self, item: SourceItem, work: BegunImage, photograph: Read) -> None:
        """Run the network, and begin to write."""
        try:
            result = _segmented(self._step, work, photograph)
        except (FoveateError, MemoryError) as error:
            self._fail(item, work, error)
            return
        if not isinstance(result, Segmentation):  # writing it is the work, and is stopped where work is
            self._behind.append((item, self._sink.conclude(self._sink.write(work, result))))
        else:
            self._behind.append((item, self._writing.submit(self._sink.write, work, result)))

    def _fail(self, item: SourceItem, work: BegunImage, error: FoveateError | MemoryError) -> None:
        self._behind.append((item, self._sink.conclude(self._sink.failed(work, error))))

    def concluded(self, most: int = 0) -> Iterator[tuple[SourceItem, Outcome | None]]:
        """What has become of images, in order, but for the last `most`, whose writing needn't be waited for."""
        while len(self._behind) > most:
            item, outcome = self._behind.popleft()
            yield item, self._sink.conclude(outcome.result()) if isinstance(outcome, Future) else outcome


def overlapped(step: Step, items: Sequence[SourceItem], sink: Sink) -> Iterator[tuple[SourceItem, Outcome | None]]:
    """The network has the calling thread; a second one reads, a third one writes, each an image at a time."""
    with ThreadPoolExecutor(1, "read") as reading, ThreadPoolExecutor(1, "write") as writing:
        overlap = _Overlap(step, sink, reading, writing)
        coming = iter(items)
        ahead = next(map(overlap.begin, coming), None)
        try:
            while ahead is not None:
                now, photograph, large = ahead, overlap.photograph(ahead), False
                if photograph is not None and isinstance(now.begun, BegunImage):
                    large = not isinstance(photograph, Photograph) or photograph.pixels[..., 0].size >= LARGE
                    if large:
                        yield from overlap.concluded()
                    else:
                        ahead = next(map(overlap.begin, coming), None)
                    overlap.segment(now.item, now.begun, photograph)
                del photograph
                yield from overlap.concluded(0 if large else 1)
                if ahead is now:
                    ahead = next(map(overlap.begin, coming), None)
            yield from overlap.concluded()
        finally:
            # Where the caller stops early, what was written is vouched for all the same.
            deque(overlap.concluded(), maxlen=0)
