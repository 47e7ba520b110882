"""A page for every data set, from its adapter's own texts."""

from __future__ import annotations

import re

from foveate.datasets import SETS, facts
from foveate.recipes.read import shipped
from site_pages.markdown import block, page, table
from site_pages.menu import tree
from site_pages.places import ROOT


def pages() -> dict[str, str]:
    """Place to text of all of them and of their index."""
    index = table(("name", "data set"), ((f"[`{name}`]({name}.md)", facts(name).title) for name in SETS))
    made = {f"data-sets/{name}.md": _page(name) for name in SETS}
    said = "[](../datasets.md) has the rules that all of them share. foveate downloads none."
    return made | {"data-sets/index.md": page("Data sets, one by one", said, index, tree(SETS))}


def _page(name: str) -> str:
    known = facts(name)
    rows = {
        "classes": known.classes,
        "layout": known.layout,
        "split": known.split,
        "where": _linked(known.source),
        "terms": known.terms,
        "cite": known.citation,
    }
    trained = [recipe for recipe, text in shipped().items() if f"--data {name}:" in text.partition("\n")[0]]
    recipes = ", ".join(f"[`{recipe}`](../recipes/{recipe}.md)" for recipe in trained)
    return page(
        f"`{name}`",
        f"{known.title}. [More of its layout and its groups](../datasets.md#{anchor(name)}).",
        table(("", ""), ((f"**{what}**", text) for what, text in rows.items())),
        block(f"$ foveate data info {name}", "console"),
        f"Recipes: {recipes}." if recipes else "",
    )


def anchor(name: str) -> str:
    """The place of a set on the page of data sets, as code hosts call it."""
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    (heading,) = re.findall(rf"^## (`{name}`.*)$", text, flags=re.MULTILINE)
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _linked(text: str) -> str:
    return re.sub(r"(?<!<)https?://[^\s)>,;]+", lambda match: f"<{match[0]}>", text)
