"""Errors of other processes, as they are told to people."""

from __future__ import annotations

from foveate.errors import FoveateError


def in_a_line(error: BaseException) -> str:
    """What went wrong, on one line. Of an error that Ray brings from elsewhere it is the one there that counts, as its
    own text is a traceback."""
    found = getattr(error, "cause", None) or error.__cause__ or error
    text = next((line.strip() for line in str(found).splitlines() if line.strip()), "")
    if isinstance(found, FoveateError):
        return text
    return f"{type(found).__name__}: {text}" if text else type(found).__name__
