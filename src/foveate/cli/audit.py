"""`foveate audit`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from foveate.cli.console import new_table, say, say_table
from foveate.cli.extras import needs
from foveate.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from foveate.published.audit import Audit
    from foveate.published.rows import Printed, Row

YOURS = "your row"

COUNTED = {("fov",): "inside the FOV", ("image",): "whole image", ("fov", "image"): "either", (): ""}
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
    typed = {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "precision": precision,
        "accuracy": accuracy,
        "f1": f1,
        "iou": iou,
    }
    given = {measure: text for measure, text in typed.items() if text is not None}
    rows = [_own_row(given, of_set, paper, decimals)] if given else _published(paper, of_set, decimals)
    with needs("evaluate"):
        from foveate.published.audit import audit as audit_row

        found = [audit_row(row) for row in rows]
    if as_json:
        say(json.dumps([_as_json(each) for each in found], indent=2, ensure_ascii=False))
    else:
        _print(found)


def _published(paper: str | None, of_set: str | None, decimals: int | None) -> list[Row]:
    from foveate.published import rows

    if decimals is not None:
        raise UsageError("--decimals is for a row of your own: give its rates, such as --sensitivity .8285.")
    chosen = list(rows())
    for kind, name, wanted in (("paper", "paper", paper), ("data set", "set", of_set)):
        known = sorted({getattr(row, name) for row in rows()})
        if wanted is not None and wanted not in known:
            raise UsageError(unknown(kind, wanted, known))
        chosen = [row for row in chosen if wanted in (None, getattr(row, name))]
    if not chosen:
        raise UsageError(f"paper {paper} has no row of {of_set}. `foveate audit --paper {paper}` shows those it has.")
    return chosen


def _own_row(given: Mapping[str, str], of_set: str | None, paper: str | None, decimals: int | None) -> Row:
    from foveate.published.counts import TITLES
    from foveate.published.rows import Conditions, Row

    if paper is not None:
        raise UsageError("--paper is for published rows, and rates are for one of your own: give the one or the other.")
    if of_set is not None and of_set not in TITLES:
        raise UsageError(unknown("data set", of_set, TITLES) + " Leave out --set for images that aren't among them.")
    if len(given) < 2:
        raise UsageError("one rate alone can always be true. Give at least two, such as --sensitivity and --f1.")
    values = {measure: _printed(measure, text, decimals) for measure, text in given.items()}
    return Row(paper="", tables=(), name=YOURS, cites="", set=of_set or "", conditions=Conditions(), values=values)


def _printed(measure: str, text: str, decimals: int | None) -> Printed:
    from foveate.published.rows import Printed

    if not re.fullmatch(r"0?\.[0-9]{1,12}|1\.0{1,12}|[01]", text):
        raise UsageError(f"--{measure} {text}: not a rate. Write a number from 0 to 1 as it is printed, such as .8285.")
    whole, _, digits = text.partition(".")
    if decimals is not None and len(digits) > decimals:
        raise UsageError(f"--{measure} {text}: has more than the {decimals} digits that --decimals says.")
    return Printed(f"{whole or '0'}.{digits:0<{decimals}}" if decimals else text)


def _print(found: Sequence[Audit]) -> None:
    from foveate.published.sentences import sentences, shares_in_short

    table = new_table()
    for title in ("paper", "table", "row", "set", "verdict", "share implied", "counted"):
        table.add_column(title)
    said: dict[tuple[str, ...], list[str]] = {}
    for each in found:
        row = each.row
        name = row.name + (f" [{row.cites}]" if row.cites else "")
        cells = (row.paper, ", ".join(row.tables), name, row.set, each.verdict)
        table.add_row(*cells, shares_in_short(each), COUNTED[each.scopes])
        said.setdefault(sentences(each), []).append(" ".join(filter(None, (row.paper, *row.tables[:1], name))))
    say_table(table)
    for lines, names in said.items():
        say(f"\n{'; '.join(names)}\n  " + "\n  ".join(lines))


def _as_json(found: Audit) -> dict[str, Any]:
    from foveate.published.sentences import sentences

    row = found.row
    return {
        "paper": row.paper,
        "tables": row.tables,
        "row": row.name,
        "cites": row.cites,
        "set": row.set,
        "values": {measure: float(value) for measure, value in row.values.items()},
        "verdict": found.verdict,
        "counted": found.scopes,
        "share": found.share and [float(end) for end in found.share],
        "shares": [
            {"by": measures, "share": [float(end) for end in share]} for measures, share in found.shares.items()
        ],
        "trials": [
            {
                "images": trial.images.name,
                "scope": trial.scope,
                "share": trial.share,
                "pooled": trial.pooled,
                "one_count": trial.one_count,
                "share_fits": trial.share_fits,
                "means": trial.means,
                "means_at_all": trial.means_at_all,
            }
            for trial in found.trials
        ],
        "sentences": sentences(found),
    }
