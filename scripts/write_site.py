"""Put the site's pages together for Sphinx: python scripts/write_site.py build/site/source.

A page that is as it was stays untouched, so that Sphinx reads only what has changed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path, PurePosixPath

from site_pages import commands, data_sets, menu, models, python, recipes, words
from site_pages.examples import calls
from site_pages.links import in_the_site
from site_pages.outputs import outputs
from site_pages.places import ROOT, Places, places

from foveate.cli.commands import COMMANDS

LOOKED_UP = ("commands/index", "python/index", "recipes/index", "data-sets/index", "models/index", "glossary")
"""What is made from the program, in the order of the menu."""


def write_site(folder: Path, kept: Path) -> None:
    """Fill the folder with all pages and what they show; what is there and isn't wanted goes away.

    `kept` is where the outputs of commands are kept from one time to the next.
    Raises DeadLinkError and FailedCommandError.
    """
    pages, files = repository_pages(places(), ROOT)
    pages |= made_pages(outputs(calls(COMMANDS), kept))
    wanted = {folder / place for place in (*map(PurePosixPath, pages), *files.values())}
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for place, text in pages.items():
        _write(text.encode(), folder / place)
    for source, file in files.items():
        _write(source.read_bytes(), folder / file)


def repository_pages(known: Places, root: Path) -> tuple[dict[str, str], dict[Path, PurePosixPath]]:
    """Place to text of the repository's own pages, with their menus; and the files that they show or hand over."""
    pages: dict[str, str] = {}
    files: dict[Path, PurePosixPath] = {}
    beside = defaultdict(list)
    for place in known.values():
        if place.name != "index.md":
            beside[place.parent].append(place)
    for page, place in known.items():
        text, shown = in_the_site((root / page).read_text(encoding="utf-8"), page, known, root)
        files |= shown
        if place == PurePosixPath("index.md"):
            text += menu.of_lists(text) + menu.tree(LOOKED_UP, "Look up")
        elif place.name == "index.md":
            text += menu.of_folder(place, beside[place.parent])
        pages[place.as_posix()] = text
    return pages, files


def made_pages(printed: dict[str, str]) -> dict[str, str]:
    """Place to text of what is made from the program."""
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return {
        **commands.pages(printed),
        **python.pages(),
        **recipes.pages(),
        **data_sets.pages(),
        **models.pages(),
        **words.pages(architecture),
    }


def _write(content: bytes, path: Path) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("folder", type=Path)
    chosen: Path = parser.parse_args().folder
    write_site(chosen, chosen.with_name("outputs.json"))
