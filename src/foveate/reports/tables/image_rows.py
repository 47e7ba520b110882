"""One row of numbers for each image, for a spreadsheet, in the words of the result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foveate.evaluation.measures import MEASURES

if TYPE_CHECKING:
    from foveate.evaluation.result import EvaluationResult, ImageResult, ImageScore

Cells = dict[str, object]
"""Column to cell, in order."""

SCOPES = ("fov", "image")


def image_rows(results: Sequence[EvaluationResult]) -> list[list[object]]:
    """The header, then a row for each image of each result; what a result has no value for is None, an empty cell.

    `fov` and `image` in a column's name say which pixels were counted, `predicted_share` and `true_share` which share
    of those is foreground; the others are the result's own names, those of measures after class and scope.
    """
    rows = [_row(result, image) for result in results for image in result.images]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return [list(columns), *([row.get(column) for column in columns] for row in rows)]


def _row(result: EvaluationResult, image: ImageResult) -> Cells:
    height, width = image.size or (None, None)
    cells: Cells = {
        "model": result.model.name,
        "set": result.data.set,
        "split": result.data.split,
        "id": image.id,
        "group": image.group,
        "height": height,
        "width": width,
        "fov_source": image.fov_source,
        "seconds": image.seconds,
    }
    for name, scopes in image.classes.items():
        for scope in SCOPES:
            score: ImageScore = getattr(scopes, scope)
            cells |= {f"{name}.{scope}.{column}": value for column, value in _scored(score).items()}
    return cells


def _scored(score: ImageScore) -> Cells:
    counts = score.counts
    predicted = counts.true_positive + counts.false_positive
    true = counts.true_positive + counts.false_negative
    pixels = predicted + counts.false_negative + counts.true_negative
    shares: Cells = {
        "pixels": pixels,
        "predicted_share": predicted / pixels if pixels else None,
        "true_share": true / pixels if pixels else None,
    }
    return shares | {name: score.values[name] for name in MEASURES if name in score.values}
