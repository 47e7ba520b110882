"""A result as cells of tables, for a terminal or a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from foveate.evaluation.measures import MEASURES

if TYPE_CHECKING:
    from foveate.evaluation.protocol import Protocol
    from foveate.evaluation.result import (
        Averaged,
        EvaluationResult,
        Interval,
        Intervals,
        Macro,
        ScopeScores,
        ScoresByScope,
    )

UNDEFINED = "–"

Column = tuple[str, Mapping[str, str]]
"""Title, and measure to cell."""


def tables(result: EvaluationResult) -> list[tuple[str, list[list[str]]]]:
    """For each class, and for their mean where there are several, a title and its rows, the header first.

    A row is a measure; the columns are scopes, pooled and over images, with 95 % intervals, then the second observer
    inside the field of view; where no pixel lies outside it, the two scopes are one. Groups of images, and how many
    images or groups are left out as undefined where some are, have a column inside the field of view only: more would
    not fit on a line. An undefined value, or one that a second observer can't have, is a dash.
    """
    titled = []
    for name, scopes in result.classes.items():
        columns = _columns(scopes)
        if result.second_observer is not None:
            second = result.second_observer.classes[name].fov.pooled
            where = "whole image" if result.protocol.counts_everything else "fov"
            columns.append((f"second\nobserver\n{where}, pooled", _values(second.values, pooled=True)))
        titled.append((name, _rows(columns)))
    if result.macro is not None:
        titled.append(("mean of the classes", _rows(_macro_columns(result.macro, result.protocol))))
    return titled


def number(value: float | None, digits: int) -> str:
    """The value, or a dash."""
    return UNDEFINED if value is None else f"{value:.{digits}f}"


def span(name: str, interval: Interval | None) -> str:
    """A measure's interval with one decimal less than its value and no zero before the point; '' for none."""
    digits = max(0, MEASURES[name].digits - 1)
    return "" if interval is None else "–".join(_short(f"{end:.{digits}f}") for end in interval)


def _short(text: str) -> str:
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def _columns(scopes: ScoresByScope) -> list[Column]:
    if scopes.fov == scopes.image:
        return _of_scope("whole image", scopes.image, more=True)
    return _of_scope("fov", scopes.fov, more=True) + _of_scope("image", scopes.image, more=False)


def _of_scope(title: str, scope: ScopeScores, *, more: bool) -> list[Column]:
    columns: list[Column] = [
        (f"{title}\npooled", _cells(scope.pooled.values, scope.pooled.intervals, pooled=True)),
        (f"{title}\nmean over images", _cells(scope.per_image.mean, scope.per_image.intervals)),
    ]
    if not more:
        return columns
    columns += _undefined("images", scope.per_image)
    if scope.per_group is not None:
        columns.append((f"{title}\nmean over groups", _cells(scope.per_group.mean, scope.per_group.intervals)))
        columns += _undefined("groups", scope.per_group)
    return columns


def _undefined(what: str, averaged: Averaged) -> list[Column]:
    """Of how many images or groups each mean is left out; no column where every value is defined."""
    if not any(averaged.undefined.values()):
        return []
    return [(f"{what}\nundefined", {name: str(count) for name, count in averaged.undefined.items()})]


def _macro_columns(macro: Macro, protocol: Protocol) -> list[Column]:
    scopes = {"image": "whole image"} if protocol.counts_everything else {"fov": "fov", "image": "image"}
    return [
        (f"{where}\n{title}", _values(getattr(getattr(macro, name), key)))
        for name, where in scopes.items()
        for title, key in (("pooled", "pooled"), ("mean over images", "per_image"))
    ] + _left_out(macro)


def _left_out(macro: Macro) -> list[Column]:
    """Of how many classes each mean is left out, inside the field of view; no column where every value is defined."""
    left_out = macro.fov.undefined | macro.fov.per_image_undefined
    return [("classes\nundefined", {name: str(n) for name, n in left_out.items()})] if any(left_out.values()) else []


def _cells(values: Mapping[str, float | None], intervals: Intervals, *, pooled: bool = False) -> dict[str, str]:
    spans, shown = {name: span(name, intervals.get(name)) for name in values}, _values(values, pooled=pooled)
    return {name: f"{cell} ({spans[name]})" if spans[name] else cell for name, cell in shown.items()}


def _values(values: Mapping[str, float | None], *, pooled: bool = False) -> dict[str, str]:
    digits = {name: MEASURES[name].pooled_digits if pooled else MEASURES[name].digits for name in values}
    return {name: number(value, digits[name]) for name, value in values.items()}


def _rows(columns: list[Column]) -> list[list[str]]:
    names = [name for name in MEASURES if any(name in cells for _, cells in columns)]
    body = [[name.replace("_", " "), *(cells.get(name, UNDEFINED) for _, cells in columns)] for name in names]
    return [["", *(title for title, _ in columns)], *body]
