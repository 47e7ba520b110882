"""A photograph that is too large to be held: it is opened, and read some rows at a time, as often as it takes.

| form | how |
| --- | --- |
| TIFF and BigTIFF in tiles or strips | the chunks that hold the rows, in any compression that is read otherwise |
| the same with smaller versions (a pyramid) | where it is reduced, the smallest version that is large enough |
| anything else, up to the largest picture that is read as a whole | as a whole, then some rows at a time |
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foveate.errors import ImageError
from foveate.imaging.decoding.pillow import turned_note
from foveate.imaging.decoding.samples import COMPOSITED, MIN_SIDE
from foveate.imaging.decoding.tiff_pages import (
    Content,
    chain_of,
    composite_of,
    form_of,
    full_picture,
    smaller_pictures,
)
from foveate.imaging.large.content import opened
from foveate.imaging.large.rows import ArrayRows, Rows
from foveate.imaging.large.size import check_pixels, size_at
from foveate.imaging.large.tiff_layout import (
    SAMPLES,
    Layout,
    NotByRowsError,
    description_of,
    layout_of,
    value_of,
)
from foveate.imaging.large.tiff_rows import Scales, TiffRows, survey
from foveate.records import Photograph

_KEEPS_ROWS = (1, 2, 3, 4)
"""Orientations under which rows stay rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The image, or a smaller version of it."""

    height: int
    width: int
    open: Callable[[], AbstractContextManager[Rows]]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LargePhotograph:
    """What a `Photograph` is, without its pixels."""

    levels: tuple[Level, ...]
    """From the full size down."""
    source: str
    sha256: str
    """Of the file's bytes, as they were when it was opened."""
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Pixels, upright."""
        return self.levels[0].height

    @property
    def width(self) -> int:
        """Pixels, upright."""
        return self.levels[0].width

    def open(self) -> AbstractContextManager[Rows]:
        """The full size."""
        return self.levels[0].open()

    def at_least(self, scale: float) -> Level:
        """The smallest version that has `scale` times the pixels on each side, or more."""
        fitting = [
            level for level in self.levels if level.height >= scale * self.height and level.width >= scale * self.width
        ]
        return min(fitting or self.levels[:1], key=lambda level: level.width)

    def __repr__(self) -> str:
        return f"<LargePhotograph {self.source}, {self.height}×{self.width}>"


def in_memory(photograph: Photograph) -> LargePhotograph:
    """A photograph that was read as a whole."""
    height, width = photograph.pixels.shape[:2]

    @contextmanager
    def rows() -> Iterator[Rows]:
        yield ArrayRows(photograph.pixels)

    return LargePhotograph((Level(height, width, rows),), photograph.source, photograph.sha256, photograph.notes)


def open_tiff(source: Path | bytes, name: str, most: int) -> LargePhotograph:
    """A TIFF of at most so many pixels, from a file or its bytes; of several pages the first, or the one of which that
    is a thumbnail.

    Raises NotByRowsError where rows of it can't be had by themselves, and ImageError for what can't be read at all;
    neither names the file.
    """
    with opened(source) as file:
        with file.mapped() as content:
            start, notes = full_picture(content)
            check_pixels(*size_at(content, start), most)
            layout = layout_of(content, start, file.size)
            _check(content, start, layout)
            pages = len(chain_of(content, form_of(content)))
            smaller = _smaller(content, start, layout, file.size)
        rows = TiffRows(file, layout)
        scales, transparent = survey(rows)
        sha256 = _sha256(source)
    own = (
        *notes,
        *turned_note(layout.orientation),
        *((f"first of {pages} pages",) if pages > 1 and not smaller else ()),
        *(scales.colour.notes if scales.colour else ()),
        *((COMPOSITED,) if transparent else ()),
    )
    levels = (Level(each.height, each.width, partial(_tiff_rows, source, each, scales)) for each in (layout, *smaller))
    return LargePhotograph(tuple(levels), name, sha256, own)


@contextmanager
def _tiff_rows(source: Path | bytes, layout: Layout, scales: Scales) -> Iterator[Rows]:
    with opened(source) as file:
        yield TiffRows(file, layout, scales)


def _check(content: Content, start: int, layout: Layout) -> None:
    if layout.orientation not in _KEEPS_ROWS and layout.orientation in range(5, 9):
        raise NotByRowsError("its orientation tag turns it by a quarter")
    if composite_of(description_of(content, start), value_of(layout, SAMPLES, 1)) is not None:
        raise NotByRowsError("its channels are pages of their own")


def _smaller(content: Content, start: int, layout: Layout, size: int) -> list[Layout]:
    """The versions of a pyramid that can be used, from the largest: of the same meaning and shape."""
    found = []
    for place in smaller_pictures(content, start)[:_MOST_LEVELS]:
        try:
            level = layout_of(content, place, size)
        except ImageError:  # the full size is there
            continue
        down, across = layout.height / level.height, layout.width / level.width
        same = all(level.meaning.get(tag) == layout.meaning.get(tag) for tag in _SAME)
        # Each step of a pyramid may round its sides, so that the shapes agree to a pixel of the level.
        if (
            same
            and down > 1
            and abs(layout.height - level.height * across) <= across
            and min(level.height, level.width) >= MIN_SIDE
        ):
            found.append(level)
    return sorted(found, key=lambda level: -level.width)


_MOST_LEVELS = 32
_SAME = (258, 262, 277, 339)
"""Tags that a smaller version shares: bits, photometric interpretation, samples, their format."""


def _sha256(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
