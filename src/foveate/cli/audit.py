"""`foveate audit`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foveate.cli.console import new_table, say, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.published.record import AuditRecord

COUNTED: dict[tuple[str, ...], str] = {
    ("fov",): "inside the FOV",
    ("image",): "whole image",
    ("fov", "image"): "either",
    (): "",
}
"""What the table says of the pixels that a row may have counted."""


def _rate(name: str) -> Any:
    return typer.Option(f"--{name}", metavar="RATE", help=f"Printed {name}, 0 to 1, with all digits that are printed.")


def audit(
    paper: Annotated[str | None, typer.Option(help="Only this paper's rows: 000 to 004.")] = None,
    of_set: Annotated[
        str | None, typer.Option("--set", help="Only rows of this data set, or the set of a row of your own.")
    ] = None,
    sensitivity: Annotated[str | None, _rate("sensitivity")] = None,
    specificity: Annotated[str | None, _rate("specificity")] = None,
    precision: Annotated[str | None, _rate("precision")] = None,
    accuracy: Annotated[str | None, _rate("accuracy")] = None,
    f1: Annotated[str | None, _rate("f1")] = None,
    iou: Annotated[str | None, _rate("iou")] = None,
    decimals: Annotated[
        int | None, typer.Option(min=1, max=12, help="Digits after the point, where zeros at the end were left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether published scores can be true, which share of vessels they imply, and which pixels they count.

    Without rates, the result tables of the five papers. The exit status is 0 whatever comes out: a verdict on a row is
    a result, not a failure.

    foveate audit --set drive --sensitivity .8285 --specificity .9822 --accuracy .9677 --f1 .8166
    """
    from foveate.public.audit import audit as audit_rows

    records = audit_rows(
        paper=paper,
        set=of_set,
        sensitivity=sensitivity,
        specificity=specificity,
        precision=precision,
        accuracy=accuracy,
        f1=f1,
        iou=iou,
        decimals=decimals,
    )
    if as_json:
        say(json.dumps([record.model_dump(mode="json") for record in records], indent=2, ensure_ascii=False))
    else:
        _print(records)


def _print(records: Sequence[AuditRecord]) -> None:
    table = new_table()
    for title in ("paper", "table", "row", "set", "verdict", "share implied", "counted"):
        table.add_column(title)
    said: dict[tuple[str, ...], list[str]] = {}
    for record in records:
        name = record.row + (f" [{record.cites}]" if record.cites else "")
        cells = (record.paper, ", ".join(record.tables), name, record.set, record.verdict)
        table.add_row(*cells, record.in_short, COUNTED[record.counted])
        said.setdefault(record.sentences, []).append(" ".join(filter(None, (record.paper, *record.tables[:1], name))))
    say_table(table)
    for lines, names in said.items():
        say(f"\n{'; '.join(names)}\n  " + "\n  ".join(lines))
