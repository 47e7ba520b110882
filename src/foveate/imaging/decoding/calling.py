"""Calls into packages that read strangers' files: ImageError for what they raise, and nothing of what they say.

Their warnings, log lines and errors quote what a file holds, which may be a patient's. So none of them is repeated.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from foveate.errors import FoveateError, ImageError
from foveate.imaging.decoding.silence import SILENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def calling_reader(failure: str) -> Iterator[None]:
    """Call pydicom or nibabel inside; whatever they raise becomes ImageError with the words of `failure`."""
    with SILENCE.kept():
        try:
            yield
        except (FoveateError, MemoryError, ModuleNotFoundError):
            raise
        except Exception as error:
            # Over damaged files they raise anything: RecursionError, OverflowError, errors of gzip and zlib.
            raise ImageError(f"{failure}; copy or export it again") from error
