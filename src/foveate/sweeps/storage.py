"""Where the trials of a sweep are written down: Optuna's tables in an SQLite file or on a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from foveate.errors import UsageError
from foveate.sweeps.place import DATABASE
from foveate.training.run.provenance import redacted

PATIENCE = 60
"""Seconds to wait while another process writes to the SQLite file."""


def hidden(storage: str | None) -> str | None:
    """The address of a storage without its password; None stands for the sweep's own file."""
    if storage is None:
        return None
    try:
        return redacted(make_url(storage).render_as_string(hide_password=True))
    except ArgumentError as error:
        raise UsageError(
            "--storage: is not an address such as postgresql+psycopg://user@host/database or sqlite:///file.db."
        ) from error


def open_study(folder: Path, name: str, storage: str | None) -> optuna.Study:
    """The study of that name, made where it is missing. Scores are to be as high as possible.

    Raises UsageError where the storage can't be reached.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _told(storage or _own(folder)) as address:
        return optuna.create_study(storage=_tables(address), study_name=name, direction="maximize", load_if_exists=True)


def check_storage(storage: str) -> None:
    """Raise UsageError where the storage can't be reached."""
    with _told(storage) as address:
        _tables(address)


def _tables(address: str) -> optuna.storages.RDBStorage:
    waits = {"connect_args": {"timeout": PATIENCE}} if address.startswith("sqlite") else {"pool_pre_ping": True}
    return optuna.storages.RDBStorage(address, engine_kwargs=waits)


@contextmanager
def _told(address: str) -> Iterator[str]:
    try:
        yield address
    except (ImportError, SQLAlchemyError) as error:
        reason = str(error.__cause__ if isinstance(error, ImportError) else error).splitlines()[0]
        raise UsageError(f"--storage {hidden(address)}: can't be used ({redacted(reason)}).") from error


def _own(folder: Path) -> str:
    path = str((folder / DATABASE).resolve())
    if any(sign in path for sign in "?{}"):
        raise UsageError(f"{folder}: an SQLite file can't lie below a name with ? or braces. Choose another --out.")
    return f"sqlite:///{path}"
