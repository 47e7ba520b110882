"""What to say where a command needs more than the base install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from foveate.errors import UsageError


@contextmanager
def needs_torch() -> Iterator[None]:
    """Around the import of a part that the base install does not bring: says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this command needs PyTorch and more ({error.name} is missing): pip install 'foveate[train]'"
        ) from error


@contextmanager
def needs(extra: str, package: str) -> Iterator[None]:
    """Around the import of a part that needs an extra of that name, of which a package is the greatest part."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"this command needs {package} ({error.name} is missing): pip install 'foveate[{extra}]'"
        ) from error
