"""Models trained on some sets, tested on others: one score for each model on each set, and what of it was leaked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from foveate.evaluation.protocol import NOTICE, DataSummary, Record
from foveate.evaluation.result import EvaluationResult, Interval, ScopeScores
from foveate.evaluation.words import statement
from foveate.records import Scope


class CrossCell(Record):
    """One model on one set."""

    data: DataSummary = Field(description="Which images, and how many of them the model has seen before.")
    value: float | None = Field(description="The measure, pooled; null where undefined.")
    interval: Interval | None = Field(description="Of that, over other images.")
    counts_everything: bool = Field(description="Whether every pixel was counted, as there is no field of view.")
    statement: str = Field(description="How it was counted.")


class CrossRow(Record):
    """One model on every set."""

    name: str = Field(description="The model.")
    trained_on: tuple[str, ...] = Field(description="The sets that it has learnt from, by its card.")
    cells: dict[str, CrossCell] = Field(description="Data set to score.")


class CrossMatrix(Record):
    """A matrix of models and sets."""

    schema_version: Literal[1] = Field(default=1, description="Grows when a field changes its meaning or goes away.")
    measure: str = Field(description="What the cells are.")
    scope: Scope = Field(description="Which pixels were counted.")
    of_class: str = Field(description="The class that was scored.")
    rows: tuple[CrossRow, ...] = Field(description="One for each model.")
    notice: str = Field(default=NOTICE, description="What the result is not.")


def cross(
    results: Sequence[tuple[str, Sequence[tuple[str, EvaluationResult]]]], of_class: str, *, measure: str, scope: Scope
) -> CrossMatrix:
    """The matrix of models' names, each with a set's name and the result on it, for one class."""
    return CrossMatrix(
        measure=measure,
        scope=scope,
        of_class=of_class,
        rows=tuple(
            CrossRow(
                name=name,
                trained_on=on_sets[0][1].model.trained_on,
                cells={title: _cell(result, of_class, measure, scope) for title, result in on_sets},
            )
            for name, on_sets in results
        ),
    )


def _cell(result: EvaluationResult, of_class: str, measure: str, scope: Scope) -> CrossCell:
    score: ScopeScores = getattr(result.classes[of_class], scope)
    return CrossCell(
        data=result.data,
        value=score.pooled.values[measure],
        interval=score.pooled.intervals.get(measure),
        counts_everything=result.protocol.counts_everything,
        statement=statement(result),
    )
