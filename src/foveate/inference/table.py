"""`segment.csv`: the record as a table that a spreadsheet opens, one row per image."""

from __future__ import annotations

from collections.abc import Mapping

from foveate.imaging import csv_text
from foveate.inference.record import ImageRecord

TABLE = "segment.csv"
_MARK = "\ufeff"
"""By a byte order mark, spreadsheets know that names are in UTF-8."""


def as_csv(images: Mapping[str, ImageRecord]) -> str:
    """The table's text. Areas are shares of the field of view's pixels; what is not known is an empty cell."""
    areas = list(dict.fromkeys(name for image in images.values() for name in image.areas))
    expected = list(dict.fromkeys(name for image in images.values() for name in image.expected_f1))
    header = ["image", "status", "masks", "width", "height", *(f"area_{name}" for name in areas)]
    header += [*(f"expected_f1_{name}" for name in expected), "seconds", "model", "note"]
    return _MARK + csv_text([header, *(_row(image, areas, expected) for image in images.values())])


def _row(image: ImageRecord, areas: list[str], expected: list[str]) -> list[object]:
    masks = [output.file for kind, output in image.outputs.items() if kind.endswith("mask")]
    scores = [image.expected_f1.get(name) for name in expected]
    return [
        image.input,
        image.status,
        "; ".join(masks),
        image.width or None,
        image.height or None,
        *(image.areas.get(name) for name in areas),
        *(None if score is None else round(score.value, 4) for score in scores),
        image.seconds or None,
        image.model.name if image.model else None,
        "; ".join([image.error] * bool(image.error) + list(image.notes)),
    ]
