"""Several models on the same images: their scores beside each other, and whether the models differ, image by image."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import Field

from foveate.errors import UsageError
from foveate.evaluation.counting import FovSource
from foveate.evaluation.protocol import NOTICE, DataSummary, ModelSummary, Protocol, Record
from foveate.evaluation.result import EvaluationResult, ImageScore, ImageScoresByScope, Interval, ScopeScores
from foveate.evaluation.words import statement
from foveate.metrics.bootstrap import mean_interval
from foveate.metrics.paired import compare_paired, holm
from foveate.published import PublishedRow
from foveate.records import Scope

MEASURES = ("f1", "iou", "sensitivity", "specificity", "roc_auc", "cldice")
"""What is compared unless something else is asked for."""


_WHERE: dict[FovSource, str] = {
    "set": "inside the set's own field of view",
    "estimated": "inside an estimated field of view",
    "whole": "the whole image",
}


class AgainstFirst(Record):
    """A model's images against the first model's."""

    images: int = Field(ge=0, description="On how many images both have a value.")
    difference: float | None = Field(description="Mean over them of this model's value minus the first's.")
    interval: Interval | None = Field(description="Of that mean, over other images.")
    groups: int = Field(ge=0, description="How many patients or eyes have an image that tells the two apart.")
    p: float | None = Field(
        description="Signed-rank test by patients or eyes, two-sided; null where no image tells them apart."
    )
    smallest: float | None = Field(description="What p can't fall below with so many groups; null where p is.")
    corrected: float | None = Field(description="The same by Holm's correction for all tests of the comparison.")


class ComparedMeasure(Record):
    """One measure of one model."""

    pooled: float | None = Field(description="Over all pixels; null where undefined or not measured.")
    pooled_interval: Interval | None = Field(description="Of that, over other images.")
    mean: float | None = Field(description="Over images.")
    mean_interval: Interval | None = Field(description="Of that, over other images.")
    undefined: int = Field(ge=0, description="How many images that mean leaves out, as undefined there.")
    against_first: AgainstFirst | None = Field(description="Null for the first model.")


class ComparedModel(Record):
    """One model."""

    name: str = Field(description="Its name, with where it lies if two have the same.")
    model: ModelSummary = Field(description="Which model it is.")
    data: DataSummary = Field(description="Which images it was evaluated on, and how many of them it has seen before.")
    protocol: Protocol = Field(description="How it was prepared, predicted and counted.")
    statement: str = Field(description="The same in a sentence.")
    milliseconds: float | None = Field(
        ge=0, description="Median over images, from the image in memory to its mask; null for masks from files."
    )
    measures: dict[str, ComparedMeasure] = Field(description="Measure to values.")


class PublishedScores(Record):
    """A row that a paper printed, on the same data set but not measured here."""

    paper: str = Field(description="Number of the paper, 000 to 004.")
    table: str = Field(description="The table's number.")
    name: str = Field(description="What the row is called.")
    cites: str = Field(description="The paper's reference that it is taken from; '' for the paper's own.")
    conditions: dict[str, str] = Field(description="What the paper says of how it was measured.")
    printed: dict[str, str] = Field(description="Measure to the number as it stands there, per cent as a share.")
    values: dict[str, float] = Field(description="The same as numbers.")


class Comparison(Record):
    """One class in one scope."""

    schema_version: Literal[1] = Field(default=1, description="Grows when a field changes its meaning or goes away.")
    set: str = Field(description="The data set's name.")
    split: str = Field(description="The part of it.")
    of_class: str = Field(description="The class that was scored.")
    scope: Scope = Field(description="Which pixels were counted.")
    tests: int = Field(ge=0, description="How many tests were made, for which the p values are corrected.")
    smallest: float | None = Field(
        description="What the smallest corrected p can't fall below with so many tests and groups; null without a test."
    )
    models: tuple[ComparedModel, ...] = Field(description="The first is what the others are compared with.")
    published: tuple[PublishedScores, ...] = Field(description="What papers printed of this set.")
    notice: str = Field(default=NOTICE, description="What the result is not.")


def compare(
    results: Mapping[str, EvaluationResult],
    of_class: str,
    *,
    scope: Scope = "fov",
    measures: Sequence[str] = MEASURES,
    published: Iterable[PublishedRow] = (),
) -> Comparison:
    """Compare results by name, the first with each other, on one class; `published` are rows of any set.

    Raises UsageError unless all are of the same images, counted in the same way.
    """
    check_same(results, scope)
    names = list(results)
    first = results[names[0]]
    tested = {
        (name, measure): _against(first, results[name], of_class, scope, measure)
        for name in names[1:]
        for measure in measures
    }
    corrected = dict(zip(tested, holm([test.p for test in tested.values()]), strict=True))
    against = {key: test.model_copy(update={"corrected": corrected[key]}) for key, test in tested.items()}
    floors = [test.smallest for test in tested.values() if test.smallest is not None]
    return Comparison(
        set=first.data.set,
        split=first.data.split,
        of_class=of_class,
        scope=scope,
        tests=len(floors),
        smallest=min(1.0, len(floors) * min(floors)) if floors else None,
        models=tuple(_model(name, results[name], of_class, scope, measures, against) for name in names),
        published=tuple(_published(row, measures) for row in published if row.set == first.data.set),
    )


def compare_classes(
    results: Mapping[str, EvaluationResult], measures: Sequence[str], scope: Scope, published: Sequence[PublishedRow]
) -> list[Comparison]:
    """One comparison for each class; a measure that no model has is left out. Raises UsageError as `compare` does, and
    where no measure is left."""
    comparisons = []
    for name in next(iter(results.values())).classes:
        scores = [getattr(result.classes[name], scope) for result in results.values() if name in result.classes]
        known = [measure for measure in measures if any(measure in score.per_image.mean for score in scores)]
        if not known:
            raise UsageError(f"none of the models has {', '.join(measures)}: evaluate them again with it.")
        comparisons.append(compare(results, name, scope=scope, measures=known, published=published))
    return comparisons


def check_same(results: Mapping[str, EvaluationResult], scope: Scope) -> None:
    """Raise UsageError, saying what differs, unless all results are of the same images, counted in the same way."""
    (one, first), *others = results.items()
    for other, result in others:
        for what, mine, theirs in (
            ("set", first.data.set, result.data.set),
            ("image size", first.protocol.size, result.protocol.size),
            ("agreement on an empty truth", first.protocol.empty, result.protocol.empty),
            ("classes", ", ".join(first.classes), ", ".join(result.classes)),
            ("left out are the pixels of", _left_out(first), _left_out(result)),
        ):
            if mine != theirs:
                raise UsageError(f"{one} and {other} can't be compared: {what} '{mine}' and '{theirs}'.")
        _check_images(one, first, other, result, scope)


def _left_out(result: EvaluationResult) -> str:
    return ", ".join(sorted(result.protocol.left_out)) or "nothing"


def _check_images(one: str, first: EvaluationResult, other: str, result: EvaluationResult, scope: Scope) -> None:
    mine, theirs = ({row.id: row for row in evaluated.images} for evaluated in (first, result))
    if missing := [case_id for case_id in mine if case_id not in theirs] or [i for i in theirs if i not in mine]:
        has, lacks = (one, other) if missing[0] in mine else (other, one)
        raise UsageError(f"{one} and {other} can't be compared: {has} has the image '{missing[0]}', {lacks} hasn't.")
    for case_id, row in mine.items():
        if scope == "fov" and row.fov_source != theirs[case_id].fov_source:
            raise UsageError(
                f"{one} and {other} can't be compared: of '{case_id}' one counts {_WHERE[row.fov_source]}, the other"
                f" {_WHERE[theirs[case_id].fov_source]}. Evaluate both with the same --fov, or say --scope image."
            )
        for name, scopes in row.classes.items():
            counted = [_counted(getattr(by_scope, scope)) for by_scope in (scopes, theirs[case_id].classes[name])]
            if counted[0] != counted[1]:
                raise UsageError(
                    f"{one} and {other} can't be compared: of '{case_id}' one counts {counted[0][0]} pixels with"
                    f" {counted[0][1]} of {name}, the other {counted[1][0]} with {counted[1][1]}: other truths, or"
                    " other fields of view (then --scope image helps)."
                )


def _counted(score: ImageScore) -> tuple[int, int]:
    counts = score.counts
    foreground = counts.true_positive + counts.false_negative
    return foreground + counts.false_positive + counts.true_negative, foreground


def _against(
    first: EvaluationResult, result: EvaluationResult, of_class: str, scope: Scope, measure: str
) -> AgainstFirst:
    """This result's images minus the first's; both in the first's order."""
    rows = {row.id: row for row in result.images}
    pairs = [(_value(row.classes[of_class], scope, measure), row) for row in first.images]
    theirs = [_value(rows[row.id].classes[of_class], scope, measure) for _, row in pairs]
    groups = [row.group for _, row in pairs]
    (paired,) = compare_paired({"this": theirs, "first": [value for value, _ in pairs]}, groups)
    differences = [None if a is None or b is None else b - a for (a, _), b in zip(pairs, theirs, strict=True)]
    interval = mean_interval(differences, groups)
    return AgainstFirst(
        images=paired.images,
        difference=paired.difference,
        interval=None if interval is None else (interval.low, interval.high),
        groups=paired.groups,
        p=paired.p,
        smallest=paired.smallest,
        corrected=None,
    )


