"""The glossary: the table of words in ARCHITECTURE.md, so that each can be looked up and searched for."""

from __future__ import annotations

import re

from site_pages.markdown import page

ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def pages(architecture: str) -> dict[str, str]:
    """Its one page, from the text of ARCHITECTURE.md."""
    terms = "\n\n".join(f"{word}\n  {meaning}" for word, meaning in words(architecture).items())
    return {
        "glossary.md": page(
            "Glossary", "One name for each concept, in code, commands and pages.", "```{glossary}\n" + terms + "\n```"
        )
    }


def words(architecture: str) -> dict[str, str]:
    """Word to meaning, as in the table: a row may have two words."""
    section = architecture.partition("\n## Words\n")[2].partition("\n## ")[0]
    return {word: meaning for word, meaning in ROW.findall(section) if word not in ("word", "---")}
