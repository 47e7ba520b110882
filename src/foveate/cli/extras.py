"""What to say where a command needs more than the base install."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from foveate.errors import needs as missing_said

MLFLOW = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""What only the environment can tell MLflow: no reports of its use to its makers, no lines of its own, seconds."""


@contextmanager
def needs_torch() -> Iterator[None]:
    """Around the import of a part that trains: says what to install."""
    # Whether or not it is asked for: MONAI imports MLflow wherever that is installed.
    for name, value in MLFLOW.items():
        os.environ.setdefault(name, value)
    with needs("train"):
        yield


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around the import of a part that the base install can't run: names the missing package and what brings it."""
    with missing_said(extra, "this command"):
        yield
