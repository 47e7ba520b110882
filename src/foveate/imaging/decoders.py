"""Calls into Pillow's and tifffile's decoders: what they raise becomes ImageError, their log is dropped."""

from __future__ import annotations

import logging
import struct
import threading
import warnings
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PIL import Image as PillowImage

from foveate.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

DECODER_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What Pillow and tifffile raise over damaged files. Neither has a base class for it, so they are listed."""

_LOGGERS = ("PIL.TiffImagePlugin", "tifffile")

_ONE_AT_A_TIME = threading.Lock()
"""Warning filters belong to the whole process: two threads that change and restore them would mix them up."""


@contextmanager
def calling_decoder() -> Iterator[None]:
    """Call a decoder inside: ImageError for whatever it raises, none of its warnings and log lines.

    Both are about metadata that isn't used, or come just before an error that says the same.
    """
    with _ONE_AT_A_TIME, _silence():
        try:
            yield
        except PillowImage.DecompressionBombError as error:
            raise ImageError("claims more pixels than its decoder takes; crop or shrink it first") from error
        except DECODER_ERRORS as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImageError(f"can't be decoded ({reason}); copy or export it again") from error


@contextmanager
def _silence() -> Iterator[None]:
    thread = threading.get_ident()

    def of_another_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(PIL|tifffile)\.")
        for logger in loggers:
            logger.addFilter(of_another_thread)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(of_another_thread)
