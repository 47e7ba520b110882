"""Whether bytes are a NIfTI file: by content, gzipped or not."""

from __future__ import annotations

import gzip
import importlib.util
import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NIFTI_ENDINGS = (".nii", ".nii.gz", ".hdr")
"""What such files end in; they are known by content."""

_HEAD = 348
"""Bytes of a NIfTI-1 header; a NIfTI-2 header has its signature before that."""

_SIGNATURES = {348: (344, (b"n+1\0", b"ni1\0")), 540: (4, (b"n+2\0", b"ni2\0"))}
"""The size that a header begins with, to where its signature stands and what that may be."""


def is_nifti_installed() -> bool:
    """Whether the extra `nifti` is there."""
    return importlib.util.find_spec("nibabel") is not None


def is_nifti_file(path: Path) -> bool:
    """`is_nifti` for a file; False where it can't be read, which reading then reports."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not head.startswith(b"\x1f\x8b"):
                return is_nifti(head)
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as unzipped:
                return is_nifti(unzipped.read(_HEAD))
    except (OSError, ValueError, EOFError, zlib.error):
        return False


def is_nifti(head: bytes) -> bool:
    """Whether unzipped bytes begin a NIfTI file, or the header of a pair, in either byte order."""
    if len(head) < _HEAD:
        return False
    sizes = {struct.unpack_from(f"{order}i", head)[0] for order in "<>"}
    return any(
        head[place : place + 4] in signatures for size, (place, signatures) in _SIGNATURES.items() if size in sizes
    )
