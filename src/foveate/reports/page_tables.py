"""The numbers of a page: a summary, every measure, and the protocol in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from foveate.evaluation import confidence, statement, warning
from foveate.evaluation.protocol import SEEN_WHOLE, UNKNOWN, Protocol
from foveate.pictures import labels
from foveate.reports.markup import Markup, escaped, fill, joined
from foveate.reports.tables.result_tables import tables

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult
    from foveate.evaluation.result import Interval, ScopeScores

COLUMNS = {
    "f1": "F1",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "accuracy": "Accuracy",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "average_precision": "PR AUC",
    "cldice": "clDice",
}
"""Measure to heading; a column without a value is left out."""

WHERE: dict[Literal["fov", "image"], str] = {"fov": "Inside the field of view", "image": "Whole image"}

TABLE = """<p class="caption" aria-hidden="true">$caption</p>
<div class="scroll" tabindex="0" role="region" aria-label="$caption">
<table aria-label="$caption">
<thead><tr><td></td>$head</tr></thead>
$bodies
</table></div>"""

BODY = '<tbody><tr class="group"><th scope="rowgroup" colspan="$width">$title</th></tr>\n$rows</tbody>'

ROW = '<tr><th scope="row">$name</th>$cells</tr>'

CELL = "<td>$value$interval</td>"

ALL_MEASURES = "<details><summary>Every measure: $title</summary>\n$table\n</details>"


def counts_everything(results: Sequence[EvaluationResult]) -> bool:
    """Whether all pixels of every image are counted, so that no word of a field of view belongs to the numbers."""
    return all(result.protocol.counts_everything for result in results)


def summary(results: Sequence[EvaluationResult], name: str) -> Markup:
    """The main measures of a class: pooled, with intervals, and F1 as a mean, too.

    Inside the field of view and over the whole image, or once where these are the same.
    """
    known = [m for m in COLUMNS if any(m in r.classes[name].fov.pooled.values for r in results)]
    heads = [COLUMNS[measure] for measure in known]
    heads.insert(1, "F1, mean of images")
    bodies = []
    for key in (where for where in WHERE if any(where in r.classes[name].told_apart for r in results)):
        rows = [_row(label, getattr(r.classes[name], key), known) for label, r in _labelled(results)]
        second = results[0].second_observer
        if second is not None:
            rows.append(_row("second observer", getattr(second.classes[name], key), known))
        bodies.append(fill(BODY, width=len(heads) + 1, title=WHERE[key], rows=joined(rows)))
    data = results[0].data
    caption = f"{name} on {data.set}, {data.split}: pixels of " + (
        f"all {data.count} images together, 95 % intervals over images" if data.count > 1 else "its only image"
    )
    head = joined(fill('<th scope="col">$text</th>', text=text) for text in heads)
    return fill(TABLE, caption=caption, head=head, bodies=joined(bodies))


def _labelled(results: Sequence[EvaluationResult]) -> Iterator[tuple[str, EvaluationResult]]:
    return zip(labels(results), results, strict=True)


def _row(name: str, scope: ScopeScores, measures: Sequence[str]) -> Markup:
    values, intervals = scope.pooled.values, scope.pooled.intervals
    cells = [_cell(values.get(measure), intervals.get(measure)) for measure in measures]
    cells.insert(1, _cell(scope.per_image.mean.get("f1"), scope.per_image.intervals.get("f1")))
    return fill(ROW, name=name, cells=joined(cells))


def _cell(value: float | None, interval: Interval | None) -> Markup:
    shown = "–" if value is None else f"{value:.4f}"
    if interval is None:
        return fill(CELL, value=shown, interval="")
    low, high = interval
    return fill(CELL, value=shown, interval=fill(" <small>$low–$high</small>", low=f"{low:.3f}", high=f"{high:.3f}"))


def remarks(results: Sequence[EvaluationResult]) -> Markup:
    """What must be said beside the numbers: that images were seen before, and how far the probabilities are right."""
    lines = []
    for label, result in _labelled(results):
        if seen := warning(result):
            lines.append(fill('<p class="warning"><strong>$label: $seen</strong></p>', label=label, seen=seen))
        lines += [fill("<p>$label: $line</p>", label=label, line=line) for line in confidence(result)]
    return joined(lines)


def every_measure(results: Sequence[EvaluationResult]) -> Markup:
    """What the command line prints of each result, to be opened by a reader."""
    sections = []
    for label, result in _labelled(results):
        for name, (head, *rows) in tables(result):
            cells = joined(fill('<th scope="col">$text</th>', text=_broken(text)) for text in head[1:])
            body = joined(
                fill(ROW, name=first, cells=joined(fill(CELL, value=text, interval="") for text in others))
                for first, *others in rows
            )
            title = f"{label}, {name}"
            table = fill(TABLE, caption=title, head=cells, bodies=fill("<tbody>$rows</tbody>", rows=body))
            sections.append(fill(ALL_MEASURES, title=title, table=table))
    return joined(sections)


def _broken(text: str) -> Markup:
    return Markup("<br>".join(escaped(line) for line in text.split("\n")))


def protocol(results: Sequence[EvaluationResult]) -> Markup:
    """For each result the sentence that its numbers depend on, then every field of its protocol with what it means."""
    sections = []
    for label, result in _labelled(results):
        rows = joined(
            fill("<dt>$name</dt><dd>$value <small>$what</small></dd>", name=name, value=value, what=what)
            for name, value, what in _fields(result.protocol)
        )
        words = fill("<p>$sentence</p>", sentence=statement(result))
        template = '$words\n<details><summary>Field by field: $label</summary><dl class="fields">$rows</dl></details>'
        sections.append(fill(template, words=words, label=label, rows=rows))
    return joined(sections)


def _fields(record: Protocol) -> Iterator[tuple[str, str, str]]:
    hidden = {"scopes", "fov_for_counting"} if record.counts_everything else set()
    if record.counts_everything and record.fov_for_preparing in (SEEN_WHOLE, UNKNOWN):
        hidden.add("fov_for_preparing")
    for name, field in Protocol.model_fields.items():
        if name in hidden:
            continue
        value = getattr(record, name)
        if name == "threshold" and value is not None:
            value = f"{', '.join(f'{threshold:.4f}' for threshold in value.values)} ({value.origin})"
        if isinstance(value, tuple):
            value = ", ".join(value)
        yield name.replace("_", " "), "none" if value is None else str(value), field.description or ""
