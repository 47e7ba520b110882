"""The report's JSON, its documentation, and its table."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from foveate.evaluation import ModelSummary, Report, Threshold, evaluate, statement, table
from foveate.records import Case, CaseEntry, Image, Mask, Probability

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"


@dataclass(frozen=True)
class Known:
    probability: Probability
    mask: Mask
    fov: Mask


def predict(image: Image) -> Known:
    probability = (image[..., 0] / 255).astype(np.float32)
    return Known(probability, probability >= 0.4, probability > 0.1)


def load() -> Case:
    generator = np.random.default_rng(11)
    image = generator.integers(0, 256, (15, 14, 3), dtype=np.uint8)
    second = generator.random((15, 14)) < 0.3
    return Case("left", "someone", image, mask=image[..., 0] > 150, second_mask=second)


@pytest.fixture(scope="module")
def report() -> Report:
    return evaluate(
        predict,
        [CaseEntry("left", "someone", "test", load)],
        model=ModelSummary(name="redness", sha256="ab" * 32, parameters=3),
        data_set="seeded",
        split="test",
        threshold=Threshold(value=0.4, origin="validation images"),
    )


def at(document: Any, path: str) -> Any:
    for key in path.split("."):
        document = document[key]
    return document


def test_the_json_has_each_score_at_its_documented_path(report: Report) -> None:
    document = json.loads(report.to_json())
    paths = re.findall(r"`((?:scopes|second_observer)\.[a-z0-9_.]+)`", DOCUMENT.read_text("utf-8"))
    assert {"scopes.fov.pooled.f1", "scopes.image.pooled.f1", "scopes.fov.per_image.mean.f1"} <= set(paths)
    for path in paths:
        value: Any = report
        for key in path.split("."):
            value = value[key] if isinstance(value, dict) else getattr(value, key)
        assert at(document, path) == value
    assert at(document, "scopes.fov.per_image.undefined.f1") == 0
    assert "roc_auc" not in at(document, "second_observer.scopes.fov.pooled")


def test_the_json_says_what_was_evaluated_and_how(report: Report) -> None:
    document = json.loads(report.to_json())
    assert document["schema_version"] == 1
    assert document["model"] == {"name": "redness", "sha256": "ab" * 32, "parameters": 3}
    assert document["data"] == {"set": "seeded", "split": "test", "count": 1}
    assert document["protocol"] == {
        "size": "native",
        "scopes": ["fov", "image"],
        "pooling": ["pooled", "per_image"],
        "threshold": {"value": 0.4, "origin": "validation images"},
        "passes": "one forward pass",
        "fov_for_counting": "estimated",
        "fov_for_preparing": "estimated from the photograph",
    }
    assert document["versions"]["numpy"] == np.__version__
    assert "not a medical device" in document["notice"]


def test_the_protocols_scopes_and_poolings_are_the_keys_of_the_scores(report: Report) -> None:
    document = json.loads(report.to_json())
    assert list(document["scopes"]) == document["protocol"]["scopes"]
    for scope in document["scopes"].values():
        assert list(scope) == document["protocol"]["pooling"]


def test_the_json_reads_back_as_the_same_report(report: Report) -> None:
    assert Report.model_validate_json(report.to_json()) == report


def test_a_field_that_the_schema_does_not_know_is_refused(report: Report) -> None:
    document = json.loads(report.to_json())
    document["protocol"]["dilated"] = True
    with pytest.raises(ValidationError, match="dilated"):
        Report.model_validate(document)


def test_the_document_has_a_table_for_every_object_of_the_schema_with_exactly_its_fields() -> None:
    schema = Report.model_json_schema(mode="serialization")
    objects = {"Report": schema, **schema["$defs"]}
    expected = {name: list(value["properties"]) for name, value in objects.items()}
    sections = re.split(r"^### `(\w+)`$", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]
    documented = {
        name: re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }
    assert {name: sorted(fields) for name, fields in documented.items()} == {
        name: sorted(fields) for name, fields in expected.items()
    }


def test_the_table_shows_every_score_of_every_scope_with_four_decimals(report: Report) -> None:
    header, *rows = table(report)
    cells = {(row[0], row[1]): dict(zip(header, row, strict=True)) for row in rows}
    assert cells["fov", "pooled"]["f1"] == f"{report.scopes.fov.pooled.f1:.4f}"
    assert cells["image", "pooled"]["roc_auc"] == f"{report.scopes.image.pooled.roc_auc:.4f}"
    assert cells["image", "mean over images"]["mcc"] == f"{report.scopes.image.per_image.mean.mcc:.4f}"
    assert report.second_observer is not None
    human = report.second_observer.scopes.fov.pooled.iou
    assert cells["fov, second observer", "pooled"]["iou"] == f"{human:.4f}"
    assert set(header[2:]) == set(report.scopes.fov.per_image.undefined)
    assert len(rows) == len(cells) == 2 * 2 * 3  # observers, scopes, and pooled, mean and deviation


def test_the_table_has_a_dash_where_a_score_is_undefined(report: Report) -> None:
    header, *rows = table(report)
    deviations = [row[2:] for row in rows if row[1] == "std over images"]
    assert {cell for row in deviations for cell in row} == {"–"}  # of one image
    human = next(row for row in rows if row[:2] == ["image, second observer", "pooled"])
    dashes = {name for name, cell in zip(header, human, strict=True) if cell == "–"}
    assert dashes == {"roc_auc", "average_precision"}


def test_the_statement_says_all_that_the_numbers_depend_on(report: Report) -> None:
    sentence = statement(report)
    for fact in (
        "redness",
        "seeded",
        "test",
        "1 image",
        "native size",
        "one forward pass",
        "threshold 0.4000 (validation images)",
        "for preparing: estimated from the photograph",
        "for counting: estimated",
    ):
        assert fact in sentence
