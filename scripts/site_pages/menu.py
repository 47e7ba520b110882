"""The menu: the start page's own lists, each under its heading, then what is made from the program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from site_pages.links import relative

SECTION = re.compile(r"^## (.+)\n((?:(?!^## ).*\n)*)", re.MULTILINE)
ITEM = re.compile(r"^- \[([^\]]+)\]\(([^)#]+)\)", re.MULTILINE)


def of_lists(start: str) -> str:
    """Hidden trees of the pages that a start page lists, in its words, a caption for each heading."""
    listed = {heading: ITEM.findall(items) for heading, items in SECTION.findall(start)}
    named = {heading: [f"{text} <{page}>" for text, page in items] for heading, items in listed.items()}
    return "".join(tree(items, heading) for heading, items in named.items())


def of_folder(index: PurePosixPath, pages: Iterable[PurePosixPath]) -> str:
    """A hidden tree of the pages beside an index."""
    return tree(relative(page, index) for page in sorted(pages))


def tree(pages: Iterable[str], caption: str = "", *, hidden: bool = True) -> str:
    """MyST's directive for it, of pages, or of pages with a title other than their own: `title <page>`."""
    options = (f":caption: {caption}\n" if caption else "") + (":hidden:\n" if hidden else "")
    listed = "".join(f"{page.replace('.md', '')}\n" for page in pages)
    return f"\n```{{toctree}}\n{options}:maxdepth: 1\n\n{listed}```\n" if listed else ""
