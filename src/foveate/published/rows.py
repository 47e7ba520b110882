"""The numbers of the five papers' result tables, read from `published.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files
from typing import Any

RATES = ("sensitivity", "specificity", "precision", "accuracy", "f1", "iou", "roc_auc")
"""Measures that some tables print in percent."""

NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Printed:
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
class Row:
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
    values: Mapping[str, Printed]
    """By the measure's name in this project; f1 is what a paper may call Dice. What a table leaves out is not there."""

    @property
    def own(self) -> bool:
        """Whether the paper reports its own result."""
        return not self.cites


def rows() -> tuple[Row, ...]:
    """All rows, in the order of papers and tables."""
    text = files("foveate.published").joinpath("published.toml").read_text(encoding="utf-8")
    return tuple(_row(table, row) for table in tomllib.loads(text)["table"] for row in table["rows"])


def _row(table: Mapping[str, Any], row: Mapping[str, Any]) -> Row:
    cites = row.get("cites", "")
    stated = {key: table[key] for key in Conditions.__dataclass_fields__ if key in table}
    values = {
        measure: Printed(text, percent=table.get("percent", False) and measure in RATES)
        for measure, text in zip(table["columns"], row["values"], strict=False)
        if text != "-"
    }
    return Row(
        paper=table["paper"],
        tables=(table["number"], *([row["also_in"]] if "also_in" in row else [])),
        name=row["name"],
        cites=cites,
        set=table["set"],
        conditions=Conditions() if cites else Conditions(**stated),
        values=values,
    )
