"""TIFF files: Pillow reads most of them, tifffile the rest, such as separate 16-bit planes and float RGB."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import TiffImagePlugin

from foveate.errors import ImageError
from foveate.imaging.decoding.pillow import (
    DECODER_ERRORS,
    ORIENTATION,
    numbers_of,
    orientation_of,
    samples_of,
    turned_note,
    upright,
    wide_samples,
)
from foveate.imaging.decoding.samples import Decoded, Samples, as_samples, check_size
from foveate.imaging.decoding.tiff_pages import (
    check_composite,
    check_directory,
    composite_of,
    pages_of,
    without_thumbnail,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tifffile import TiffPage

_BITS_PER_SAMPLE, _COMPRESSION, _PHOTOMETRIC, _DESCRIPTION = 258, 259, 262, 270
_SAMPLES_PER_PIXEL, _PLANAR, _EXTRA_SAMPLES = 277, 284, 338
"""Tags (TIFF 6.0, section 8)."""
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_SEPARATE_PLANES = 2
_UNSPECIFIED, _UNASSOCIATED_ALPHA = 0, 2
_NONE_OR_DEFLATE, _WEBP = (1, 8, 32946), 50001
_CUT_SHORT = "is cut short: part of its pixels is missing; copy or export it again"
_LOSSY = ("jpeg", "tiff_jpeg")


def decode_tiff(data: bytes) -> Decoded:
    """The first picture of a TIFF file that isn't a thumbnail, upright. What the decoders raise passes through."""
    check_directory(data)
    data, notes = without_thumbnail(data)
    check_directory(data)
    decoded = _page(data)
    return replace(decoded, notes=(*notes, *decoded.notes))


def tiff_size(data: bytes) -> tuple[int, int]:
    """Width and height of what `decode_tiff` decodes, by its directory. What the decoders raise passes through."""
    import tifffile

    check_directory(data)
    data, _ = without_thumbnail(data)
    check_directory(data)
    image = _opened(data)
    if image is None:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            width, height = page.imagewidth, page.imagelength
    else:
        width, height = image.size
    check_size(width, height)
    return width, height


def _page(data: bytes) -> Decoded:
    """The first page; of a composite all its pages."""
    image = _opened(data)
    if image is not None:
        if image.tag_v2.get(_COMPRESSION) == _WEBP:
            raise ImageError("is a TIFF that holds WebP, which isn't read; save it as PNG, or as TIFF without it")
        composite = composite_of(image.tag_v2.get(_DESCRIPTION), image.tag_v2.get(_SAMPLES_PER_PIXEL, 1))
        if composite is not None:
            check_composite(composite, image.n_frames)
            return _joined([_decoded(page) for page in pages_of(data)])
    return _decoded(data, image)


def _joined(planes: Sequence[Decoded]) -> Decoded:
    """The pages of a composite as red, green and blue."""
    samples = [plane.samples for plane in planes]
    if len({(sample.shape, sample.dtype) for sample in samples}) > 1 or samples[0].ndim != 2:
        raise ImageError("is a composite whose channels differ in size or depth; save it as RGB")
    note = f"{len(planes)} pages, the channels of a composite: read as red, green and blue"
    lossy, turned = any(plane.lossy for plane in planes), any(plane.turned for plane in planes)
    kept = tuple(kept_note for kept_note in planes[0].notes if not kept_note.startswith("first of"))
    return Decoded(np.dstack(samples), (note, *kept), lossy=lossy, turned=turned)


def _decoded(data: bytes, image: TiffImagePlugin.TiffImageFile | None = None) -> Decoded:
    image = image or _opened(data)
    if image is None or _has_unusual_planes(image):
        return _decode_with_tifffile(data)
    check_size(*image.size)
    _check_covered(image)
    pages, stored = image.n_frames, image.tag_v2.get(ORIENTATION, 1)
    lossy = image.info.get("compression") in _LOSSY
    wide = wide_samples(image, lambda: TiffImagePlugin.TiffImageFile(io.BytesIO(data)))
    samples = samples_of(image) if wide is None else wide
    # Pillow inverts 8-bit samples itself, but none that are wider.
    if image.mode in ("I;16", "F") and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        samples = _inverted(samples)
    # Pillow has turned the picture while it was loaded, and then reports that it is upright.
    orientation, notes = orientation_of(image)
    floats = np.array(image, np.float32) if image.mode == "F" else None
    if floats is not None and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        floats = 1 - floats
    return Decoded(
        upright(samples, orientation),
        (*notes, *turned_note(stored), *_pages_note(pages)),
        pages,
        lossy,
        numbers_of(image, orientation),
        floats=None if floats is None else upright(floats, orientation),
        turned=bool(turned_note(stored)),
    )


