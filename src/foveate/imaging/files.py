"""Which files of a folder are photographs, and what is in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.errors import ImageError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".ppm.gz", ".tif", ".tiff", ".webp"}
)
"""Endings, in lower case, of what is taken when a folder is searched; a file given by name may have any."""

_OWN_ENDINGS = ("_mask.png", "_probability.png", "_overlay.png")


def find_images(folder: Path) -> list[Path]:
    """The image files that lie directly in a folder, sorted by name.

    Upper case counts as lower case in an ending. Hidden files and the results that this program itself writes
    (`…_mask.png`, `…_probability.png`, `…_overlay.png`) are left out. Raises UsageError if there is no such
    folder or it can't be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if _is_photograph(path.name) and path.is_file())
    except OSError as error:
        raise UsageError(f"{folder}: can't be listed ({error.strerror or error}); give an existing folder") from error


def stem_of(path: Path) -> str:
    """A file's name without its ending; of several dots only a known ending's count (`scan.1.png` is `scan.1`)."""
    name = path.name
    known = [ending for ending in ENDINGS if name.lower().endswith(ending)]
    return name[: -len(max(known, key=len))] if known else path.stem


def file_bytes(path: Path) -> bytes:
    """The content of a file.

    Raises UsageError if there is no such file and ImageError if it can't be read; neither names the file.
    """
    try:
        if path.is_file():
            return path.read_bytes()
        is_there, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ImageError(f"can't be read ({reason}); check its name and permissions") from error
    if is_folder:
        raise ImageError("is a folder; give one image file")
    if is_there:
        raise ImageError("is not a regular file; give an image file")
    raise UsageError("no such file; check the name")


def _is_photograph(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(tuple(ENDINGS)) and not lower.startswith(".") and not lower.endswith(_OWN_ENDINGS)
