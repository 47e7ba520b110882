"""Reporting a run to MLflow: its recipe when it begins, the numbers of each epoch, its files at the end.

A store that doesn't answer is an error before anything is trained. One that is lost later never stops a training: it
is said once, tried again from time to time, and gets all that it lacks as soon as it answers, or when the run goes on.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foveate.errors import OutputError, TrainingError, UsageError, install_line
from foveate.recipes.schema import Recipe
from foveate.training.run.facts import FACTS
from foveate.training.run.folder import BEST, CURVES, RECIPE, TABLE, add_to_log
from foveate.training.run.progress import EpochRow
from foveate.training.run.provenance import redacted

if TYPE_CHECKING:
    from mlflow import MlflowClient

Report = Callable[[Sequence[EpochRow]], None]
"""Sends what of all the run's epochs the store has not got yet."""

TRY_AGAIN_AFTER = 60.0
"""Seconds, for a store that did not answer: waiting for it takes time from the training."""

PARAMETERS_AT_ONCE = 100
"""MLflow's bound on one request."""

REMOTE = ("http:", "https:", "databricks")
"""Stores that keep files themselves; of a database the files lie beside the run."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where MLflow keeps runs; it has answered."""

    client: MlflowClient
    address: str
    """For people: without a password."""
    experiment: str
    """Its id."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """The run's counterpart in MLflow."""

    store: Store
    id: str
    rows: list[EpochRow] = field(default_factory=list)
    """All that the run has."""
    sent: set[int] = field(default_factory=set)
    """Epochs that the store has."""
    failures: list[float] = field(default_factory=list)
    """When it did not answer, since it last did; in seconds of a clock that only rises."""


def connect(address: str, *, experiment: str, folder: Path) -> Store:
    """Ask the store at an address, a server's or a database's, for an experiment, made if need be.

    Of a database, files go to `mlflow_artifacts` beside the run's `folder`. Raises UsageError where MLflow isn't
    installed, TrainingError where the store doesn't answer.
    """
    try:
        from mlflow import MlflowClient
    except ModuleNotFoundError as error:
        raise UsageError(f"--track needs mlflow, which is not installed: {install_line('track')}") from error
    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    place = None if address.startswith(REMOTE) else (folder.resolve().parent / "mlflow_artifacts").as_uri()
    try:
        client = MlflowClient(tracking_uri=address)
        existing = client.get_experiment_by_name(experiment)
        name = existing.experiment_id if existing else client.create_experiment(experiment, artifact_location=place)
    except _troubles() as error:
        raise _unusable(_public(address), error) from error
    return Store(client, _public(address), name)


@contextmanager
def reporting(
    store: Store | None, recipe: Recipe, facts: dict[str, Any], folder: Path, say: Callable[[str], None]
) -> Iterator[Report]:
    """Report the run in `folder` while it trains; `facts` get to know as what. None: no report.

    A run that MLflow has by `facts` goes on there. Raises TrainingError where that can't begin.
    """
    if store is None:
        yield lambda rows: None
        return
    tracked = _begin(store, recipe, facts, folder)
    facts["track"] = {"store": store.address, "run": tracked.id}
    say(f"reports to MLflow: {store.address}, run {tracked.id}")

    def tell(sentence: str) -> None:
        if sentence:
            add_to_log(folder, sentence)
            say(sentence)

    status = "FAILED"
    try:
        yield lambda rows: tell(_report(tracked, rows))
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        with suppress(OutputError):
            tell(_finish(tracked, folder, status))


def _begin(store: Store, recipe: Recipe, facts: Mapping[str, Any], folder: Path) -> Tracked:
    """The run that MLflow has of this folder, or a new one."""
    known = facts.get("track", {}).get("run")
    try:
        if known is None:
            return _new(store, recipe, facts, folder)
        store.client.update_run(known, status="RUNNING")
        if "resumed" in facts:
            store.client.set_tag(known, "resumed", redacted(facts["resumed"][-1]["command"]))
        return Tracked(store, known, sent=_epochs_of(store.client, known))
    except _troubles() as error:
        raise _unusable(store.address, error) from error


