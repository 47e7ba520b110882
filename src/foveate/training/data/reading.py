"""A run's images: brought to the network as the recipe says, read on several cores, kept where there's room."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from foveate.arrays.fov import FieldOfView
from foveate.arrays.prepare import Preparation, prepare_mask
from foveate.errors import DataError
from foveate.records import Case, CaseEntry
from foveate.training.data.cache import Cache, Prepared, key_of
from foveate.training.run.progress import OnRead
from foveate.training.run.provenance import versions


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """The validation cases of one data set, with the FOV found in each."""

    name: str
    cases: Iterable[tuple[Case, FieldOfView]]
    """In memory, or read again each time that they are gone through."""


def looked_at(entry: CaseEntry, preparation: Preparation) -> tuple[Case, FieldOfView]:
    """Read a case, without a second observer's masks, and find its FOV. Raises DataError for an image without one."""
    case = replace(entry.load(), second_masks=None)
    fov = preparation.view(case.image)
    if not fov.diameter:
        raise DataError(f"{case.id}: {fov.note}. Take it out of the training part.")
    return case, fov


def prepared(entry: CaseEntry, preparation: Preparation) -> Tensor:
    """What training draws its crops from: (C + K + 1)×H×W uint8 as in `sampling.py`. Raises DataError likewise."""
    return planes(*looked_at(entry, preparation), preparation)


def planes(case: Case, fov: FieldOfView, preparation: Preparation) -> Tensor:
    """The same of a case that was read."""
    frame = preparation.frame(fov)
    counted = fov if case.fov is None else FieldOfView.of_mask(case.fov & fov.mask)
    truth = [np.round(255 * prepare_mask(mask, frame)).astype(np.uint8) for mask in (*case.masks, counted.mask)]
    pixels = preparation.pixels(case.image, fov, frame).transpose(2, 0, 1)
    return torch.from_numpy(np.concatenate((pixels, np.stack(truth))))


Given = TypeVar("Given")
Found = TypeVar("Found")
Looked = tuple[Case, FieldOfView]


MOST_THREADS = 8
"""Each holds an image of its own, of up to a gigabyte while a large one is prepared."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Cases that are read each time they are gone through, as they are too many to keep."""

    entries: Sequence[CaseEntry]
    preparation: Preparation

    def __iter__(self) -> Iterator[Looked]:
        return in_order(lambda entry: looked_at(entry, self.preparation), self.entries)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the sets of a run, first all that is learnt from, and tells how far it is."""

    preparation: Preparation
    cache: Cache
    total: int
    """Images."""
    on_read: OnRead
    contents: list[dict[str, str]]
    """Of each set, `Case.content` by the ids of its cases; filled by reading."""

    def training(self, sets: Sequence[Sequence[CaseEntry]]) -> tuple[list[tuple[Tensor, ...]], str]:
        """The prepared cases of every set, and a sentence on where they are. Raises DataError and OutputError."""
        entries = [entry for one_set in sets for entry in one_set]
        key = key_of(entries, self.preparation, versions())
        cases = self.cache.find(key)
        if cases is None:
            cases = self.cache.keep(self._told(in_order(self._prepared, entries), 0), key)
        where = self.cache.file.name if self.cache.find(key) else "memory"
        inside = f"prepared training images: {_size(sum(case.nbytes for _, case in cases))} in {where}"
        self._note(sets, [content for content, _ in cases])
        coming = (case for _, case in cases)
        return [tuple(islice(coming, len(one_set))) for one_set in sets], inside

    def validation(self, sets: Sequence[Sequence[CaseEntry]]) -> tuple[list[Iterable[Looked]], str]:
        """The cases of every set, in memory or to be read again, and a sentence on that. Raises DataError."""
        entries, room = [entry for one_set in sets for entry in one_set], self.cache.room()
        held, size, contents = list[Looked](), 0, list[str]()
        again = ReadAgain(entries, self.preparation)
        for case, fov in self._told(iter(again), self.total - len(entries)):
            contents.append(case.content)
            size += sum(array.nbytes for array in (case.image, case.masks, case.fov, fov.mask) if array is not None)
            # All of them are looked at, so that a bad one ends the run before it begins.
            if size <= room:
                held.append((case, fov))
        self._note(sets, contents)
        if size > room:
            return [ReadAgain(one_set, self.preparation) for one_set in sets], (
                f"validation images: {_size(size)}, read again for every validation"
            )
        coming = iter(held)
        return [tuple(islice(coming, len(one_set))) for one_set in sets], f"validation images: {_size(size)} in memory"

    def _prepared(self, entry: CaseEntry) -> Prepared:
        case, fov = looked_at(entry, self.preparation)
        return case.content, planes(case, fov, self.preparation)

    def _note(self, sets: Sequence[Sequence[CaseEntry]], contents: Iterable[str]) -> None:
        coming = iter(contents)
        for one_set, noted in zip(sets, self.contents, strict=True):
            noted.update(zip((entry.id for entry in one_set), coming, strict=False))

    def _told(self, cases: Iterable[Found], before: int) -> Iterator[Found]:
        for number, case in enumerate(cases, before + 1):
            self.on_read(number, self.total)
            yield case


def in_order(work: Callable[[Given], Found], items: Iterable[Given]) -> Generator[Found]:
    """`work` of every item on as many threads as there are cores; few of them are done ahead of being asked for."""
    threads = min(os.cpu_count() or 1, MOST_THREADS)
    pool, waiting = ThreadPoolExecutor(threads), deque[Future[Found]]()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(1, round(number / 1e6))} MB"
