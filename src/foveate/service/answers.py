"""What became of the images of a request, as the client asked for it: PNG, JSON, or a ZIP file with a table."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from foveate.imaging import stem_of
from foveate.inference.record import TABLE, ImageRecord, ModelUsed, Output, as_csv
from foveate.service.problems import ServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.inference import Segmenter
    from foveate.service.work import Made

LONGEST_NAME = 80
"""Characters of a file's name in a ZIP file, before what is added to it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How the answer is to look."""

    outputs: str
    """mask, probability, overlay, json or zip."""
    kind: str
    """Of the PNG, where it is one."""
    several: bool
    """Whether the images came in a form, so that the answer has a list."""


def answer(results: Sequence[Made], segmenter: Segmenter, asked: Asked) -> Response:
    """The response. Raises ServiceError where there is but one image and it has one."""
    only = results[0].problem if len(results) == 1 else None
    if only is not None:
        raise only
    if asked.outputs == "zip":
        headers = {"Content-Disposition": 'attachment; filename="foveate.zip"'}
        return Response(zipped(results, segmenter), media_type="application/zip", headers=headers)
    if asked.outputs == "json":
        told = [as_json(each, segmenter) for each in results]
        content: Any = {"images": told} if asked.several else told[0]
        return Response(json.dumps(content, ensure_ascii=False).encode(), media_type="application/json")
    return Response(results[0].files[asked.kind], media_type="image/png")


def as_json(made: Made, segmenter: Segmenter) -> dict[str, Any]:
    """An image's part of the answer."""
    card = segmenter.card
    if made.problem is not None:
        return {"name": made.upload.label, "error": made.problem.content()}
    scores = {name: made.expected_f1.get(name) for name in card.classes}
    top, left, bottom, right = made.fov_box
    return {
        "name": made.upload.label,
        "image_sha256": made.sha256,
        "width": made.width,
        "height": made.height,
        "model": card.name,
        "sha256": card.sha256,
        "thresholds": list(card.thresholds),
        "threshold_from": card.threshold_from,
        "min_size": segmenter.procedure.post_processing_of(card, made.fov_diameter).min_size or 0,
        "classes": list(card.classes),
        "area_fraction": made.areas,
        "expected_f1": {
            name: score and {"value": score.value, "low": score.low, "high": score.high}
            for name, score in scores.items()
        },
        "fov": {
            "diameter": made.fov_diameter,
            "box": {"left": left, "top": top, "width": right - left, "height": bottom - top},
        },
        "notes": list(made.notes),
        "seconds": round(made.seconds, 4),
        "images": {kind: base64.b64encode(content).decode() for kind, content in made.files.items()},
        "notice": card.notice,
    }


def zipped(results: Sequence[Made], segmenter: Segmenter) -> bytes:
    """`NAME_mask.png` and the like of every image that could be made, and `segment.csv`, with a row for each."""
    file, records = io.BytesIO(), {}
    used = ModelUsed.of(segmenter.card, segmenter.procedure)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for name, made in zip(file_names([made.upload.label for made in results]), results, strict=True):
            places = {kind: f"{name}_{kind}.png" for kind in made.files}
            for kind, content in made.files.items():
                archive.writestr(places[kind], content)
            records[name] = _record(made, segmenter, used, places)
        archive.writestr(TABLE, as_csv(records), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _record(made: Made, segmenter: Segmenter, used: ModelUsed, places: dict[str, str]) -> ImageRecord:
    if made.problem is not None:
        return ImageRecord(input=made.upload.label, status="failed", error=made.problem.message)
    return ImageRecord(
        input=made.upload.label,
        input_bytes=len(made.upload.content),
        sha256=made.sha256,
        status="done",
        height=made.height,
        width=made.width,
        fov_diameter=made.fov_diameter,
        outputs={kind: Output(file=place, sha256="") for kind, place in places.items()},
        areas=made.areas,
        expected_f1=made.expected_f1,
        model=used,
        execution=segmenter.session.execution,
        seconds=round(made.seconds, 4),
        notes=made.notes,
    )


def file_names(labels: Sequence[str]) -> list[str]:
    """A NAME for each label that is a file's on any disk: no folder, no leading dot, none like another in any case."""
    names: list[str] = []
    taken: set[str] = set()
    for label in labels:
        last = PurePosixPath(label.replace("\\", "/")).name
        plain = re.sub(r"[^\w.+ -]", "_", stem_of(PurePosixPath(last)) if last else "").strip(". ")[:LONGEST_NAME]
        name, number = plain or "image", 1
        while name.lower() in taken:
            number += 1
            name = f"{plain or 'image'}-{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def check_several(count: int, outputs: str) -> None:
    """Raise ServiceError where an answer holds one image and more were sent."""
    if count > 1 and outputs not in ("json", "zip"):
        raise ServiceError("bad_parameter", f"outputs={outputs}: is one image, and {count} were sent. Use json or zip.")
