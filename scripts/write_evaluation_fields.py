"""Rewrite the generated tables of docs/evaluation.md from the measures and the report's schema:
python scripts/write_evaluation_fields.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from generated import with_generated

from foveate.evaluation import EvaluationResult
from foveate.evaluation.measures import MEASURES
from foveate.imaging import write_text

PAGE = Path(__file__).parents[1] / "docs" / "evaluation.md"


def text() -> str:
    """What the page should hold: as it is, but for what stands between the markers."""
    parts = {"measures": measures(), "fields": fields()}
    return with_generated(PAGE.read_text(encoding="utf-8"), parts, Path(__file__).name)


def measures() -> str:
    """Every measure with what it is, and whether it has a value for all images together."""
    lines = ["| measure | group | what it is | pooled too |", "| --- | --- | --- | --- |"]
    lines += [
        f"| `{name}` | {each.group} | {_cell(each.description)} | {'yes' if each.pooled else 'no'} |"
        for name, each in MEASURES.items()
    ]
    return "\n".join(lines) + "\n"


def fields() -> str:
    """A section for every kind of object in the report's JSON, in the order in which they are met."""
    schema = EvaluationResult.model_json_schema(mode="serialization")
    objects = {"EvaluationResult": schema, **schema["$defs"]}
    return "\n".join(_section(name, objects) for name in _met(objects, "EvaluationResult"))


def _met(objects: dict[str, Any], name: str) -> list[str]:
    """The object and all that it leads to, each once."""
    order = [name]
    for each in order:  # it grows on the way
        order += dict.fromkeys(other for other in _named(objects[each]) if other not in order)
    return order


def _section(name: str, objects: dict[str, Any]) -> str:
    definition = objects[name]
    lines = [f"### `{name}`", "", " ".join(definition["description"].split()), ""]
    lines += ["| field | type | meaning |", "| --- | --- | --- |"]
    lines += [
        f"| `{field}` | {_cell(_type(each))} | {_cell(_meaning(each, objects))} |"
        for field, each in definition["properties"].items()
    ]
    return "\n".join(lines) + "\n"


def _meaning(field: dict[str, Any], objects: dict[str, Any]) -> str:
    """A field's description, which the schema leaves out where it is that of the object it holds."""
    own = field.get("description") or objects[field["$ref"].rpartition("/")[2]]["description"]
    return " ".join(own.split())


def _named(definition: dict[str, Any]) -> list[str]:
    """The objects that a definition names, in order."""
    return re.findall(r"#/\$defs/(\w+)", str(definition["properties"]))


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(each) for each in field["anyOf"])
    if "$ref" in field:
        return f"`{field['$ref'].rpartition('/')[2]}`"
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{each}`" for each in field["enum"])
    if field["type"] == "object":
        return f"object of {_type(field['additionalProperties'])}"
    if field["type"] == "array":
        inner = field.get("items") or field["prefixItems"][0]
        return f"list of {len(field['prefixItems'])}" if "prefixItems" in field else f"list of {_type(inner)}"
    return str(field["type"])


def _cell(words: str) -> str:
    return words.replace("|", "\\|")


if __name__ == "__main__":
    write_text(text(), PAGE)
