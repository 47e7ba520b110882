"""The numbers of the five papers' result tables, read from `published.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from typing import Any

from foveate.errors import UsageError, unknown
from foveate.published.counts import TITLES

RATES = ("sensitivity", "specificity", "precision", "accuracy", "f1", "iou", "roc_auc")
"""Measures that some tables print in percent."""

NOT_STATED = "not stated"

YOURS = "your row"
"""What a row of a user's own is called."""


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A number as it was printed."""

    text: str
    percent: bool = False

    @property
    def exact(self) -> Fraction:
        """What stands there, never in percent."""
        return Fraction(self.text) / (100 if self.percent else 1)

    @property
    def unit(self) -> Fraction:
        """One of the last printed digit; 0 for a number without decimals, which is taken to mean itself."""
        decimals = len(self.text.partition(".")[2])
        return Fraction(1, 10**decimals) / (100 if self.percent else 1) if decimals else Fraction(0)

    def __float__(self) -> float:
        return float(self.exact)


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the scores came about, as far as the paper says so."""

    split: str = NOT_STATED
    size: str = NOT_STATED
    """Of the images that were scored, as the paper writes it."""
    fov: str = NOT_STATED
    """Whether pixels count inside the field of view only."""
    threshold: str = NOT_STATED
    pooling: str = NOT_STATED
    """Over all pixels, or means over images."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of a table."""

    paper: str
    """Number of the paper in this project, 000 to 004."""
    tables: tuple[str, ...]
    """The numbers of the tables that have the row, in the paper's numerals."""
    name: str
    cites: str
    """Number of the work in the paper's references that the row is taken from; '' for the paper's own."""
    set: str
    """The data set, by its name in this project."""
    conditions: Conditions
    """Of a row that is taken from another work: nothing, as no table here repeats how others counted."""
    values: Mapping[str, PrintedNumber]
    """By the measure's name in this project; f1 is what a paper may call Dice. What a table leaves out is not there."""

    @property
    def own(self) -> bool:
        """Whether the paper reports its own result."""
        return not self.cites


def rows() -> tuple[PublishedRow, ...]:
    """All rows, in the order of papers and tables."""
    text = files("foveate.published").joinpath("published.toml").read_text(encoding="utf-8")
    return tuple(_row(table, row) for table in tomllib.loads(text)["table"] for row in table["rows"])


def _row(table: Mapping[str, Any], row: Mapping[str, Any]) -> PublishedRow:
    cites = row.get("cites", "")
    stated = {key: table[key] for key in Conditions.__dataclass_fields__ if key in table}
    values = {
        measure: PrintedNumber(text, percent=table.get("percent", False) and measure in RATES)
        for measure, text in zip(table["columns"], row["values"], strict=False)
        if text != "-"
    }
    return PublishedRow(
        paper=table["paper"],
        tables=(table["number"], *([row["also_in"]] if "also_in" in row else [])),
        name=row["name"],
        cites=cites,
        set=table["set"],
        conditions=Conditions() if cites else Conditions(**stated),
        values=values,
    )


def rows_of(paper: str | None, of_set: str | None) -> list[PublishedRow]:
    """Those of one paper, of one data set, or of both. Raises UsageError for an unknown one, or where none is left."""
    chosen = list(rows())
    for kind, name, value in (("paper", "paper", paper), ("data set", "set", of_set)):
        known = sorted({getattr(row, name) for row in rows()})
        if value is not None and value not in known:
            raise UsageError(unknown(kind, value, known))
        chosen = [row for row in chosen if value in (None, getattr(row, name))]
    if not chosen:
        raise UsageError(f"paper {paper} has no row of {of_set}. `foveate audit --paper {paper}` shows those it has.")
    return chosen


def row_of_rates(rates: Mapping[str, str], of_set: str | None, decimals: int | None) -> PublishedRow:
    """A row of a user's own: measure to the rate as it was printed; `decimals` where zeros at its end were left out.

    Raises UsageError for an unknown set, fewer than two rates, and what is no rate.
    """
    if of_set is not None and of_set not in TITLES:
        raise UsageError(unknown("data set", of_set, TITLES) + " Leave out --set for images that aren't among them.")
    if len(rates) < 2:
        raise UsageError("one rate alone can always be true. Give at least two, such as --sensitivity and --f1.")
    values = {measure: _printed(measure, text, decimals) for measure, text in rates.items()}
    return PublishedRow(
        paper="", tables=(), name=YOURS, cites="", set=of_set or "", conditions=Conditions(), values=values
    )


def _printed(measure: str, text: str, decimals: int | None) -> PrintedNumber:
    if not re.fullmatch(r"0?\.[0-9]{1,12}|1\.0{1,12}|[01]", text):
        raise UsageError(f"--{measure} {text}: not a rate. Write a number from 0 to 1 as it is printed, such as .8285.")
    whole, _, digits = text.partition(".")
    if decimals is not None and len(digits) > decimals:
        raise UsageError(f"--{measure} {text}: has more than the {decimals} digits that --decimals says.")
    return PrintedNumber(f"{whole or '0'}.{digits:0<{decimals}}" if decimals else text)
