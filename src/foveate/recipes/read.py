"""Read a recipe: shipped or a file of the user's, with `section.key=value` overrides, checked against the schema."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from foveate.arrays.prepare import Preparation
from foveate.errors import RecipeError, UsageError, unknown
from foveate.recipes.schema import Recipe, Section

BEFORE: Mapping[str, Mapping[str, Any]] = {
    "data": {"own_validation": False},
    "augmentation": {"jitter_whole": True},
    "training": {"draw": "with_replacement", "normalisation": "images", "average_warm_up": False},
}
"""By section, what keys meant before they were there: a run's recipe has every key that there was when it began."""

NO_SECTION = ("model_type", "dataclass_type")
"""What Pydantic calls it where something else stands in a section's place."""

MOVED = tuple(field.name for field in fields(Preparation))
"""Keys that were in `[data]` before version 0.2.0, and are in `[preparation]`."""


def shipped() -> dict[str, str]:
    """Name to TOML text of every recipe in the package, sorted by name."""
    folder = files("foveate.recipes")
    tomls = {item.name.removesuffix(".toml"): item for item in folder.iterdir() if item.name.endswith(".toml")}
    return {name: tomls[name].read_text(encoding="utf-8") for name in sorted(tomls)}


def read_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of that shipped name, or in that TOML file.

    Raises UsageError for an unknown name, RecipeError for a key or value that the schema refuses.
    """
    return checked_recipe(overridden(_content(name_or_path), overrides), name_or_path)


def overridden(content: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A recipe's content with every `section.key=value` set, the network's name before its options.

    `section={key = value}` sets these keys of the section, and leaves its others as they are. Raises UsageError for
    what is no override, RecipeError for one of something that is no section.
    """
    changed = deepcopy(dict(content))
    settings = [setting for override in overrides for setting in _settings(override)]
    for setting in sorted(settings, key=lambda each: each.parts != NETWORK_NAME):
        _set(setting, changed)
    return changed


def read_recipe_of_run(path: str, overrides: Sequence[str] = ()) -> Recipe:
    """As `read_recipe`, of the file in a run's folder: a key that is newer than the run means what was then."""
    return checked_recipe(overridden(as_it_was(_content(path)), overrides), path)