def _opened(data: bytes) -> TiffImagePlugin.TiffImageFile | None:
    try:
        return TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    except DECODER_ERRORS:
        return None


def _has_unusual_planes(image: TiffImagePlugin.TiffImageFile) -> bool:
    """Whether Pillow opens the file but, in some of its versions, mixes up the planes or refuses them."""
    tags = image.tag_v2
    separate = tags.get(_PLANAR) == _SEPARATE_PLANES and tags.get(_SAMPLES_PER_PIXEL, 1) > 1
    wide = max(tags.get(_BITS_PER_SAMPLE, (1,))) > 8
    return separate and (wide or _UNSPECIFIED in tags.get(_EXTRA_SAMPLES, ()))


def _check_covered(image: TiffImagePlugin.TiffImageFile) -> None:
    """Refuse what Pillow would leave black because the file has too few strips or tiles."""
    boxes = [tile.extents for tile in image.tile if tile.extents]
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    by_plane = image.tag_v2.get(_PLANAR) == _SEPARATE_PLANES and not image.use_load_libtiff
    planes = len(image.getbands()) if by_plane else 1
    if covered < image.width * image.height * planes:
        raise ImageError(_CUT_SHORT)


def _decode_with_tifffile(data: bytes) -> Decoded:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first
        check_size(page.imagewidth, page.imagelength)
        channels = _meant_channels(page)
        _check_complete(page, len(data))
        # One worker: only the log lines of this thread are dropped.
        values = page.asarray(maxworkers=1)
        pages = len(file.pages)
        orientation = page.tags.valueof(ORIENTATION, default=1)
    if page.samplesperpixel > 1:
        values = np.moveaxis(values, 0, -1) if page.planarconfig == _SEPARATE_PLANES else values
        values = values[..., :channels]
    samples, white_is_zero = as_samples(values), page.photometric == _WHITE_IS_ZERO
    floats = values.astype(np.float32) if values.dtype.kind == "f" and values.ndim == 2 else None
    if white_is_zero:
        samples, floats = _inverted(samples), None if floats is None else 1 - floats
    return Decoded(
        upright(samples, orientation),
        (*turned_note(orientation), *_pages_note(pages)),
        pages,
        floats=None if floats is None else upright(floats, orientation),
        turned=bool(turned_note(orientation)),
    )


def _meant_channels(page: TiffPage) -> int:
    """How many of a page's channels, from the first, make up the image (TIFF 6.0, ExtraSamples).

    Extra data is left out, and so is associated alpha: its colours are already those over black.
    """
    count, extra = page.samplesperpixel, tuple(page.extrasamples)
    grey = page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
    if count == 3 and (grey or page.photometric == _RGB):
        return 3
    colours = 1 if grey else 3
    if not (grey or page.photometric == _RGB) or count not in (colours, colours + 1):
        raise ImageError(
            f"is a TIFF with {count} channels of {page.bitspersample} bits and photometric interpretation "
            f"{page.photometric:d}, which isn't read; save it as 8- or 16-bit grey or RGB"
        )
    return colours + (extra[:1] == (_UNASSOCIATED_ALPHA,))


def _check_complete(page: TiffPage, file_size: int) -> None:
    """Refuse what tifffile would fill up with zeros, or unpacks only together with another package."""
    if page.compression not in _NONE_OR_DEFLATE:
        raise ImageError(
            f"is a TIFF of {page.bitspersample}-bit samples with compression {page.compression:d}"
            f"{_name_of(page.compression)}, which isn't read; save it as PNG, or as TIFF without compression"
        )
    offsets, counts = page.dataoffsets, page.databytecounts
    lies_inside = all(0 < offset < offset + count <= file_size for offset, count in zip(offsets, counts, strict=True))
    enough = page.compression != 1 or sum(counts) >= page.nbytes
    if len(offsets) != math.prod(page.chunked) or not lies_inside or not enough:
        raise ImageError(_CUT_SHORT)


def _name_of(compression: int) -> str:
    name = getattr(compression, "name", "")
    return f" ({name})" if name else ""


def _inverted(samples: Samples) -> Samples:
    return np.bitwise_not(samples)


def _pages_note(pages: int) -> tuple[str, ...]:
    return (f"first of {pages} pages",) if pages > 1 else ()
