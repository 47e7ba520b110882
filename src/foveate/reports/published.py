"""What papers printed of a data set, and what the audit says of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from foveate.pictures import labels
from foveate.published import PublishedRow, rows
from foveate.published.audit import audit
from foveate.published.sentences import sentences
from foveate.reports.markup import Markup, fill, joined
from foveate.reports.page_tables import WHERE

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult

MEASURES = {
    "f1": "F1",
    "sensitivity": "Sens.",
    "specificity": "Spec.",
    "accuracy": "Acc.",
    "roc_auc": "AUC",
    "iou": "IoU",
}

SECTION = """<section aria-labelledby="$key-published"><h3 id="$key-published">Published rows beside it</h3>
<p>These numbers are as printed; nothing here was measured again. Below each row stands whether it can be true, and
which pixels were counted then. Only rows that count the same pixels of the same images can be compared.</p>
$own
$others
</section>"""

TABLE = """<p class="caption" aria-hidden="true">$caption</p>
<div class="scroll" tabindex="0" role="region" aria-label="$caption"><table class="published" aria-label="$caption">
<thead><tr><th scope="col" class="row">Row</th>$head</tr></thead><tbody>
$measured
$rows
</tbody></table></div>"""

ROW = """<tr><th scope="row">$name <small>paper $paper, table $tables$cites</small></th>$cells</tr>
<tr class="verdict"><td colspan="$width"><div><span class="badge $state">$verdict</span> $sentences</div></td></tr>"""


MEASURED = """<tr class="group"><th scope="row">$name <small>measured here, $where, pooled</small></th>$cells</tr>"""


def published_rows(results: Sequence[EvaluationResult], *, key: str) -> Markup:
    """The printed rows of the results' set; nothing where no paper has any. `key` is the section's own on the page."""
    printed = [row for row in rows() if row.set == results[0].data.set]
    if not printed:
        return Markup("")
    own, others = [row for row in printed if row.own], [row for row in printed if not row.own]
    return fill(
        SECTION,
        key=key,
        own=_table("The papers' own results", own, results),
        others=fill(
            "<details><summary>$count that these papers quote from others</summary>\n$table\n</details>",
            count="1 row" if len(others) == 1 else f"{len(others)} rows",
            table=_table("Quoted results", others, results),
        )
        if others
        else "",
    )


def _table(caption: str, chosen: Sequence[PublishedRow], results: Sequence[EvaluationResult]) -> Markup:
    if not chosen:
        return Markup("")
    known = [measure for measure in MEASURES if any(measure in row.values for row in chosen)]
    head = joined(fill('<th scope="col">$text</th>', text=MEASURES[measure]) for measure in known)
    return fill(
        TABLE,
        caption=caption,
        head=head,
        measured=joined(_measured(results, known)),
        rows=joined(_row(row, known) for row in chosen),
    )


def _measured(results: Sequence[EvaluationResult], known: Sequence[str]) -> Iterator[Markup]:
    """This page's own numbers, of the sets of one class that papers have, counted in both ways where they differ."""
    for label, result in zip(labels(results), results, strict=True):
        (scopes, *several) = result.classes.values()
        for where, scope in () if several else scopes.told_apart.items():
            values = [scope.pooled.values.get(measure) for measure in known]
            cells = joined(fill("<td>$text</td>", text="–" if v is None else f"{v:.4f}") for v in values)
            yield fill(MEASURED, name=label, where=WHERE[where].lower(), cells=cells)


def _row(row: PublishedRow, known: Sequence[str]) -> Markup:
    result = audit(row)
    cells = joined(fill("<td>$text</td>", text=_printed(row, measure)) for measure in known)
    return fill(
        ROW,
        name=row.name,
        paper=row.paper,
        tables=" and ".join(row.tables),
        cites=f", from its reference {row.cites}" if row.cites else "",
        cells=cells,
        width=len(known) + 1,
        state="good"
        if result.verdict.startswith("consistent")
        else "poor"
        if result.verdict == "inconsistent"
        else "open",
        verdict=result.verdict,
        sentences=" ".join(sentences(result)),
    )


def _printed(row: PublishedRow, measure: str) -> str:
    value = row.values.get(measure)
    return "–" if value is None else f"{value.text}{' %' if value.percent else ''}"
