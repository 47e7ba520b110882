"""The site that `make docs` builds, opened from disk: it asks no network, fits every screen, and can be searched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import chromium, complaints, requested, resize, until

SITE = Path(__file__).resolve().parents[2] / "build" / "site" / "html"

PAGES = (
    "index",
    "start",
    "segmenting",
    "evaluation",
    "commands/evaluate",
    "networks/dual_attention_unet",
    "recipes/region-guided-drive",
    "data-sets/drive_av",
    "models/vessels",
    "models/lesion",
    "python/functions",
    "python/classes",
    "results/003",
)
"""One of each kind, with the widest tables, formulas, pictures and outputs."""

STICKS_OUT = """
const edge = document.documentElement.clientWidth + 1;
const scrolls = (element) => element.tagName !== "BODY" && getComputedStyle(element).overflowX !== "visible";
const held = (element) => element && (scrolls(element) || held(element.parentElement));
return [...document.querySelectorAll(".main *")]
  .filter((each) => each.getBoundingClientRect().right > edge && !held(each.parentElement) && !scrolls(each))
  .map((each) => each.outerHTML.slice(0, 100));
"""
"""Elements that reach over the right edge of the screen and aren't in one that scrolls."""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not (SITE / "index.html").is_file():
        pytest.skip("the site is not built: `make docs`")
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_screens_of_every_width_asks_no_network_and_complains_of_nothing(window: Any, name: str) -> None:
    window.get((SITE / f"{name}.html").as_uri())
    for width, scheme in ((360, "light"), (1280, "dark"), (2560, "light")):
        resize(window, width, 900, scheme)
        assert window.execute_script("return document.documentElement.scrollWidth") <= width
        assert window.execute_script(STICKS_OUT) == []
    assert "For research, not a medical device." in window.execute_script("return document.body.innerText")
    assert complaints(window) == []
    assert requested(window) == []


@pytest.mark.parametrize(
    ("words", "page"),
    [("tversky", "recipes.html"), ("hysteresis", "evaluation.html"), ("write_results", "python/functions.html")],
)
def test_a_search_finds_the_page_that_says_it_without_a_network(window: Any, words: str, page: str) -> None:
    window.get((SITE / "search.html").as_uri() + f"?q={words}")
    links = "return [...document.querySelectorAll('#search-results a')].map((each) => each.getAttribute('href'))"
    found = until(lambda: window.execute_script(links), f"something about {words}")
    until(lambda: re.search(r"\d+ page", window.execute_script("return document.body.innerText")), "the search's end")
    assert page in {link.partition("?")[0].partition("#")[0] for link in window.execute_script(links) or found}
    assert requested(window) == []
