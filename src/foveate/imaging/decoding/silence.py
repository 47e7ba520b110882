"""The decoders say nothing while they decode, in however many threads at a time."""

from __future__ import annotations

import logging
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOGGERS = ("PIL.TiffImagePlugin", "tifffile")
"""Whose lines are dropped of threads that decode."""

MUTED = (
    "pydicom",
    "highdicom",
    "pylibjpeg",
    "openjpeg",
    "nibabel",
    "nibabel.global",
    "dicomweb_client",
    "urllib3",
)
"""Which say nothing, nor what is below them, while any thread decodes or asks a server: their lines may quote a
patient's data, or an address that does."""

MODULES = r"(PIL|tifffile|pydicom|highdicom|pylibjpeg|openjpeg|jpeg_ls|nibabel|dicomweb_client|foveate)\."
"""Whose warnings are ignored: the decoders', and those that they blame on whoever called them."""


class Silence:
    """Inside of it the decoders' warnings are ignored, and what they log is dropped, of the threads that are in it.

    Filters of warnings belong to the whole process, and two threads that change and restore them would mix them up: the
    first thread sets them, and the last one restores them. Nobody waits for another's decoding.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: list[int] = []
        self._before = warnings.catch_warnings()
        self._loggers: list[tuple[logging.Logger, bool, list[logging.Handler]]] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """By this thread, as long as it is inside."""
        thread = threading.get_ident()
        with self._lock:
            if not self._threads:
                self._begin()
            self._threads.append(thread)
        try:
            yield
        finally:
            with self._lock:
                self._threads.remove(thread)
                if not self._threads:
                    self._end()

    def _begin(self) -> None:
        self._before = warnings.catch_warnings()
        self._before.__enter__()
        warnings.filterwarnings("ignore", module=MODULES)
        for name in LOGGERS:
            logging.getLogger(name).addFilter(self._is_of_another_thread)
        muted = [logging.getLogger(name) for name in MUTED]
        self._loggers = [(logger, logger.propagate, logger.handlers[:]) for logger in muted]
        for logger in muted:
            logger.propagate, logger.handlers[:] = False, [logging.NullHandler()]

    def _end(self) -> None:
        for name in LOGGERS:
            logging.getLogger(name).removeFilter(self._is_of_another_thread)
        for logger, propagate, handlers in self._loggers:
            logger.propagate, logger.handlers[:] = propagate, handlers
        self._before.__exit__(None, None, None)

    def _is_of_another_thread(self, record: logging.LogRecord) -> bool:
        return record.thread not in self._threads


SILENCE = Silence()
"""Of the process, as warnings and loggers are."""
