"""From the bytes of an image to its outputs, in threads. Small ones overtake large ones, and share the network."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import FoveateError, ImageError, UsageError
from foveate.imaging import encode_mask, encode_rgb, size_of
from foveate.inference.engine import LARGE, NetworkPlaces
from foveate.inference.segmentation import ExpectedF1, output_kinds
from foveate.inference.source import BytesItem
from foveate.service.problems import ServiceError, of_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from numpy.typing import NDArray

    from foveate.inference import Segmentation, Segmenter
    from foveate.runtime import Execution, Session
    from foveate.service.limits import ServiceLimits
    from foveate.service.places import Place
    from foveate.service.upload import Upload

    Value = TypeVar("Value")

SMALL_AT_A_TIME = 2
"""Of large images there is one at a time."""

LARGE_IN_NETWORK = 750_000
"""Pixels at the working size, from which on a network has one image alone: it takes a third of a kilobyte for each."""


@dataclass(frozen=True, slots=True)
class BoundedSession:
    """A session that several threads share; its memory is that of a large image, or of some small ones."""

    session: Session
    places: NetworkPlaces

    @property
    def execution(self) -> Execution:
        """What it runs by."""
        return self.session.execution

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `Session.run`."""
        with self.places.taken(large=batch[0, 0].size >= LARGE_IN_NETWORK):
            return self.session.run(batch)


def sharing(segmenters: list[Segmenter]) -> list[Segmenter]:
    """The same, all of which have no more than some small images, or a large one, in their networks."""
    places = NetworkPlaces(SMALL_AT_A_TIME)
    return [replace(each, session=BoundedSession(each.session, places)) for each in segmenters]


@dataclass(frozen=True, slots=True)
class WantedOutputs:
    """What is to be made of an image."""

    kinds: tuple[str, ...]
    """Of `Segmentation.png`."""
    fov: bool = False
    photograph: bool = False
    """As it was read, for who can't read its file: a browser and a TIFF."""
    expected_f1: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Made:
    """What became of an image: its outputs and what is said of them, or a problem."""

    upload: Upload
    problem: ServiceError | None = None
    width: int = 0
    height: int = 0
    sha256: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    """PNG, by kind."""
    areas: dict[str, float] = field(default_factory=dict)
    """By class: the mask's share of the FOV's pixels."""
    expected_f1: dict[str, ExpectedF1] = field(default_factory=dict)
    """By class; one whose mask is empty has none."""
    fov_diameter: float = 0.0
    fov_box: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Top, left, bottom, right."""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    """Of work, without waiting."""


def made(segmenter: Segmenter, upload: Upload, wanted: WantedOutputs) -> Made:
    """Decode, segment, encode. What is wrong with the image is the answer."""
    started = time.perf_counter()
    try:
        photograph = BytesItem(upload.content, upload.label, upload.label).read()
        result = segmenter.segment_photograph(photograph)
        files = {kind: result.png(kind) for kind in wanted.kinds}
        files |= {"fov": encode_mask(result.fov)} if wanted.fov else {}
        files |= {"photograph": encode_rgb(result.photograph.pixels)} if wanted.photograph else {}
        told = _told(result, upload, wanted)
    except FoveateError as error:
        return Made(upload, of_error(error))
    except MemoryError:
        return Made(upload, ServiceError("not_segmented", f"{upload.label}: there is not enough memory for it."))
    return replace(told, files=files, seconds=time.perf_counter() - started)


def _told(result: Segmentation, upload: Upload, wanted: WantedOutputs) -> Made:
    height, width = result.fov.shape
    rows, columns = np.flatnonzero(result.fov.any(axis=1)), np.flatnonzero(result.fov.any(axis=0))
    inside = max(1, int(np.count_nonzero(result.fov)))
    shares = [round(int(np.count_nonzero(mask)) / inside, 6) for mask in result.masks]
    return Made(
        upload,
        width=width,
        height=height,
        sha256=result.photograph.sha256,
        areas=dict(zip(result.classes.names, shares, strict=True)),
        expected_f1=result.expected_f1() if wanted.expected_f1 else {},
        fov_diameter=round(result.fov_diameter, 2),
        fov_box=(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1) if rows.size else (0, 0, 0, 0),
        notes=result.notes,
    )


def kinds_of(segmenter: Segmenter) -> list[str]:
    """All that `Segmentation.png` makes of this model's results."""
    return output_kinds(segmenter.card.told_apart, probabilities=True, overlay=True)


def is_large(content: bytes, label: str, limits: ServiceLimits) -> bool:
    """By the header. Raises ServiceError for an image with too many pixels, and for none."""
    try:
        width, height = size_of(content, 3 * limits.max_pixels + 4096)
    except ImageError as error:
        raise ServiceError("not_an_image", f"{label}: {error}") from error
    except UsageError as error:  # whose words are for who installs it
        raise ServiceError(
            "not_an_image", f"{label}: is of a kind that this service was installed without the means to read."
        ) from error
    if width * height > limits.max_pixels:
        raise ServiceError(
            "too_many_pixels",
            f"{label}: has {width}×{height} pixels, more than the {limits.max_pixels} that are taken.",
        )
    return width * height >= LARGE


class Lanes:
    """The threads that work: one looks at headers, two have small images, one has large ones."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits = limits
        self._headers = ThreadPoolExecutor(1, "header")
        self._small = ThreadPoolExecutor(SMALL_AT_A_TIME, "small")
        self._large = ThreadPoolExecutor(1, "large")

    async def made(self, segmenter: Segmenter, upload: Upload, wanted: WantedOutputs, place: Place) -> Made:
        """What becomes of an image; its request's place is kept as long as a thread is at it."""
        try:
            look = partial(is_large, upload.content, upload.label, self._limits)
            lane = self._large if await _in(self._headers, look, place) else self._small
        except ServiceError as problem:
            return Made(upload, problem)
        return await _in(lane, partial(made, segmenter, upload, wanted), place)

    def close(self) -> None:
        """Take on nothing more."""
        for lane in (self._headers, self._small, self._large):
            lane.shutdown(wait=False, cancel_futures=True)


async def _in(lane: ThreadPoolExecutor, work: Callable[[], Value], place: Place) -> Value:
    """The result. Whoever stops waiting takes work back that hasn't begun; what has, ends by itself."""
    loop = asyncio.get_running_loop()
    place.kept()

    def done(_: Future[Value]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(place.give_back)

    future = lane.submit(work)
    future.add_done_callback(done)
    return await asyncio.wrap_future(future)
