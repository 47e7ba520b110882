"""The command as a process of its own, which is quick to begin and to end."""

from __future__ import annotations

import gc
import os
import sys

from foveate.cli import main

RUBBISH = 20_000
"""New objects after which Python looks for rubbish: at its own 700 it would do so a hundred times while it imports."""


def run() -> None:
    """`foveate.cli.main`, as what `foveate` on a terminal and `python -m foveate` are."""
    gc.set_threshold(RUBBISH)
    try:
        main()
    except SystemExit as end:
        if sys.argv[1:2] == ["segment"] and isinstance(end.code, int):
            _leave(end.code)
        raise


def _leave(status: int) -> None:
    """End at once: all is written, and to take apart what is in memory would take longer than finding a mask does.

    Comes back where somebody doesn't read on, which Python then deals with as ever.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return
    os._exit(status)
