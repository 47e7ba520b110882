"""docs/evaluation.md has the schema as it is, and its other numbers come with a command."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from foveate.evaluation import EvaluationResult
from foveate.evaluation.measures import MEASURES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """scripts/write_evaluation_fields.py, imported."""
    path = ROOT / "scripts" / "write_evaluation_fields.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_those_that_the_script_writes(script: ModuleType) -> None:
    assert script.text() == PAGE, "run python scripts/write_evaluation_fields.py"


def test_every_object_of_the_schema_has_a_table_with_exactly_its_fields() -> None:
    schema = EvaluationResult.model_json_schema(mode="serialization")
    objects = {"EvaluationResult": schema, **schema["$defs"]}
    expected = {name: list(each["properties"]) for name, each in objects.items()}
    sections = re.split(r"^### `(\w+)`$", PAGE, flags=re.MULTILINE)[1:]
    documented = {
        name: re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }
    assert documented == expected


def test_every_measure_is_on_the_page_with_how_it_is_computed_and_when_it_is_undefined() -> None:
    _, _, computed = PAGE.partition("## How each number is computed")
    by_hand = re.sub(r"<!-- \w+: generated.*?<!-- end -->", "", computed, flags=re.DOTALL)
    assert [name for name in MEASURES if f"`{name}`" not in by_hand] == []


def test_the_paths_that_the_page_names_are_in_the_schema() -> None:
    paths = re.findall(r"`(classes\.[a-z0-9_.A-Z]+|second_observer\.[a-z0-9_.A-Z]+)`", PAGE)
    assert len(paths) >= 4
    schema = EvaluationResult.model_json_schema(mode="serialization")
    for path in paths:
        place: dict[str, Any] = {"properties": schema["properties"]}
        for key in path.split("."):
            place = step(place, key, schema["$defs"])


def step(place: dict[str, Any], key: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The schema one key further in; KeyError where there is no such key."""
    for each in place.get("anyOf", []):
        if each.get("type") != "null":
            place = each
    if "$ref" in place:
        place = definitions[place["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = place.get("additionalProperties") or place["properties"][key]
    return found
