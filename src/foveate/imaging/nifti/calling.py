"""Calls into nibabel: ImageError for what it raises, and nothing of what it says, which may quote a header's texts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from foveate.errors import FoveateError, ImageError
from foveate.imaging.decoding.silence import SILENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def calling_nibabel(failure: str) -> Iterator[None]:
    """Call it inside; whatever it raises becomes ImageError with the words of `failure`."""
    with SILENCE.kept():
        try:
            yield
        except (FoveateError, MemoryError, ModuleNotFoundError):
            raise
        except Exception as error:
            # Over damaged files it raises anything: its own errors, those of gzip and zlib, ValueError, OverflowError.
            raise ImageError(f"{failure}; copy or export it again") from error
