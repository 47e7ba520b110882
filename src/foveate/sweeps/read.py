"""Read a sweep: shipped or a file of the user's, checked against its schema and, trial by trial, its recipe's."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from foveate.errors import UsageError, unknown
from foveate.recipes.read import text_of
from foveate.sweeps.schema import Range, Sweep


def shipped() -> dict[str, str]:
    """Name to TOML text of every sweep in the package, sorted by name."""
    folder = files("foveate.sweeps")
    tomls = {item.name.removesuffix(".toml"): item for item in folder.iterdir() if item.name.endswith(".toml")}
    return {name: tomls[name].read_text(encoding="utf-8") for name in sorted(tomls)}


def read_sweep(name_or_path: str) -> Sweep:
    """The sweep of that shipped name, or in that TOML file; its recipe's file is found from the sweep's own.

    Raises UsageError for an unknown name, and for a key or value that the schema refuses. The recipe isn't looked at.
    """
    path = Path(name_or_path)
    try:
        content = tomllib.loads(_text(name_or_path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name_or_path}: not valid TOML ({error}).") from error
    content.setdefault("name", path.stem)
    recipe = content.get("recipe")
    if isinstance(recipe, str) and recipe.endswith(".toml"):
        content["recipe"] = str(path.parent / recipe)
    return checked_sweep(content, name_or_path)


def checked_sweep(content: dict[str, Any], source: str) -> Sweep:
    """Validate; the error names the key, what was found, and the nearest known key."""
    try:
        return Sweep.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part not in ("range", "list")]
        key, given = ".".join(place), first["input"]
        if first["type"] == "extra_forbidden":
            known = list(Sweep.model_fields if len(place) == 1 else Range.model_fields)
            prefix = "".join(f"{part}." for part in place[:-1])
            raise UsageError(f"{source}: {unknown('key', key, [prefix + known_key for known_key in known])}") from error
        if first["type"] == "missing":
            raise UsageError(f"{source}: {key} is missing. Add it.") from error
        what = first["msg"].removeprefix("Value error, ")
        if first["type"] in ("tuple_type", "too_short") and place[0] == "search":
            what = "write a list, such as [1, 2, 4]"
        shown = "" if isinstance(given, dict) or not key else f" = {given!r}"
        raise UsageError(f"{source}: {f'{key}{shown}: ' if key else ''}{what}.") from error


def recipe_text(sweep: Sweep) -> str:
    """The TOML of the sweep's recipe, with its name at the top if it was named by its file. Raises UsageError."""
    text = text_of(sweep.recipe)
    try:
        named = "name" in tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{sweep.recipe}: not valid TOML ({error}).") from error
    return text if named else f"name = {json.dumps(Path(sweep.recipe).stem)}\n{text}"


def _text(name_or_path: str) -> str:
    sweeps = shipped()
    if name_or_path in sweeps:
        return sweeps[name_or_path]
    if not name_or_path.endswith(".toml"):
        raise UsageError(unknown("sweep", name_or_path, sweeps) + " A file of your own ends in .toml.")
    try:
        return Path(name_or_path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{name_or_path}: can't be read as a sweep ({error}).") from error
