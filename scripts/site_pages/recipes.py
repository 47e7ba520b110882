"""A page for every shipped recipe, from its file."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from foveate.recipes.read import read_recipe, shipped
from foveate.recipes.schema import Recipe
from site_pages.markdown import block, page, table
from site_pages.menu import tree

NOTE = re.compile(r"^# (?!foveate )(.*(?:\n#   .*)*)", re.MULTILINE)


def pages() -> dict[str, str]:
    """Place to text of all of them and of their index."""
    texts = shipped()
    index = table(
        ("recipe", "what it trains"), ((f"[`{name}`]({name}.md)", read_recipe(name).description) for name in texts)
    )
    made = {f"recipes/{name}.md": _page(name, text) for name, text in texts.items()}
    return made | {
        "recipes/index.md": page("Recipes, one by one", "[](../recipes.md) explains every key.", index, tree(texts))
    }


def notes(text: str) -> list[str]:
    """What a recipe's file says in comments, after the command that runs it; a note may go over several lines."""
    return [re.sub(r"\n#\s+", " ", note) for note in NOTE.findall(text)]


def _page(name: str, text: str) -> str:
    recipe = read_recipe(name)
    network = recipe.network.name
    follows = f"Follows {_paper(recipe)}." if recipe.paper else ""
    return page(
        f"`{name}`",
        recipe.description,
        f"Network: [`{network}`](../networks/{network}.md). {follows}",
        block(f"$ {text.partition(chr(10))[0].removeprefix('# ')}", "console"),
        _published(recipe.published),
        "".join(f"- {_said(note)}\n" for note in notes(text)),
        "## What it sets",
        "[](../recipes.md) says what each key means, and what its default is.",
        _settings(text),
        "## The file",
        block(text, "toml"),
    )


def _paper(recipe: Recipe) -> str:
    paper = f"paper {recipe.paper}" if recipe.paper.isdigit() else recipe.paper
    return f"{paper}, {recipe.row}" if recipe.row else paper


def _published(scores: dict[str, float]) -> str:
    if not scores:
        return ""
    listed = ", ".join(f"{name} {value:g}" for name, value in scores.items())
    return f"Printed in the paper, not measured here: {listed}."


def _said(note: str) -> str:
    kind, colon, rest = note.partition(": ")
    return f"**{kind}:** {rest}" if colon and kind in ("Deviation", "Ours", "Offline") else note


def _settings(text: str) -> str:
    sections = {
        name: keys for name, keys in tomllib.loads(text).items() if isinstance(keys, dict) and name != "published"
    }
    rows = [
        (f"`{section}.{key}`", f"`{_as_toml(value)}`")
        for section, keys in sections.items()
        for key, value in keys.items()
    ]
    return table(("key", "value"), rows)


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_as_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
