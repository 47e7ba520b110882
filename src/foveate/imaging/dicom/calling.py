"""Calls into pydicom and its decoders: ImageError for what they raise, and nothing of what they say.

Their warnings, log lines and errors quote values of elements, which may be a patient's. So none of them is repeated.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from foveate.errors import FoveateError, ImageError
from foveate.imaging.decoding.silence import SILENCE

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def calling_pydicom(failure: str) -> Iterator[None]:
    """Call it inside; whatever it raises becomes ImageError with the words of `failure`."""
    with SILENCE.kept():
        try:
            yield
        except (FoveateError, MemoryError, ModuleNotFoundError):
            raise
        except Exception as error:
            # Over damaged files it raises anything, RecursionError among it, and the text may quote an element.
            raise ImageError(f"{failure}; copy or export it again") from error
