"""What a device may be called; known without PyTorch, so that a wrong name is told before anything is read."""

from __future__ import annotations

import re

from foveate.errors import UsageError

KNOWN = re.compile(r"auto|cpu|cuda(:\d+)?|mps")


def check_device_name(name: str) -> None:
    """Raise UsageError for a name that no device has."""
    if not KNOWN.fullmatch(name):
        raise UsageError(f"--device {name}: choose auto, cpu, cuda, a GPU by its number as cuda:1, or mps.")
