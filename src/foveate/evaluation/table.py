"""A report for a terminal: cells for a table, and the sentence that must stand beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from foveate.evaluation.report import ScoreValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.evaluation.report import ObserverScope, RateValues, Report, Scope

UNDEFINED = "–"
_SCORES = tuple(ScoreValues.model_fields)


def table(report: Report) -> list[list[str]]:
    """A header row, then three rows per scope: pooled, mean and standard deviation over the images.

    Scores have four decimals; an undefined one, or one that a second observer can't have, is a dash.
    """
    rows = [["scope", "pooling", *_SCORES]]
    rows += _scope_rows("fov", report.scopes.fov)
    rows += _scope_rows("image", report.scopes.image)
    if report.second_observer is not None:
        rows += _scope_rows("fov, second observer", report.second_observer.scopes.fov)
        rows += _scope_rows("image, second observer", report.second_observer.scopes.image)
    return rows


def statement(report: Report) -> str:
    """One sentence on what was counted, without which the table's numbers mean little."""
    data, protocol = report.data, report.protocol
    images = "1 image" if data.count == 1 else f"{data.count} images"
    return (
        f"{report.model.name} on {data.set}, {data.split} ({images}): {protocol.size} size, "
        f"{protocol.passes}, threshold {protocol.threshold.value:.4f} ({protocol.threshold.origin}), "
        f"field of view for preparing: {protocol.fov_for_preparing}, "
        f"for counting: {protocol.fov_for_counting}."
    )


def _scope_rows(name: str, scope: Scope | ObserverScope) -> list[list[str]]:
    return [
        [name, "pooled", *_cells(scope.pooled)],
        [name, "mean over images", *_cells(scope.per_image.mean)],
        [name, "std over images", *_cells(scope.per_image.std)],
    ]


def _cells(values: RateValues) -> Sequence[str]:
    scores = (getattr(values, name, None) for name in _SCORES)
    return [UNDEFINED if score is None else f"{score:.4f}" for score in scores]
