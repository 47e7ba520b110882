"""What a DICOM file shows, as 8-bit samples: a frame by the window of its series, or a file by its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import as_pixel_options
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
)

from foveate.errors import FoveateError, ImageError, ServerError, named
from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.decoding.samples import Decoded, as_rgb, check_size
from foveate.imaging.dicom.codestream import stated_size
from foveate.imaging.dicom.header import Header, has_image, header_of
from foveate.imaging.dicom.parse import Opened, opened
from foveate.imaging.dicom.shown import range_of, shown_colour, shown_grey
from foveate.imaging.dicom.window import Window, one_window
from foveate.records import Photograph

if TYPE_CHECKING:
    from collections.abc import Iterator

DECODERS = {
    JPEGBaseline8Bit: "pillow",
    JPEGExtended12Bit: "pillow",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEG2000Lossless: "pylibjpeg",
    JPEG2000: "pylibjpeg",
}
"""Where pydicom could choose between several, and would begin with GDCM, which writes to the terminal by itself what it
finds in a damaged file. Of JPEG Lossless it is the only one."""


Content = Callable[[], Path | bytes]
"""Of a file, when it is asked for."""


@dataclass(frozen=True)
class Series:
    """Grey images that are shown by one window: that which their files give, or from the lowest of all their levels to
    the highest. The second reads all of them, once, when the first is shown."""

    sources: tuple[Content, ...]
    windows: tuple[Window, ...]
    """That the files give."""
    wide: bool
    """Whether its images have more than 8 bits, or signed ones."""

    @classmethod
    def of(cls, sources: Sequence[Content], headers: Sequence[Header]) -> Series:
        """Of files with their headers."""
        windows = tuple(window for header in headers for window in header.windows)
        return cls(tuple(sources), windows, any(header.bits > 8 or header.signed for header in headers))

    @cached_property
    def window(self) -> tuple[Window | None, tuple[str, ...]]:
        """The window, None for all that 8 bits can hold, and what had to be decided."""
        window, notes = one_window(self.windows)
        if window is not None or not self.wide:
            return window, notes
        ends = [frame_ends for source in self.sources for frame_ends in _ranges(source)]
        if not ends:
            return None, ()
        low, high = min(end[0] for end in ends), max(end[1] for end in ends)
        what = "the range of its series" if len(ends) > 1 else "its range"
        return Window.between(low, high), (f"no window in its series: shown from {low:g} to {high:g}, {what}",)


def read_frame(content: Path | bytes, frame: int, series: Series, key: str, digest: str) -> Photograph:
    """A frame, from 0, of a file with that SHA-256, by the window of its series.

    Raises ImageError, UsageError or ServerError that begins with `key`.
    """
    with named(key), opened(content) as file:
        try:
            decoded = _decoded(file, frame, series)
        except ServerError as error:
            raise ServerError(f"needs all images of its series, which give no window; {error}") from error
    pixels, notes = as_rgb(decoded.samples)
    return Photograph(pixels, key, digest, (*decoded.notes, *notes), decoded.spacing)


def decode_dicom(data: bytes) -> Decoded:
    """The first frame of a file, by its own window. Raises ImageError, which doesn't name the file."""
    with opened(data) as file:
        header = _checked(file)
        return _decoded(file, 0, Series.of([lambda: data], [header]), first=header.frames > 1)


def size_of_dicom(data: bytes) -> tuple[int, int]:
    """Width and height of a file's frames. Raises ImageError, which doesn't name the file."""
    with opened(data) as file:
        header = _checked(file)
        return header.columns, header.rows


def stored_samples(file: Opened, header: Header, frame: int) -> NDArray[Any]:
    """What a frame stores, H×W or H×W×3 with colours as RGB. Raises ImageError."""
    pixels = file.pixels
    if pixels is None:
        raise ImageError("is a DICOM file without an image; give one that has pixels")
    # The name of a syntax that pydicom knows; any other text stays inside.
    syntax = file.transfer_syntax.name if file.transfer_syntax.is_transfer_syntax else "an unknown transfer syntax"
    with calling_reader(f"can't be decoded (DICOM, {syntax})"):
        try:
            decoder = get_decoder(file.transfer_syntax)
        except NotImplementedError as error:
            raise ImageError(f"is a DICOM file in {syntax}, which isn't read; export it without compression") from error
        options = as_pixel_options(file.dataset, number_of_frames=header.frames, pixel_keyword=pixels.keyword)
        options["decoding_plugin"] = DECODERS.get(file.transfer_syntax, "")
        if pixels.vr:
            options["pixel_vr"] = pixels.vr
        file.content.seek(pixels.start)
        if pixels.encapsulated:
            offsets = options.get("extended_offsets")
            packed = get_frame(file.content, frame, number_of_frames=header.frames, extended_offsets=offsets)
            _check_stated(stated_size(packed) or (header.rows, header.columns), header)
            file.content.seek(pixels.start)
        samples, _ = decoder.as_array(file.content, index=frame, **options)
    _check_stated(samples.shape[:2], header)
    return samples


def _check_stated(size: tuple[int, ...], header: Header) -> None:
    if size != (header.rows, header.columns):
        raise ImageError("is a DICOM file whose pixels are of another size than it says; export it again")


def _checked(file: Opened) -> Header:
    if not has_image(file):
        raise ImageError("is a DICOM file without an image; give one that has pixels")
    header = header_of(file)
    check_size(header.columns, header.rows)
    return header


def _decoded(file: Opened, frame: int, series: Series, *, first: bool = False) -> Decoded:
    header = _checked(file)
    stored = stored_samples(file, header, frame)
    window, notes = series.window if header.is_grey else (None, ())
    with calling_reader("can't be shown by the transforms that it gives (DICOM)"):
        if header.is_grey:
            shown = shown_grey(stored, header, file.dataset, frame, window)
        else:
            shown = shown_colour(stored, header, file.dataset)
    frames = (f"first of {header.frames} frames",) if first else ()
    return Decoded(
        shown,
        (*header.notes, *notes, *frames),
        header.frames,
        lossy=str(file.dataset.get("LossyImageCompression") or "").strip() == "01",
        spacing=header.spacing,
    )


def _ranges(source: Content) -> Iterator[tuple[float, float]]:
    """Of each frame; of a file that can't be read none, which its own turn reports. What can't be had just now raises
    ServerError: without it, the window would be another one than the next call's."""
    content = source()
    try:
        with opened(content) as file:
            header = _checked(file)
            for frame in range(header.frames):
                stored = stored_samples(file, header, frame)
                with calling_reader("can't be shown by the transforms that it gives (DICOM)"):
                    ends = range_of(stored, file.dataset, frame)
                if ends is not None:
                    yield ends
    except FoveateError:
        return
