"""What the OpenAPI document says beyond the addresses: bodies, answers and examples, which a test runs."""

from __future__ import annotations

from typing import Any

from foveate.service.problems import KINDS

ABOUT = """Masks from medical photographs. For research, not a medical device. Nothing that is sent leaves this \
machine, and nothing of it is written.

A problem is JSON with `code`, `message` and `hint`. Where the service was given a key, send it as \
`Authorization: Bearer KEY`."""

PNG_SCHEMA: dict[str, Any] = {"type": "string", "format": "binary"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "enum": list(KINDS)},
        "message": {"type": "string"},
        "hint": {"type": "string"},
    },
    "required": ["code", "message", "hint"],
    "additionalProperties": False,
}

NUMBER_OR_NULL: dict[str, Any] = {"type": ["number", "null"]}
WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}
TEXT: dict[str, Any] = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}


def _closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    } | more


def _by_name(schema: dict[str, Any], meaning: str) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": schema, "description": meaning}


RESULT = _closed(
    {
        "name": TEXT | {"description": "What the client called the image."},
        "image_sha256": TEXT | {"description": "Of the bytes that were sent."},
        "width": WHOLE,
        "height": WHOLE,
        "model": TEXT,
        "sha256": TEXT | {"description": "Of the model's file."},
        "thresholds": {"type": "array", "items": {"type": "number"}},
        "threshold_from": TEXT | {"description": "What the threshold was chosen on."},
        "min_size": WHOLE | {"description": "Parts of a mask of fewer pixels were removed."},
        "classes": TEXTS,
        "area_fraction": _by_name({"type": "number"}, "By class: the mask's share of the field of view's pixels."),
        "expected_f1": _by_name(
            {
                "type": ["object", "null"],
                "properties": {"value": {"type": "number"}, "low": NUMBER_OR_NULL, "high": NUMBER_OR_NULL},
            },
            "By class: what the mask would probably score, with its interval; null where the mask is empty.",
        ),
        "fov": _closed(
            {"diameter": {"type": "number"}, "box": _closed(dict.fromkeys(("left", "top", "width", "height"), WHOLE))},
            description="The field of view that was found, in pixels of the upright image.",
        ),
        "notes": TEXTS | {"description": "What had to be decided."},
        "seconds": {"type": "number", "description": "Of work, without waiting."},
        "images": _by_name({"type": "string", "format": "byte"}, "PNG files in base64, those that `include` names."),
        "notice": TEXT,
    }
)

FAILED = _closed({"name": TEXT, "error": PROBLEM})

ANSWER: dict[str, Any] = {
    "description": "What was asked for: an image, JSON, or a ZIP file.",
    "content": {
        "image/png": {"schema": PNG_SCHEMA},
        "application/json": {
            "schema": {"anyOf": [RESULT, _closed({"images": {"type": "array", "items": {"anyOf": [RESULT, FAILED]}}})]}
        },
        "application/zip": {"schema": PNG_SCHEMA},
    },
}

BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": PNG_SCHEMA},
        "image/*": {"schema": PNG_SCHEMA},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "array", "items": PNG_SCHEMA, "minItems": 1}},
                "required": ["file"],
                "additionalProperties": False,
            }
        },
    },
}

SEGMENT = """The body is the bytes of one image (JPEG, PNG, TIFF, GIF, BMP, WebP, PPM, PGM, PBM, plain or gzipped), \
with its name, if you like, percent-encoded in the header `X-File-Name`; or a form with the field `file`, once or \
several times.

`mask`, `probability` and `overlay` answer for one image, with the bytes of the file that `foveate segment` would \
write. Of images in a form, `json` has a list, in which those that failed have an `error`; `zip` has the files and \
`segment.csv`, a row for each image."""

EXAMPLES = [
    {"lang": "Shell", "label": label, "source": source}
    for label, source in {
        "a mask": "curl -F file=@photo.jpg '{address}/v1/segment' -o photo_mask.png",
        "numbers": "curl -F file=@photo.jpg '{address}/v1/segment?outputs=json'",
        "several": "curl -F file=@photo.jpg -F file=@other.tif '{address}/v1/segment?outputs=zip' -o masks.zip",
    }.items()
]
"""Each runs where the address is put in."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The answers of these statuses, with the codes that go with each."""
    told: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        codes = ", ".join(code for code, kind in KINDS.items() if kind.status == status)
        told[status] = {"description": codes, "content": {"application/json": {"schema": PROBLEM}}}
    return told
