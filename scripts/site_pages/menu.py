"""The menu: the start page's own lists, each under its heading, then what is made from the program."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from site_pages.links import relative

SECTION = re.compile(r"^## (.+)\n((?:(?!^## ).*\n)*)", re.MULTILINE)
ITEM = re.compile(r"^- \[[^\]]+\]\(([^)#]+)\)", re.MULTILINE)


def of_lists(start: str) -> str:
    """Hidden trees of the pages that a start page lists, a caption for each heading."""
    return "".join(tree(ITEM.findall(items), heading) for heading, items in SECTION.findall(start))


def of_folder(index: PurePosixPath, pages: Iterable[PurePosixPath]) -> str:
    """A hidden tree of the pages beside an index."""
    return tree(relative(page, index) for page in sorted(pages))


def tree(pages: Iterable[str], caption: str = "", *, hidden: bool = True) -> str:
    """MyST's directive for it; the pages' titles are their own."""
    options = (f":caption: {caption}\n" if caption else "") + (":hidden:\n" if hidden else "")
    listed = "".join(f"{page.removesuffix('.md')}\n" for page in pages)
    return f"\n```{{toctree}}\n{options}:maxdepth: 1\n\n{listed}```\n" if listed else ""
