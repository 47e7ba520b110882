"""What is an address and not a path, and how it is said: without what anybody could sign in by."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from foveate.errors import UsageError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")

PATTERN = re.compile(r"[*?[]")
"""What makes a pattern of a path, where no file has that very name."""


def is_address(place: object) -> bool:
    """Whether a place is written as `s3://bucket/folder` and the like are; `file://` is one, too."""
    return isinstance(place, str) and _ADDRESS.match(place) is not None


def scheme_of(address: str) -> str:
    """What stands before `://`, in lower case."""
    return address.partition("://")[0].lower()


def local_or_address(place: str | os.PathLike[str]) -> Path | str:
    """The path of a local place, which `file://` is; else the address.

    Raises UsageError for the `file://` of another machine.
    """
    if isinstance(place, str) and is_address(place):
        if scheme_of(place) != "file":
            return place
        parts = urlsplit(place, allow_fragments=False)
        from urllib.request import url2pathname  # takes longer to import than all of this

        if parts.netloc not in ("", "localhost"):
            raise UsageError(f"{shown(place)}: is on another machine. Write file:///folder, with three slashes.")
        query = f"?{parts.query}" if parts.query else ""
        return Path(url2pathname(parts.path + query))
    return Path(place)


def shown(address: str) -> str:
    """An address for messages and records: without user, password, query and fragment, which may sign in."""
    beginning, _, rest = address.partition("://")
    authority, slash, path = rest.partition("/")
    path = re.split(r"[?#].*=", path, maxsplit=1)[0]
    return f"{beginning.lower()}://{authority.rpartition('@')[2]}{slash}{path}"
