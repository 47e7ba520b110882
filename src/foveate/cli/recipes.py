"""`foveate recipes`: list, show, copy, check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say
from foveate.errors import OutputError

Name = Annotated[str, typer.Argument(help="Name of a shipped recipe, or a .toml file of your own.")]


def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the shipped recipes: paper, row of its table, and what the paper published there.

    foveate recipes list --json
    """
    from foveate.recipes.read import read_recipe, shipped

    recipes = [read_recipe(name) for name in shipped()]
    if as_json:
        keys = {"name", "description", "paper", "row", "published"}
        say(json.dumps([recipe.model_dump(include=keys) for recipe in recipes], indent=2))
        return
    width = max(len(recipe.name) for recipe in recipes)
    for recipe in recipes:
        published = ", ".join(f"{measure} {value:g}" for measure, value in recipe.published.items())
        row = ", ".join(part for part in (recipe.paper and f"paper {recipe.paper}", recipe.row) if part)
        say(f"{recipe.name:{width}}  {row or recipe.description}{f' (published: {published})' if published else ''}")
    say("\nWhat is published was measured as each paper did, not as `foveate evaluate` does.")


def show(name: Name) -> None:
    """Print a recipe in full, every default written out.

    foveate recipes show region-guided-drive
    """
    from foveate.recipes.read import read_recipe, to_toml

    say(to_toml(read_recipe(name)).rstrip())


def copy(
    name: Name,
    file: Annotated[Path, typer.Argument(help="The .toml file to write; one that exists is never overwritten.")],
) -> None:
    """Give yourself a copy of a recipe, as short as it is shipped, to change and train by.

    foveate recipes copy region-guided-drive mine.toml
    """
    from foveate.imaging import write_text
    from foveate.recipes.read import text_of

    if file.suffix != ".toml":
        raise OutputError(f"{file}: a recipe's file ends in .toml.")
    if file.exists():
        raise OutputError(f"{file}: is there already. Choose another name.")
    top, bracket, sections = text_of(name).partition("\n[")
    own = [line for line in top.splitlines(keepends=True) if not line.startswith(("# foveate train ", "name = "))]
    write_text("".join(own) + bracket + sections, file)
    say(f"{file}: train by it with `foveate train {file} --data NAME:FOLDER --out FOLDER`.")


def check(
    file: Annotated[Path, typer.Argument(help="A .toml file of your own.")],
) -> None:
    """Say whether a recipe can be trained by, or which key is wrong.

    foveate recipes check mine.toml
    """
    from foveate.recipes.read import read_recipe

    recipe = read_recipe(str(file))
    steps = recipe.training.epochs * recipe.training.steps_per_epoch
    say(f"{file}: fine. {recipe.network.name}, {recipe.training.epochs} epochs, {steps} steps.")
