"""Any item of a source, looked at before it is read: what is too large is opened instead."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import FoveateError, ImageError
from foveate.imaging.decoding import is_tiff, size_in_header
from foveate.imaging.large.content import opened
from foveate.imaging.large.size import check_pixels, size_in_tiff
from foveate.inference.large.limits import BIGTIFF_FROM, Limits
from foveate.inference.source import BytesItem, FetchedItem, FileItem, SourceItem
from foveate.records import Photograph

if TYPE_CHECKING:
    from foveate.imaging.large.photograph import LargePhotograph
    from foveate.imaging.nifti.volume import Volume

MAY_BE_LARGE = 100_000
"""Bytes: smaller files hold no pixels to speak of, whatever they claim, and aren't looked at twice."""


@dataclass(frozen=True, slots=True)
class BoundedItem:
    """A `SourceItem` with limits."""

    item: SourceItem
    limits: Limits

    @property
    def key(self) -> str:
        """The item's."""
        return self.item.key

    @property
    def name(self) -> str:
        """The item's."""
        return self.item.name

    @property
    def place(self) -> Path | None:
        """The item's."""
        return self.item.place

    def sha256(self) -> str:
        """The item's."""
        return self.item.sha256()

    def size(self) -> int:
        """The item's."""
        return self.item.size()

    @property
    def options(self) -> str:
        """How a volume is taken apart, in words; empty for images."""
        own: str = getattr(self.item, "options", "")
        return own

    @property
    def ending(self) -> str:
        """Of its results: a volume's own; of images beyond 100 megapixels they are tiled TIFFs, as far as the file says
        how large it is."""
        own: str = getattr(self.item, "ending", "")
        if own:
            return own
        return ".tif" if self._pixels() > BIGTIFF_FROM else ".png"

    def read(self) -> Photograph | LargePhotograph | Volume:
        """The photograph; opened only where it is too large to be held. Raises as the item does."""
        if isinstance(self.item, FetchedItem):
            return self._fetched(self.item)
        pixels = self._pixels()
        with self._named():
            large, reason = self._opened() if pixels > self.limits.whole_pixels else (None, "")
            if large is not None:
                return large
            most = self.limits.decoded_pixels
            if most is not None and pixels > most:
                raise ImageError(
                    f"has {pixels / 1e6:.0f} megapixels and must be decoded as a whole ({reason}), for which"
                    f" --max-memory allows {most / 1e6:.0f}. Raise it, or save the image as a TIFF in tiles"
                )
        photograph = self.item.read()
        if not isinstance(photograph, Photograph):
            return self._checked(photograph)
        height, width = photograph.pixels.shape[:2]
        with self._named():
            check_pixels(height, width, self.limits.pixels)
        if height * width <= self.limits.whole_pixels:
            return photograph
        from foveate.imaging.large.photograph import in_memory

        return in_memory(photograph)

    def _opened(self) -> tuple[LargePhotograph | None, str]:
        """A TIFF whose rows can be had by themselves; else None and why that can't be."""
        from foveate.imaging.large.photograph import open_tiff
        from foveate.imaging.large.tiff_layout import NotByRowsError

        tiff = self._tiff()
        if tiff is None:
            return None, "it is no TIFF"
        try:
            return open_tiff(tiff, self.key, self.limits.pixels), ""
        except NotByRowsError as error:
            return None, str(error)

    def _fetched(self, item: FetchedItem) -> Photograph | LargePhotograph | Volume:
        """What has been given its results' ending before it was looked at is no larger than that ending allows."""
        content = BoundedItem(item.fetched(), self.limits)
        if content.ending != self.ending:
            raise ImageError(
                f"{self.key}: has more than {BIGTIFF_FROM / 1e6:.0f} megapixels, which are read from local files only."
                " Bring it to a local disk."
            )
        return content.read()

    def _checked(self, opened: LargePhotograph | Volume) -> LargePhotograph | Volume:
        """Raise ImageError for a volume of whose slices one can't be held as a whole."""
        from foveate.imaging.large.photograph import LargePhotograph

        if isinstance(opened, LargePhotograph):
            return opened
        _, rows, columns = opened.size
        pixels = rows * columns
        if pixels > min(self.limits.whole_pixels, self.limits.pixels):
            raise ImageError(
                f"{self.key}: each slice has {pixels / 1e6:.0f} megapixels, for which --max-memory and --max-megapixels"
                " don't allow. Raise them, or reduce the volume."
            )
        return opened

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except ImageError as error:
            raise ImageError(f"{self.key}: {error}") from error

    def _content(self) -> Path | bytes | None:
        """The file or the bytes; None for another kind of item, for small ones, and what reading can't find."""
        if isinstance(self.item, FetchedItem) or self.item.size() < MAY_BE_LARGE:
            return None
        if isinstance(self.item, BytesItem):
            return self.item.content
        return self.item.path if isinstance(self.item, FileItem) and self.item.path.is_file() else None

    def _tiff(self) -> Path | bytes | None:
        content = self._content()
        if content is None:
            return None
        with opened(content) as file:
            return content if is_tiff(file.piece(0, 8)) else None

    def _pixels(self) -> int:
        """As the file's header says; 0 where that can't be known, which reading then reports."""
        try:
            if (tiff := self._tiff()) is not None:
                height, width = size_in_tiff(tiff)
                return height * width
            content = self._content()
            if content is None:
                return 0
            with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
                height, width = size_in_header(file) or (0, 0)
                return height * width
        except (FoveateError, OSError, ValueError):
            return 0


def bounded(items: Sequence[SourceItem], limits: Limits) -> list[SourceItem]:
    """The items, none of which brings more than the limits allow."""
    return [BoundedItem(item, limits) for item in items]
