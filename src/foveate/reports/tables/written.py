"""Results, comparisons and matrices as the text of a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from foveate.errors import UsageError
from foveate.evaluation.compare import Comparison
from foveate.evaluation.cross import CrossMatrix
from foveate.evaluation.result import EvaluationResult, as_json
from foveate.imaging import csv_text
from foveate.reports.tables.comparison_tables import comparison_csv, comparison_table, cross_csv, cross_table
from foveate.reports.tables.image_rows import image_rows
from foveate.reports.tables.text_table import TextTable, latex, markdown

TableForm = Literal["markdown", "csv", "latex", "json"]

Records = Sequence[EvaluationResult] | Sequence[Comparison] | Sequence[CrossMatrix]


def text_tables(records: Records) -> list[TextTable]:
    """Tables of words. Raises UsageError for results, of which there are none yet: these are for `compare`."""
    return [_text_table(record) for record in records]


def text_of(records: Records, form: TableForm) -> str:
    """As JSON one record as it is, several in one object; as CSV a row for each image of results.

    Raises UsageError for no record, and for results in another form.
    """
    if not records:
        raise UsageError("there is nothing to write: give at least one result.")
    if form in ("markdown", "latex"):
        write: Callable[[TextTable], str] = markdown if form == "markdown" else latex
        return "\n".join(map(write, text_tables(records)))
    first = records[0]
    if isinstance(first, EvaluationResult):
        results: Any = records
        return as_json(results) if form == "json" else csv_text(image_rows(results))
    same: Any = records
    if form == "csv":
        return comparison_csv(same) if isinstance(first, Comparison) else cross_csv(same)
    documents = [record.model_dump(mode="json") for record in records]
    key = "comparisons" if isinstance(first, Comparison) else "matrices"
    return json.dumps(documents[0] if len(documents) == 1 else {key: documents}, indent=2) + "\n"


def _text_table(record: EvaluationResult | Comparison | CrossMatrix) -> TextTable:
    if isinstance(record, Comparison):
        return comparison_table(record)
    if isinstance(record, CrossMatrix):
        return cross_table(record)
    raise UsageError("results are written as json or csv; `compare` makes tables of them, also of one alone.")