def _new(store: Store, recipe: Recipe, facts: Mapping[str, Any], folder: Path) -> Tracked:
    from mlflow.entities import Param

    tags = {
        "command": redacted(facts["command"]),
        "source_commit": facts["source_commit"],
        "data": ", ".join(facts["data"]),
        "folder": str(folder.resolve()),
    }
    run = store.client.create_run(store.experiment, run_name=folder.resolve().name, tags=tags).info.run_id
    parameters = [Param(key, value) for key, value in flat(recipe.model_dump(mode="json")).items()]
    for first in range(0, len(parameters), PARAMETERS_AT_ONCE):
        store.client.log_batch(run, params=parameters[first : first + PARAMETERS_AT_ONCE])
    return Tracked(store, run)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Every key by its full name, as in `training.epochs`, with its value as in TOML, texts without quotes."""
    flattened: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flattened |= flat(value, f"{prefix}{key}.")
        else:
            flattened[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return flattened


def numbers(row: EpochRow) -> dict[str, float]:
    """What MLflow draws of an epoch, by name."""
    return {
        "loss": row.loss,
        "validation_loss": row.validation_loss,
        "mean_f1": row.mean_f1,
        **{f"f1_{name}": f1 for name, f1 in row.f1.items()},
        "learning_rate": row.learning_rate,
        "images_per_second": row.images_per_second,
    }


def _send(tracked: Tracked) -> None:
    """All epochs that the store lacks, each whole or not at all."""
    from mlflow.entities import Metric

    client, now = tracked.store.client, int(time.time() * 1000)
    if tracked.failures:  # what seemed not to arrive may have done so
        tracked.sent.update(_epochs_of(client, tracked.id))
    for row in tracked.rows:
        if row.epoch not in tracked.sent:
            client.log_batch(tracked.id, [Metric(name, value, now, row.epoch) for name, value in numbers(row).items()])
            tracked.sent.add(row.epoch)


def _epochs_of(client: MlflowClient, run: str) -> set[int]:
    return {metric.step for metric in client.get_metric_history(run, "loss")}


def _report(tracked: Tracked, rows: Sequence[EpochRow]) -> str:
    """Send what the store lacks; what to say of it, where its answers begin or end."""
    tracked.rows[:] = rows
    if tracked.failures and time.monotonic() - tracked.failures[-1] < TRY_AGAIN_AFTER:
        return ""
    try:
        _send(tracked)
    except _troubles() as error:
        tracked.failures.append(time.monotonic())
        lost = f"{tracked.store.address}: MLflow doesn't answer any more ({_reason(error)}); the training goes on."
        return lost if len(tracked.failures) == 1 else ""
    return _answered(tracked)


def _finish(tracked: Tracked, folder: Path, status: str) -> str:
    """Send the files of a finished run, and how it ended; what to say of that."""
    client = tracked.store.client
    if tracked.failures and status == "KILLED":
        return ""  # whoever stops a run doesn't wait
    try:
        _send(tracked)
        for name in (RECIPE, FACTS, TABLE, CURVES, BEST) if status == "FINISHED" else ():
            client.log_artifact(tracked.id, folder / name)
        client.set_terminated(tracked.id, status=status)
    except _troubles() as error:
        missing = [str(row.epoch) for row in tracked.rows if row.epoch not in tracked.sent]
        lacks = f"epochs {', '.join(missing)} and the files" if missing else "the files"
        return (
            f"{tracked.store.address}: MLflow doesn't answer ({_reason(error)}), so it lacks {lacks} of this run."
            f" `foveate train --resume {folder}` sends them."
        )
    return _answered(tracked)


def _answered(tracked: Tracked) -> str:
    if not tracked.failures:
        return ""
    tracked.failures.clear()
    return f"{tracked.store.address}: MLflow answers again, and has all epochs."


def _troubles() -> tuple[type[Exception], ...]:
    """What MLflow raises where a server, a database or a disk doesn't do what it is asked."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, OSError)


def _unusable(address: str, error: Exception) -> TrainingError:
    return TrainingError(
        f"{address}: MLflow can't report there ({_reason(error)}). Set MLFLOW_TRACKING_URI to a store that answers, or"
        " train with --no-track."
    )


def _reason(error: BaseException) -> str:
    """The first line of what is at the bottom: of a connection the system's own words."""
    chain = [error]
    while (before := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(before)
    deepest = next((cause for cause in reversed(chain) if isinstance(cause, OSError)), error)
    text = getattr(deepest, "strerror", None) or str(deepest).strip().partition("\n")[0]
    return _public(text)[:200].rstrip(".")


def _public(address: str) -> str:
    """Without user, password and other secrets."""
    return redacted(re.sub(r"//[^/@\s]*@", "//", address))
