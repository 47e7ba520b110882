"""What is said of every set: what it is, on what terms, where its owner gives it away."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from foveate.datasets import SETS, facts, open_set
from foveate.errors import UsageError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
PUBLIC = sorted(SETS.keys() - {"folder", "synthetic"})


@pytest.mark.parametrize("name", SETS)
def test_every_set_says_what_it_is_where_it_comes_from_and_how_it_is_laid_out(name: str) -> None:
    found = asdict(facts(name))
    assert found.pop("name") == name
    assert [key for key, text in found.items() if not text.strip() or "\n" in text] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_the_page_has_the_source_and_citation_of_every_public_set(name: str) -> None:
    section = PAGE.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    found = facts(name)
    (address,) = re.findall(r"https://\S+", found.source)
    assert f"<{address}>" in section
    words = " ".join(section.split())
    assert f"**Terms:** {found.terms} - **Cite:** {found.citation}" in words


def test_an_opened_set_carries_its_source() -> None:
    assert open_set("synthetic:1").source == facts("synthetic").source


def test_an_unknown_set_has_no_facts_but_a_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'lgg'\?"):
        facts("lgs")
