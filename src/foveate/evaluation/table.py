"""A report for a terminal: cells for tables, and the sentences that must stand beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from foveate.evaluation.measures import MEASURES

if TYPE_CHECKING:
    from foveate.evaluation.protocol import DataSummary
    from foveate.evaluation.report import Averaged, Interval, Intervals, Macro, Report, Scope, Scopes

UNDEFINED = "–"

Column = tuple[str, Mapping[str, str]]
"""Title, and measure to cell."""


def tables(report: Report) -> list[tuple[str, list[list[str]]]]:
    """For each class, and for their mean where there are several, a title and its rows, the header first.

    A row is a measure; the columns are scopes, pooled and over images, with 95 % intervals, then the second observer
    inside the field of view; where no pixel lies outside it, the two scopes are one. Groups of images, and how many
    images or groups are left out as undefined where some are, have a column inside the field of view only: more would
    not fit on a line. An undefined value, or one that a second observer can't have, is a dash.
    """
    found = []
    for name, scopes in report.classes.items():
        columns = _columns(scopes)
        if report.second_observer is not None:
            second = report.second_observer.classes[name].fov.pooled
            columns.append(("second\nobserver\nfov, pooled", _values(second.values, pooled=True)))
        found.append((name, _rows(columns)))
    if report.macro is not None:
        found.append(("mean of the classes", _rows(_macro_columns(report.macro))))
    return found


def statement(report: Report) -> str:
    """One sentence on what was counted, without which the table's numbers mean little."""
    data, protocol = report.data, report.protocol
    images = "1 image" if data.count == 1 else f"{data.count} images"
    seen = known_images(report.data)
    return (
        f"{report.model.name} on {data.set}, {data.split} ({images}{f', seen by the model: {seen}' if seen else ''}):"
        f" {_words(report)}, "
        f"field of view for preparing: {protocol.fov_for_preparing}, "
        f"for counting: {protocol.fov_for_counting}; "
        f"agreement on an empty truth: {protocol.empty}; intervals: {protocol.intervals}."
    )


def known_images(data: DataSummary) -> str:
    """How many of the images the model has learnt from or was chosen by, in words; '' for none."""
    counts = ((data.seen_in_training, "in training"), (data.seen_in_validation, "in validation"))
    return ", ".join(f"{count} {where}" for count, where in counts if count)


def warning(report: Report) -> str:
    """The sentence for scores that are no test scores; '' where no image is known to have been seen."""
    seen = known_images(report.data)
    return f"These are no test scores: of the {report.data.count} images the model has seen {seen}." if seen else ""


def confidence(report: Report) -> list[str]:
    """For each class a line on how well expected and true F1 agree; none for masks alone."""
    lines = []
    for name, each in report.confidence.items():
        if each.expected is None or each.true is None or each.mean_absolute_error is None:
            continue
        related = "" if each.correlation is None else f", correlation {each.correlation:.2f}"
        lines.append(
            f"Expected F1 of {name} masks, from their probabilities alone: {each.expected:.4f} in the mean, true"
            f" {each.true:.4f}; mean absolute error {each.mean_absolute_error:.4f}{related}."
        )
    return lines


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


def _words(report: Report) -> str:
    protocol = report.protocol
    parts = [f"{protocol.size} size", protocol.passes]
    if protocol.threshold is not None:
        values = ", ".join(f"{value:.4f}" for value in protocol.threshold.values)
        parts.append(f"threshold {values} ({protocol.threshold.origin})")
    if protocol.post_processing != "none":
        parts.append(f"post-processing {protocol.post_processing}")
    return ", ".join(parts)


def _columns(scopes: Scopes) -> list[Column]:
    if scopes.fov == scopes.image:
        return _of_scope("whole image", scopes.image, more=True)
    return _of_scope("fov", scopes.fov, more=True) + _of_scope("image", scopes.image, more=False)


def _of_scope(title: str, scope: Scope, *, more: bool) -> list[Column]:
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


def _undefined(what: str, found: Averaged) -> list[Column]:
    """Of how many images or groups each mean is left out; no column where every value is defined."""
    if not any(found.undefined.values()):
        return []
    return [(f"{what}\nundefined", {name: str(count) for name, count in found.undefined.items()})]


def _macro_columns(macro: Macro) -> list[Column]:
    return [
        (f"{name}\n{title}", _values(getattr(getattr(macro, name), key)))
        for name in ("fov", "image")
        for title, key in (("pooled", "pooled"), ("mean over images", "per_image"))
    ]


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
