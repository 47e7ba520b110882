"""Which files of a folder are photographs, and what is in a file."""

from __future__ import annotations

import errno
import pathlib
from typing import TYPE_CHECKING

from foveate.errors import ImageError, UsageError
from foveate.imaging.dicom import is_dicom_file
from foveate.imaging.nifti import NIFTI_ENDINGS, is_nifti_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path, PurePath

ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".ppm.gz", ".tif", ".tiff", ".webp"}
)
"""Endings, in lower case, of what is taken when a folder is searched; a file given by name may have any."""

DICOM_ENDINGS = (".dcm", ".dicom", ".ima")
"""What DICOM files end in where they have an ending; they are known by content."""

_OWN_ENDINGS = (
    "_seg.dcm",
    *(f"_{kind}.{ending}" for kind in ("mask", "probability", "overlay") for ending in ("png", "tif")),
    *(f"_{kind}.{ending}" for kind in ("mask", "probability") for ending in ("nii", "nii.gz")),
)


def find_images(folder: Path, *, recursive: bool = False, by_content: bool = False) -> list[Path]:
    """The image files that lie directly in a folder, sorted by name; if `recursive`, then those of each sub-folder.

    If `by_content`, files that are DICOM or NIfTI by their content are among them, whatever their names, and those
    that are called so, whatever is in them.

    Sub-folders come in the order of their names, each with its own files before its own sub-folders, and every folder
    once, however many links lead to it. Upper case counts as lower case in an ending. Hidden files and folders and the
    results that this program itself writes (`…_mask.png`, `…_probability.tif`, `…_seg.dcm`) are left out; a link
    to a file that isn't there is listed, so that reading it says so. Raises UsageError if there is no such folder or
    one can't be listed.
    """
    return [path for place in (_folders(folder) if recursive else (folder,)) for path in _images_in(place, by_content)]


def images_below(folder: Path) -> int:
    """How many images, DICOM and NIfTI among them, lie in sub-folders, which `find_images` passes over unless it is
    recursive; 0 for no folder."""
    try:
        return len(find_images(folder, recursive=True, by_content=True)) - len(find_images(folder, by_content=True))
    except UsageError:
        return 0


def images_matching(pattern: Path) -> list[Path]:
    """The image files whose paths match a pattern (`*`, `?`, `[…]`, and `**` through folders), sorted.

    They are those that `find_images` would list in their folders, DICOM and NIfTI among them.
    """
    anchor = pathlib.Path(pattern.anchor)
    found = sorted(anchor.glob(str(pattern.relative_to(anchor))))
    return [path for path in found if _is_image(path) or _is_known_by_content(path)]


def stem_of(path: PurePath) -> str:
    """A file's name without its ending; of several dots only a known ending's count (`scan.1.png` is `scan.1`).

    A number is no ending: files without any are named by UIDs, such as `1.2.840.10008.7`.
    """
    name = path.name
    known = [ending for ending in (*ENDINGS, *DICOM_ENDINGS, *NIFTI_ENDINGS) if name.lower().endswith(ending)]
    if known:
        return name[: -len(max(known, key=len))]
    return name if path.suffix[1:].isdecimal() else path.stem


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


def _folders(folder: Path) -> Iterator[Path]:
    """The folder and all below it, in order, each once: a link may lead back to where it lies."""
    seen: set[Path] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        if (real := here.resolve()) in seen:
            continue
        seen.add(real)
        yield here
        waiting += reversed([path for path in _listed(here) if path.is_dir() and not path.name.startswith(".")])


def _images_in(folder: Path, by_content: bool) -> list[Path]:
    return [path for path in _listed(folder) if _is_image(path) or (by_content and _is_known_by_content(path))]


def _is_image(path: Path) -> bool:
    return is_photograph_name(path.name) and (path.is_file() or _leads_nowhere(path))


def _is_known_by_content(path: Path) -> bool:
    """Whether it is DICOM or NIfTI under a name that no other image has; what is only called so is listed as well, so
    that reading it says what is wrong."""
    lower = path.name.lower()
    if lower.startswith(".") or lower.endswith((*ENDINGS, *_OWN_ENDINGS)):
        return False
    called = lower.endswith((*DICOM_ENDINGS, ".nii", ".nii.gz")) and path.is_file()
    return called or is_dicom_file(path) or is_nifti_file(path)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: can't be listed ({error.strerror or error}); give an existing folder") from error


def _leads_nowhere(path: Path) -> bool:
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ENOENT and path.is_symlink()
    return False


def is_photograph_name(name: str, *, dicom: bool = False) -> bool:
    """Whether a folder's file of this name is taken; if `dicom`, also by the endings of DICOM files."""
    lower, endings = name.lower(), (*ENDINGS, *(DICOM_ENDINGS if dicom else ()))
    return lower.endswith(endings) and not lower.startswith(".") and not lower.endswith(_OWN_ENDINGS)
