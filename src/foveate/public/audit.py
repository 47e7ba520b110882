"""`foveate.audit`: whether published scores can be true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.errors import UsageError, needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from foveate.published.record import AuditRecord
    from foveate.published.rows import PublishedRow

Rate = str | float
"""0 to 1, as it is printed: a text such as '.8285', or a number, whose last zeros `decimals` gives back."""


def audit(
    *,
    paper: str | None = None,
    set: str | None = None,  # noqa: A002 (the option's own name)
    sensitivity: Rate | None = None,
    specificity: Rate | None = None,
    precision: Rate | None = None,
    accuracy: Rate | None = None,
    f1: Rate | None = None,
    iou: Rate | None = None,
    decimals: int | None = None,
) -> list[AuditRecord]:
    """Say of each row whether it can be true, which share of vessels it implies, and which pixels it counts.

    Without rates the rows are those of the papers' result tables, of one `paper` or `set` where these are given; with
    two rates or more it is one row of these. The options are those of `foveate audit` and do what docs/audit.md says.
    Needs the extra `evaluate`. Raises `foveate.errors.UsageError` for an unknown paper, set or rate.
    """
    given = {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "precision": precision,
        "accuracy": accuracy,
        "f1": f1,
        "iou": iou,
    }
    rates = {measure: str(value) for measure, value in given.items() if value is not None}
    rows = [_own_row(rates, set, paper, decimals)] if rates else _published(paper, set, decimals)
    with needs("evaluate", "an audit"):
        from foveate.published.audit import audit as audit_row
        from foveate.published.record import record_of

        return [record_of(audit_row(row)) for row in rows]


def _own_row(rates: Mapping[str, str], of_set: str | None, paper: str | None, decimals: int | None) -> PublishedRow:
    from foveate.published.rows import row_of_rates

    if paper is not None:
        raise UsageError("--paper is for published rows, and rates are for one of your own: give the one or the other.")
    return row_of_rates(rates, of_set, decimals)


def _published(paper: str | None, of_set: str | None, decimals: int | None) -> list[PublishedRow]:
    from foveate.published.rows import rows_of

    if decimals is not None:
        raise UsageError("--decimals is for a row of your own: give its rates, such as --sensitivity .8285.")
    return rows_of(paper, of_set)
