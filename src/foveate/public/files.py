"""`foveate.read_results` and `foveate.write_results`: results from files, and into files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import OutputError, UsageError, needs

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult
    from foveate.reports.tables.written import Records, TableForm


ENDINGS: dict[str, TableForm] = {".md": "markdown", ".csv": "csv", ".tex": "latex", ".json": "json"}
"""Of files, by which the form is chosen where it isn't said."""


def read_results(file: str | Path) -> list[EvaluationResult]:
    """What `foveate evaluate --json`, `foveate report` or `write_results` wrote.

    Raises `foveate.errors.UsageError` for a file that can't be read, `DataError` for one that holds something else.
    """
    with needs("evaluate", "reading results"):
        from foveate.evaluation import result

    return result.read_results(Path(file))


def write_results(
    results: Records,
    file: str | Path,
    *,
    format: TableForm | None = None,  # noqa: A002 (the option's own name)
    overwrite: bool = False,
) -> None:
    """Write what `evaluate`, `compare` or `cross` returned as the commands do: in a `format`, or by the file's ending.

    'json' is everything and reads back; 'csv' has numbers for a spreadsheet, of results a row for each image;
    'markdown' and 'latex' are tables of comparisons and matrices. Raises `foveate.errors.UsageError` for an ending that
    says nothing, OutputError for a file that is there, unless `overwrite`, or can't be written.
    """
    with needs("evaluate", "writing results"):
        from foveate.imaging import write_text
        from foveate.reports.tables.written import text_of

    path = Path(file)
    form = format or ENDINGS.get(path.suffix)
    if form is None:
        raise UsageError(f"{path}: say format 'markdown', 'csv', 'latex' or 'json', or end it in {', '.join(ENDINGS)}.")
    if path.exists() and not overwrite:
        raise OutputError(f"{path}: is there already. Choose another file, or overwrite it.")
    write_text(text_of(results, form), path)