def _value(scopes: ImageScoresByScope, scope: Scope, measure: str) -> float | None:
    score: ImageScore = getattr(scopes, scope)
    return score.values.get(measure)


def _model(
    name: str,
    result: EvaluationResult,
    of_class: str,
    scope: Scope,
    measures: Sequence[str],
    against: Mapping[tuple[str, str], AgainstFirst],
) -> ComparedModel:
    score: ScopeScores = getattr(result.classes[of_class], scope)
    pooled, images = score.pooled, score.per_image
    return ComparedModel(
        name=name,
        model=result.model,
        data=result.data,
        protocol=result.protocol,
        statement=statement(result),
        # Without a model file its masks were read: the time says nothing of whatever made them.
        milliseconds=None
        if result.model.sha256 is None
        else 1000 * statistics.median(row.seconds for row in result.images),
        measures={
            measure: ComparedMeasure(
                pooled=pooled.values.get(measure),
                pooled_interval=pooled.intervals.get(measure),
                mean=images.mean.get(measure),
                mean_interval=images.intervals.get(measure),
                undefined=images.undefined.get(measure, 0),
                against_first=against.get((name, measure)),
            )
            for measure in measures
        },
    )


def _published(row: PublishedRow, measures: Sequence[str]) -> PublishedScores:
    wanted = {key: value for key, value in row.values.items() if key in (*measures, "parameters_millions")}
    conditions = row.conditions
    return PublishedScores(
        paper=row.paper,
        table=row.tables[0],
        name=row.name,
        cites=row.cites,
        conditions={key: getattr(conditions, key) for key in conditions.__dataclass_fields__},
        printed={key: str(Decimal(value.text) / (100 if value.percent else 1)) for key, value in wanted.items()},
        values={key: float(value) for key, value in wanted.items()},
    )
