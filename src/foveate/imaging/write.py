"""Results as the bytes of files, and as files, each of which appears complete or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from PIL import Image as PillowImage

from foveate.errors import OutputError
from foveate.imaging.png_file import Kind, PngFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from foveate.records import Image, Mask, Probability

_ROWS = 256
"""Of an image that are packed at a time."""

_ADVICE = {
    errno.ENAMETOOLONG: "give the image a shorter name, as what is written is called after it",
    errno.EACCES: "give a folder where you may write",
    errno.EPERM: "give a folder where you may write",
    errno.EROFS: "give a folder where you may write",
}
"""What to do about an error of the system."""


def unfinished_name() -> str:
    """What a file or folder is called until it is whole; by a name like this a later call knows what a killed one left.

    It is hidden, and no one else's.
    """
    return f".{os.urandom(8).hex()}.part"


UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.part")
"""What `unfinished_name` gives."""


def encode_mask(mask: Mask) -> bytes:
    """A mask (H×W, bool) as the bytes of an 8-bit grey PNG: 255 is foreground, 0 background."""
    return _png(np.multiply(mask, np.uint8(255)), "grey")


def encode_labels(classes: NDArray[np.uint8], names: Sequence[str]) -> bytes:
    """A label image (H×W: 0 background, k the k-th name) as the bytes of a PNG whose palette's indices are the numbers.

    Colours are those of `class_colours` on black. The text chunk `Classes` says which number is which class, e.g.
    "0 background, 1 artery, 2 vein".
    """
    return _png(classes, "palette", names)


def probability_steps(probability: Probability) -> NDArray[np.uint16]:
    """Probabilities as round(p × 65535)."""
    scaled = np.multiply(probability.clip(0, 1), 65535, dtype=np.float64)
    steps: NDArray[np.uint16] = np.rint(scaled).astype(np.uint16)
    return steps


def encode_probability(probability: Probability) -> bytes:
    """A probability map (H×W, 0 to 1) as the bytes of a 16-bit grey PNG of round(p × 65535)."""
    return _png(probability_steps(probability), "grey")


def encode_rgb(image: Image) -> bytes:
    """An RGB image (H×W×3, 0 to 255) as the bytes of an 8-bit PNG."""
    return _png(image, "rgb")


def write_mask(mask: Mask, path: Path) -> None:
    """Write a mask (H×W) as `encode_mask` has it. Raises OutputError."""
    write_bytes(encode_mask(mask), path)


def write_labels(classes: NDArray[np.uint8], names: Sequence[str], path: Path) -> None:
    """Write a label image (H×W) as `encode_labels` has it. Raises OutputError."""
    write_bytes(encode_labels(classes, names), path)


def write_probability(probability: Probability, path: Path) -> None:
    """Write a probability map (H×W) as `encode_probability` has it. Raises OutputError."""
    write_bytes(encode_probability(probability), path)


def write_rgb(image: Image, path: Path) -> None:
    """Write an RGB image (H×W×3) as `encode_rgb` has it. Raises OutputError."""
    write_bytes(encode_rgb(image), path)


def write_tiff(image: Image, path: Path) -> None:
    """Write an RGB image (H×W×3) as an 8-bit TIFF, packed by LZW without loss. Raises OutputError."""
    write_bytes(_encoded(PillowImage.fromarray(image), "TIFF", compression="tiff_lzw"), path)


def write_gif_mask(mask: Mask, path: Path) -> None:
    """Write a mask (H×W) as a GIF whose palette shows 255 for foreground, 0 for background. Raises OutputError."""
    write_bytes(_encoded(PillowImage.fromarray(mask.astype(np.uint8) * np.uint8(255)), "GIF"), path)


def write_text(text: str, path: Path) -> None:
    """Write text as UTF-8, line ends as they are. Raises OutputError."""
    write_bytes(text.encode("utf-8", "backslashreplace"), path)


def write_bytes(data: bytes, path: Path) -> None:
    """Write a file through a hidden one beside it: at no moment is there half a file under the name itself.

    The parent folder is made if it is missing. Raises OutputError if anything fails; then nothing is left
    behind, and a file that was there before is as it was.
    """
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, as `write_bytes` does: it takes its name when all of it is there, and else is gone."""
    with _told_of(path), _part_of(path) as file:
        yield file


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A folder to write into: it takes its name when all inside is done, and else is gone.

    Raises OutputError where there is one that isn't empty, which stays as it is.
    """
    with _told_of(path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(f"{path}: is there already and not empty. Name a new folder.")
        part = path.with_name(unfinished_name())
        part.mkdir()
        try:
            yield part
            if path.exists():
                path.rmdir()  # empty; not every system replaces it
            part.rename(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Errors inside name the file; its folder is there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(f"{path}: can't be written, its folder is a file; give another folder") from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, "free some space, or give a folder where you may write")
        raise OutputError(f"{path}: can't be written ({error.strerror or error}); {advice}") from error
    except ValueError as error:
        raise OutputError(f"{str(path)!r}: can't be written ({error}); give another name") from error


def _png(pixels: NDArray[np.unsignedinteger], kind: Kind, names: Sequence[str] = ()) -> bytes:
    file = io.BytesIO()
    png = PngFile(file, (pixels.shape[0], pixels.shape[1]), kind, wide=pixels.dtype.itemsize == 2, names=names)
    for top in range(0, len(pixels), _ROWS):
        png.add(pixels[top : top + _ROWS])
    png.finish()
    return file.getvalue()


def _encoded(image: PillowImage.Image, form: str, **options: str) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@contextmanager
def _part_of(path: Path) -> Iterator[BinaryIO]:
    # Not named after the target, whose name may have the greatest length already.
    temporary = path.with_name(unfinished_name())
    file = temporary.open("xb")
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
