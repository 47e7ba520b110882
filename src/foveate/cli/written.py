"""Tables in the form that is asked for, on the terminal or in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import new_table, say, say_table
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.evaluation.forms import Grid
    from foveate.evaluation.protocol import Record

Form = Literal["terminal", "markdown", "csv", "latex", "json"]

ENDINGS: dict[str, Form] = {".md": "markdown", ".csv": "csv", ".tex": "latex", ".json": "json"}
"""Of files, by which the form is chosen where it isn't said."""

FORMAT = Annotated[Form | None, typer.Option("--format", help="Form of the table; by itself that of -o's ending.")]
OUT = Annotated[Path | None, typer.Option("-o", "--out", help="Write to this file in place of the terminal.")]
OVERWRITE = Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")]


def form_of(form: Form | None, out: Path | None, *, overwrite: bool) -> Form:
    """The form to write. Raises UsageError for an ending that says none, OutputError for a file that is there."""
    if out is None:
        return form or "terminal"
    if form == "terminal" or (form is None and out.suffix not in ENDINGS):
        raise UsageError(f"-o {out}: say --format markdown, csv, latex or json, or let it end in {', '.join(ENDINGS)}.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already. Choose another file, or --overwrite.")
    return form or ENDINGS[out.suffix]


def write(
    form: Form,
    out: Path | None,
    *,
    grids: Sequence[Grid],
    comma_separated: Callable[[], str],
    records: Sequence[Record],
    key: str,
) -> None:
    """Print the tables, or write them; as JSON one record as it is, several under the key."""
    from foveate.imaging import write_text

    if form == "terminal":
        for grid in grids:
            _print(grid)
        return
    text = _text(form, grids, comma_separated, records, key)
    if out is None:
        say(text.removesuffix("\n"))
    else:
        write_text(text, out)
        say(f"Written: {out}")


def _text(
    form: Form, grids: Sequence[Grid], comma_separated: Callable[[], str], records: Sequence[Record], key: str
) -> str:
    from foveate.evaluation.forms import latex, markdown

    if form == "csv":
        return comma_separated()
    if form == "json":
        import json

        documents = [record.model_dump(mode="json") for record in records]
        return json.dumps(documents[0] if len(documents) == 1 else {key: documents}, indent=2) + "\n"
    return "\n".join(map(markdown if form == "markdown" else latex, grids))


def _print(grid: Grid) -> None:
    drawing = new_table()
    for number, cell in enumerate(grid.header):
        drawing.add_column(cell, justify="right" if number else "left")
    for part in grid.parts:
        for row in part:
            drawing.add_row(*row)
        drawing.add_row()
    say(grid.title + "\n")
    say_table(drawing)
    for note in grid.notes:
        say(note)
