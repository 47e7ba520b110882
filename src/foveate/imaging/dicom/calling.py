"""Calls into pydicom and its decoders: ImageError for what they raise, and nothing of what they say.

Their warnings, log lines and errors quote values of elements, which may be a patient's. So none of them is repeated.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from foveate.errors import FoveateError, ImageError
from foveate.imaging.decoding.pillow import ONE_AT_A_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGERS = ("pydicom", "highdicom", "pylibjpeg", "openjpeg")


@contextmanager
def calling_pydicom(failure: str) -> Iterator[None]:
    """Call it inside; whatever it raises becomes ImageError with the words of `failure`."""
    with ONE_AT_A_TIME, _silence():
        try:
            yield
        except (FoveateError, MemoryError, ModuleNotFoundError):
            raise
        except Exception as error:
            # Over damaged files it raises anything, RecursionError among it, and the text may quote an element.
            raise ImageError(f"{failure}; copy or export it again") from error


@contextmanager
def _silence() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(logger.propagate, logger.handlers[:]) for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.propagate, logger.handlers[:] = False, [logging.NullHandler()]
        try:
            yield
        finally:
            for logger, (propagate, handlers) in zip(loggers, before, strict=True):
                logger.propagate, logger.handlers[:] = propagate, handlers