def as_it_was(content: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe that a run has begun with, with the keys that were not there then."""
    content = _with_moved_keys(content)
    sections = {name: content.get(name, {}) for name in BEFORE}
    completed = {name: {**BEFORE[name], **keys} for name, keys in sections.items() if isinstance(keys, Mapping)}
    return dict(content) | completed


def _with_moved_keys(content: Mapping[str, Any]) -> Mapping[str, Any]:
    data = content.get("data")
    if not isinstance(data, Mapping) or "preparation" in content:
        return content
    kept = {key: value for key, value in data.items() if key not in MOVED}
    return dict(content) | {"data": kept, "preparation": {key: data[key] for key in MOVED if key in data}}


def _content(name_or_path: str) -> dict[str, Any]:
    text = text_of(name_or_path)
    try:
        return {"name": Path(name_or_path).stem} | tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name_or_path}: not valid TOML ({error}).") from error


def text_of(name_or_path: str) -> str:
    """The TOML of a shipped recipe or of a file. Raises UsageError for an unknown name or a file that can't be read."""
    recipes = shipped()
    if name_or_path in recipes:
        return recipes[name_or_path]
    if not name_or_path.endswith(".toml"):
        raise UsageError(unknown("recipe", name_or_path, recipes) + " A file of your own ends in .toml.")
    try:
        return Path(name_or_path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{name_or_path}: can't be read as a recipe ({error}).") from error


def checked_recipe(content: Mapping[str, Any], source: str) -> Recipe:
    """Validate; the error names the key, what was found, and the nearest known key."""
    try:
        return Recipe.model_validate(content)
    except UsageError as error:
        raise RecipeError(f"{source}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]]
        key = ".".join(place)
        if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            if place[:1] == ["data"] and place[-1] in MOVED:
                raise RecipeError(f"{source}: {key} is preparation.{place[-1]} since version 0.2.0.") from error
            raise RecipeError(f"{source}: {unknown('key', key, _keys(Recipe, place[:-1]))}") from error
        if first["type"] == "missing":
            raise RecipeError(f"{source}: {key} is missing. Add it.") from error
        value, wrong = first["input"], first["msg"].removeprefix("Value error, ")
        if first["type"] in NO_SECTION:
            example = _keys(Recipe, place)[0]
            raise RecipeError(
                f"{source}: {key} = {value!r}: is a section. Set its keys, as in '{example}=…'."
            ) from error
        if place == ["preparation"]:  # which says itself which of its keys is wrong
            own, _, wrong = wrong.partition(": ")
            key, value = f"{key}.{own}", getattr(value, "kwargs", value)[own]
        if first["type"] == "tuple_type":
            wrong = f'a list is needed. Write it in brackets and all of it in quotes, as \'{key}=["first", "second"]\''
        setting = "" if isinstance(value, dict) else f" = {value!r}"
        raise RecipeError(f"{source}: {key}{setting}: {wrong}.") from error


def to_toml(recipe: Recipe) -> str:
    """The whole recipe, every default written out, as TOML that `read_recipe` reads back to the same recipe."""
    content = recipe.model_dump(mode="json")
    sections = [key for key in content if isinstance(getattr(recipe, key), Section | Preparation)]
    lines = [f"{key} = {literal(value)}" for key, value in content.items() if key not in sections]
    for section in sections:
        lines += ["", f"[{section}]", *(f"{key} = {literal(value)}" for key, value in content[section].items())]
    return "\n".join(lines) + "\n"


def literal(value: object) -> str:
    """JSON's strings, numbers, booleans and lists are TOML's too; tables are written inline. TypeError for others."""
    if value is None:
        raise TypeError("TOML has no None")
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{literal(key)} = {literal(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(frozen=True, slots=True)
class _Setting:
    override: str
    parts: tuple[str, ...]
    value: Any


NETWORK_NAME = ("network", "name")


def _settings(override: str) -> list[_Setting]:
    """What an override sets; its value is read as TOML, and as plain text where it is not TOML."""
    key, equals, value = override.partition("=")
    parts = tuple(key.strip().split("."))
    if not equals or not all(parts):
        raise UsageError(f"'{override}' is not an override. Write section.key=value, e.g. training.epochs=4.")
    try:
        (parsed,) = tomllib.loads(f"value = {value}").values()
    except ValueError:
        parsed = value.strip()
    if len(parts) == 1 and isinstance(parsed, dict):
        return [_Setting(override, (*parts, each), value) for each, value in parsed.items()]
    return [_Setting(override, parts, parsed)]


def _set(setting: _Setting, content: dict[str, Any]) -> None:
    table, network = content, content.get("network")
    if setting.parts == NETWORK_NAME and isinstance(network, dict) and network.get("name") != setting.value:
        table["network"] = {}  # the file's options are another network's
    for part in setting.parts[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise RecipeError(f"'{setting.override}': '{part}' is not a section.")
    table[setting.parts[-1]] = setting.value


def keys_of(override: str) -> tuple[str, ...]:
    """The full names of the keys that an override sets. Raises UsageError for what is none."""
    return tuple(".".join(setting.parts) for setting in _settings(override))


def overrides_of(given: Mapping[str, object] | Sequence[str]) -> list[str]:
    """Overrides as `read_recipe` takes them: a mapping's values as TOML, texts in quotes; a list's as they are.

    Raises UsageError for a value that TOML hasn't.
    """
    if not isinstance(given, Mapping):
        return list(given)
    try:
        return [f"{key}={literal(value)}" for key, value in given.items()]
    except TypeError as error:
        raise UsageError(f"overrides: {error}. Give numbers, texts, booleans, lists or mappings of these.") from error


def _keys(model: type[BaseModel], place: Iterable[str]) -> list[str]:
    """The full names of the keys of the section at `place`."""
    prefix = ""
    for part in place:
        annotation = model.model_fields[part].annotation
        if annotation is Preparation:
            return [f"{part}.{key}" for key in MOVED]
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model, prefix = annotation, f"{prefix}{part}."
    return [prefix + key for key in model.model_fields]
