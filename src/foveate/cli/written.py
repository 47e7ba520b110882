"""Tables in the form that is asked for, on the terminal or in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import new_table, say, say_table
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.reports.tables.text_table import TextTable
    from foveate.reports.tables.written import Records

OutputForm = Literal["terminal", "markdown", "csv", "latex", "json"]

FORMAT = Annotated[
    OutputForm | None, typer.Option("--format", help="Form of the table; by itself that of -o's ending.")
]
OUT = Annotated[Path | None, typer.Option("-o", "--out", help="Write to this file in place of the terminal.")]
OVERWRITE = Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")]


def form_of(form: OutputForm | None, out: Path | None, *, overwrite: bool) -> OutputForm:
    """The form to write. Raises UsageError for an ending that says none, OutputError for a file that is there."""
    if out is None:
        return form or "terminal"
    from foveate.public.files import ENDINGS

    if form == "terminal" or (form is None and out.suffix not in ENDINGS):
        raise UsageError(f"-o {out}: say --format markdown, csv, latex or json, or let it end in {', '.join(ENDINGS)}.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already. Choose another file, or --overwrite.")
    return form or ENDINGS[out.suffix]


def write(form: OutputForm, out: Path | None, records: Records) -> None:
    """Print the tables of comparisons or matrices, or write them."""
    from foveate.public.files import write_results
    from foveate.reports.tables.written import text_of, text_tables

    if form == "terminal":
        for table in text_tables(records):
            _print(table)
    elif out is None:
        say(text_of(records, form).removesuffix("\n"))
    else:
        write_results(records, out, format=form, overwrite=True)
        say(f"Written: {out}")


def _print(table: TextTable) -> None:
    drawing = new_table()
    for number, cell in enumerate(table.header):
        drawing.add_column(cell, justify="right" if number else "left")
    for part in table.parts:
        for row in part:
            drawing.add_row(*row)
        drawing.add_row()
    say(table.title + "\n")
    say_table(drawing)
    for note in table.notes:
        say(note)
