"""Two ways to speak: results and decisions on stdout, trouble on stderr."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """One line on stdout."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_error(text: str) -> None:
    """One line on stderr, marked as an error."""
    sys.stderr.write(f"foveate: {text}\n")
    sys.stderr.flush()
