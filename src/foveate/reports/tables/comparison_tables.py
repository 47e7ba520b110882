"""Comparisons and matrices as tables of words, and as lines of numbers for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from foveate.evaluation.measures import MEASURES
from foveate.evaluation.words import known_images
from foveate.imaging import csv_text
from foveate.reports.tables.result_tables import UNDEFINED, number, span
from foveate.reports.tables.text_table import INDENT, TableRow, TextTable

if TYPE_CHECKING:
    from foveate.evaluation.compare import ComparedMeasure, ComparedModel, Comparison, PublishedScores
    from foveate.evaluation.cross import CrossCell, CrossMatrix

WHERE = {"fov": "inside the field of view", "image": "whole image"}


def comparison_table(comparison: Comparison) -> TextTable:
    """Models with their rows, then what papers printed; a column for each measure, then what a model costs."""
    measures = list(comparison.models[0].measures)
    heads = [_title(measure) for measure in measures]
    whole = all(model.protocol.counts_everything for model in comparison.models)
    where = WHERE["image" if whole else comparison.scope]
    return TextTable(
        title=f"{comparison.of_class} on {comparison.set}, {comparison.split}, {where}",
        header=("", *heads, "parameters", "GMACs", "ms/image"),
        parts=(
            *(tuple(_model_rows(model, comparison.models[0].name)) for model in comparison.models),
            *([_published_rows(comparison.published, measures)] if comparison.published else []),
        ),
        notes=tuple(_notes(comparison)),
    )


def cross_table(matrix: CrossMatrix) -> TextTable:
    """A row for each model, a column for each set; * where the model has seen images that it was scored on."""
    sets = list(matrix.rows[0].cells)
    rows = tuple(
        (row.name, ", ".join(row.trained_on) or UNDEFINED, *(_cross_cell(matrix.measure, row.cells[i]) for i in sets))
        for row in matrix.rows
    )
    whole = all(cell.counts_everything for row in matrix.rows for cell in row.cells.values())
    notes = [
        f"* {row.name} on {name}: of {cell.data.count} images the model has seen {seen}."
        for row in matrix.rows
        for name, cell in row.cells.items()
        if (seen := known_images(cell.data))
    ]
    return TextTable(
        title=f"{_title(matrix.measure)} of {matrix.of_class}, pooled, {WHERE['image' if whole else matrix.scope]}",
        header=("model", "trained on", *sets),
        parts=(rows,),
        notes=(*notes, *(cell.statement for row in matrix.rows for cell in row.cells.values()), matrix.notice),
    )


def comparison_csv(comparisons: Iterable[Comparison]) -> str:
    """A line for each measure of each model and published row; numbers in full, conditions in the last column."""
    head = "kind set split class scope model measure pooled pooled_low pooled_high mean mean_low mean_high undefined"
    head += " images difference difference_low difference_high p p_corrected parameters gmacs milliseconds conditions"
    lines: list[Sequence[object]] = [head.split()]
    for comparison in comparisons:
        where = (comparison.set, comparison.split, comparison.of_class, comparison.scope)
        for model in comparison.models:
            cost = (model.model.parameters, model.model.gmacs, model.milliseconds, model.statement)
            lines += [
                ("measured", *where, model.name, measure, *_numbers(compared), *cost)
                for measure, compared in model.measures.items()
            ]
        for row in comparison.published:
            millions = row.values.get("parameters_millions")
            parameters = None if millions is None else round(millions * 1e6)
            lines += [
                (
                    "published",
                    comparison.set,
                    None,
                    comparison.of_class,
                    None,
                    _label(row),
                    measure,
                    value,
                    *[None] * 12,
                    *(parameters, None, None, _conditions(row)),
                )
                for measure, value in row.values.items()
                if measure in MEASURES
            ]
    return csv_text(lines)


def cross_csv(matrices: Iterable[CrossMatrix]) -> str:
    """A line for each model on each set."""
    head = "model trained_on set split images seen_in_training seen_in_validation class scope measure value low high"
    lines: list[Sequence[object]] = [[*head.split(), "conditions"]]
    for matrix in matrices:
        for row in matrix.rows:
            for name, cell in row.cells.items():
                data = cell.data
                images = (name, data.split, data.count, data.seen_in_training, data.seen_in_validation)
                what = (matrix.of_class, matrix.scope, matrix.measure, cell.value, *(cell.interval or (None, None)))
                lines.append((row.name, " ".join(row.trained_on), *images, *what, cell.statement))
    return csv_text(lines)


def _model_rows(model: ComparedModel, first: str) -> Iterable[TableRow]:
    costs = (
        UNDEFINED if model.model.parameters is None else f"{model.model.parameters:,}",
        number(model.model.gmacs, 2),
        number(model.milliseconds, 0),
    )
    measures = model.measures
    yield (
        f"{model.name}, pooled",
        *(number(compared.pooled, MEASURES[m].pooled_digits) for m, compared in measures.items()),
        *costs,
    )
    yield _row("95 % interval", (span(m, compared.pooled_interval) for m, compared in measures.items()))
    yield _row("mean over images", (number(compared.mean, MEASURES[m].digits) for m, compared in measures.items()))
    yield _row("95 % interval", (span(m, compared.mean_interval) for m, compared in measures.items()))
    if any(compared.undefined for compared in measures.values()):
        yield _row("images undefined", (str(compared.undefined) for compared in measures.values()))
    against = {m: compared.against_first for m, compared in measures.items() if compared.against_first is not None}
    if not against:
        return
    yield _row(
        f"minus {first}",
        (
            "" if test.difference is None else f"{test.difference:+.{MEASURES[m].digits}f}"
            for m, test in against.items()
        ),
    )
    yield _row("95 % interval", (span(m, test.interval) for m, test in against.items()))
    yield _row("p, corrected", (_p(test.corrected) for test in against.values()))


def _row(name: str, cells: Iterable[str]) -> TableRow:
    return (f"{INDENT}{name}", *(cell or UNDEFINED for cell in cells), "", "", "")


def _p(value: float | None) -> str:
    return UNDEFINED if value is None else "<.0001" if value < 0.0001 else f"{value:.4f}"


def _published_rows(rows: Iterable[PublishedScores], measures: Sequence[str]) -> tuple[TableRow, ...]:
    heading = ("published, not measured here", *[""] * (len(measures) + 3))
    return (
        heading,
        *(
            (
                INDENT + _label(row),
                *(row.printed.get(measure, UNDEFINED) for measure in measures),
                f"{row.printed['parameters_millions']} M" if "parameters_millions" in row.printed else UNDEFINED,
                UNDEFINED,
                UNDEFINED,
            )
            for row in rows
        ),
    )


def _label(row: PublishedScores) -> str:
    return f"{row.paper} {row.table} {row.name}" + (f" [{row.cites}]" if row.cites else "")


def _notes(comparison: Comparison) -> Iterable[str]:
    for model in comparison.models:
        if seen := known_images(model.data):
            yield f"{model.name}: no test scores, of the {model.data.count} images the model has seen {seen}."
        yield model.statement
    if comparison.tests:
        yield (
            "Differences: mean over images, minus the first model's. p: signed-rank test over images, those of a"
            f" patient together as a group, by Holm's correction for the {comparison.tests} tests of this table."
            + _floor(comparison)
        )
    yield (
        "GMACs: for one image of 512×512. ms/image: median, from the image in memory to its mask, on the machine that"
        " evaluated it."
    )
    if comparison.published:
        yield (
            "Published rows are as printed, per cent as shares: paper, table, row, and in brackets the reference that"
            " the paper took it from, whose conditions it doesn't state."
        )
    yield from dict.fromkeys(
        f"Published, {row.paper} {row.table}: {_conditions(row)}." for row in comparison.published if not row.cites
    )
    yield comparison.notice


def _floor(comparison: Comparison) -> str:
    """What is the least that p could be, where the table's four decimals would show it; '' elsewhere."""
    if comparison.smallest is None or comparison.smallest < 0.0001:
        return ""
    against = [compared.against_first for model in comparison.models for compared in model.measures.values()]
    groups = max(test.groups for test in against if test is not None)
    return f" With {groups} group{'s' * (groups > 1)} it can't fall below {_p(comparison.smallest)}."


def _conditions(row: PublishedScores) -> str:
    return "; ".join(f"{name} {value}" for name, value in row.conditions.items())


def _cross_cell(measure: str, cell: CrossCell) -> str:
    shown, interval = number(cell.value, MEASURES[measure].pooled_digits), span(measure, cell.interval)
    return shown + (f" ({interval})" if interval else "") + ("*" if known_images(cell.data) else "")


def _numbers(compared: ComparedMeasure) -> list[float | int | None]:
    against = compared.against_first
    tested: list[float | int | None] = [None] * 6
    if against is not None:
        tested = [against.images, against.difference, *(against.interval or (None, None)), against.p, against.corrected]
    pooled, mean = compared.pooled_interval or (None, None), compared.mean_interval or (None, None)
    return [compared.pooled, *pooled, compared.mean, *mean, compared.undefined, *tested]


def _title(measure: str) -> str:
    return measure.replace("_", " ")
