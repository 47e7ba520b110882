"""How the site's sources are put together: where pages stand, what links become, and that nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest
from site_pages import commands, data_sets, models, python, recipes, words
from site_pages.examples import EXAMPLES, NOT_SHOWN, calls
from site_pages.links import DeadLinkError, in_the_site
from site_pages.mathematics import mathml
from site_pages.places import ROOT, places
from write_site import repository_pages

import foveate
from foveate.cli import COMMANDS
from foveate.datasets import SETS
from foveate.models import shipped as shipped_models
from foveate.recipes.read import read_recipe
from foveate.recipes.read import shipped as shipped_recipes

PRINTED = {call: f"what {call} prints" for call in calls(COMMANDS)}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository of four pages and a file."""
    for name in ("README.md", "docs/README.md", "docs/a.md", "docs/rooms/README.md", "docs/rooms/b.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "card.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "docs" / "a.svg").write_text("<svg/>\n", encoding="utf-8")
    return tmp_path


def test_a_folders_readme_is_its_index_and_the_projects_pages_have_names_of_their_own(small: Path) -> None:
    known = {page.as_posix(): place.as_posix() for page, place in places(small).items()}
    assert known["docs/README.md"] == "index.md"
    assert known["docs/rooms/README.md"] == "rooms/index.md"
    assert known["docs/rooms/b.md"] == "rooms/b.md"
    assert known["README.md"] == "overview.md"
    assert len(set(places().values())) == len(places())


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("docs/rooms/b.md", "[x](../../README.md#limits)", "[x](../overview.md#limits)"),
        ("docs/rooms/b.md", "[x](../a.md)", "[x](../a.md)"),
        ("docs/a.md", "[x](rooms/README.md)", "[x](rooms/index.md)"),
        ("docs/a.md", "![x](a.svg)", "![x](a.svg)"),
        ("README.md", "![x](docs/a.svg)", "![x](a.svg)"),
        ("README.md", "[`card`](src/card.json)", "[`card`](files/src/card.json)"),
        ("docs/a.md", "[x](../src/card.json)", "[x](files/src/card.json)"),
        ("docs/a.md", "[x](https://example.org/y.md) [z](#below)", "[x](https://example.org/y.md) [z](#below)"),
        ("docs/a.md", "`[x](none.md)`\n\n```text\n[x](none.md)\n```", "`[x](none.md)`\n\n```text\n[x](none.md)\n```"),
    ],
)
def test_a_link_leads_in_the_site_to_what_it_leads_to_in_the_repository(
    small: Path, page: str, link: str, expected: str
) -> None:
    text, files = in_the_site(link, PurePosixPath(page), places(small), small)
    assert text == expected
    assert {source.name for source in files} == set(re.findall(r"card\.json|a\.svg", expected))


@pytest.mark.parametrize("link", ["[x](none.md)", "[x](../src)", "[x](../../outside.md)"])
def test_a_link_that_leads_nowhere_or_to_a_folder_is_refused(small: Path, link: str) -> None:
    with pytest.raises(DeadLinkError, match=re.escape(link[4:-1])):
        in_the_site(link, PurePosixPath("docs/a.md"), places(small), small)


def test_every_page_of_docs_is_in_the_menu() -> None:
    pages, _ = repository_pages(places(), ROOT)
    listed = set()
    for place, text in pages.items():
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            entries = [line for line in tree.splitlines() if line and not line.startswith(":")]
            paths = [entry.partition("<")[2].rstrip(">") or entry for entry in entries]
            listed |= {(PurePosixPath(place).parent / path).as_posix() for path in paths}
    assert {place.removesuffix(".md") for place in pages} - listed == {"index"}


def test_there_is_a_page_for_every_command_recipe_data_set_and_model() -> None:
    made = [commands.pages(PRINTED), recipes.pages(), data_sets.pages(), models.pages()]
    names = [map(commands.file_of, COMMANDS), shipped_recipes(), SETS, shipped_models()]
    for pages, expected in zip(made, names, strict=True):
        assert {PurePosixPath(place).stem for place in pages} == {*expected, "index"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_of_a_command_has_its_help_and_what_it_prints_or_why_not(name: str) -> None:
    page = commands.pages(PRINTED)[f"commands/{commands.file_of(name)}.md"]
    assert f"what foveate {name} -h prints" in page
    assert (name in EXAMPLES) != (name in NOT_SHOWN)
    assert all(f"$ {call}\nwhat {call} prints" in page for call in EXAMPLES.get(name, ()))
    assert any(
        call.startswith(f"foveate {name} ") or call == f"foveate {name}"
        for call in EXAMPLES.get(name, [f"foveate {name}"])
    )


@pytest.mark.parametrize("name", shipped_recipes())
def test_the_page_of_a_recipe_has_its_command_its_reasons_and_every_key_that_it_sets(name: str) -> None:
    text, page = shipped_recipes()[name], recipes.pages()[f"recipes/{name}.md"]
    assert f"$ {text.splitlines()[0].removeprefix('# ')}\n" in page
    noted = [line for line in text.splitlines() if line.startswith("# ")][1:]
    assert len(recipes.notes(text)) == sum(not line.startswith("#  ") for line in noted)
    assert page.count("**Deviation:**") == sum(line.startswith("# Deviation:") for line in noted)
    assert read_recipe(name).description in page
    section = ""
    for line in text.splitlines():
        section = line.strip("[]") if line.startswith("[") else section
        if section and (key := re.match(r"(\w+) = ", line)):
            assert f"| `{section}.{key[1]}` |" in page


def test_every_public_name_error_and_word_has_its_entry() -> None:
    reference = "".join(python.pages().values())
    assert [name for name in foveate.__all__ if f" foveate.{name}\n" not in reference] == [
        "FoveateError",
        "__version__",
    ]
    assert [name for name in python.error_names() if f" foveate.errors.{name}\n" not in reference] == []
    found = words.words((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert {"threshold", "case", "record"} <= set(found)
    assert all(meaning.strip() for meaning in found.values())


def test_formulas_become_mathml_and_an_unknown_word_of_latex_is_an_error() -> None:
    made = mathml(r"\alpha = \sigma\big(W_x x\big) \bigcup b", block=True)
    assert made.startswith("<math")
    assert "α" in made
    assert "big(" not in made
    with pytest.raises(Exception, match="nonsense"):
        mathml(r"\nonsense x")
