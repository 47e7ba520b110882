"""Every network has a page that agrees with its code and can be read by a browser."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from source_tree import ROOT, modules

from foveate.networks.registry import NETWORKS, build, entry_of
from foveate.networks.registry.catalogue import catalogue
from foveate.recipes.read import read_recipe

FOLDER = ROOT / "docs" / "networks"
PAGES = sorted(FOLDER.glob("*.md"))

every_network = pytest.mark.parametrize("name", NETWORKS)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def page_of(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def by_hand(name: str) -> str:
    """A page without what the script writes and without code."""
    page = re.sub(r"<!-- generated.*?<!-- end -->", "", page_of(name), flags=re.DOTALL)
    return re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)


def deviations(name: str) -> list[str]:
    """What a network's docstring says after each 'Deviation:'."""
    docstring = ast.get_docstring(ast.parse(modules()[entry_of(name).path.partition(":")[0]])) or ""
    return re.findall(r"Deviation:(.*?)(?=Deviation:|\n\S|\Z)", docstring, flags=re.DOTALL)


def words(text: str) -> set[str]:
    """Its longer words, without endings."""
    return {word.lower()[:5] for word in re.findall(r"[A-Za-z]{5,}", text)}


def trainings(page: Path) -> list[str]:
    return re.findall(r"^\$ (foveate train .*)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_there_is_a_page_for_every_network_and_no_other() -> None:
    assert {page.stem for page in PAGES} == {"README", *NETWORKS}


@every_network
def test_a_page_begins_with_the_name_and_has_the_drawing(name: str) -> None:
    assert page_of(name).startswith(f"# `{name}`: ")
    assert re.search(rf"^!\[[^\]]+\]\({name}\.svg\)$", page_of(name), flags=re.MULTILINE)


@every_network
def test_a_page_names_its_paper(name: str) -> None:
    title = re.sub(r" \(.*", "", entry_of(name).paper).split()  # the registry leaves words out of long ones
    text = " ".join(page_of(name).split())
    in_order = r"(?=\s)[^*]*?\s".join(re.escape(word) for word in title)
    assert re.search(rf"\*[^*]*?{in_order}[^*]*\*", text, flags=re.IGNORECASE), title
    if number := re.search(r"paper (\d{3})", entry_of(name).paper):
        assert f"({number[1]} in this repository)" in text
    else:
        (year,) = re.findall(r"\b\d{4}\b", entry_of(name).paper)
        assert year in text


@every_network
def test_a_page_explains_every_variant_and_every_option_that_is_the_networks_own(name: str) -> None:
    own = [option.name for option in catalogue()[name].options if option.name not in ("in_channels", "classes")]
    text = by_hand(name)
    assert [each for each in [*entry_of(name).variants, *own] if not re.search(rf"`{each}\b", text)] == []


@every_network
def test_a_page_has_every_deviation_of_the_docstring_in_the_same_order(name: str) -> None:
    items = re.findall(r"^- \*\*Deviation\.\*\*(.*?)(?=^- |^$)", page_of(name), flags=re.DOTALL | re.MULTILINE)
    said = deviations(name)
    assert len(items) == len(said)
    for number, deviation in enumerate(said):
        shared = [len(words(deviation) & words(other)) for other in items]
        assert shared[number] >= 3, deviation
        assert shared[number] == max(shared), deviation


def test_the_deviations_of_a_docstring_are_found() -> None:
    assert sum(bool(deviations(name)) for name in NETWORKS) >= 8
    assert len(deviations("attention_unet")) == 3
    assert "deep supervision" in " ".join(deviations("unetpp")[1].replace("\n", " ").split())


@every_network
def test_a_page_shows_how_to_build_the_network_and_how_to_train_it(name: str) -> None:
    assert f'build("{name}"' in page_of(name)
    assert trainings(FOLDER / f"{name}.md")


@every_page
def test_every_training_that_a_page_shows_has_a_recipe_that_is_accepted(page: Path) -> None:
    for call in trainings(page):
        _, _, recipe, *arguments = shlex.split(call)
        overrides = [each for each in arguments if re.match(r"[a-z]+\.[a-z_]+=", each)]
        assert len(overrides) == len(arguments) - 2 * sum(each.startswith("--") for each in arguments)
        network = read_recipe(recipe, overrides).network
        assert network.name == page.stem or page.stem == "README"


@every_page
def test_the_python_of_a_page_is_python_and_builds(page: Path) -> None:
    for code in re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE):
        calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
        built = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "build"]
        assert len(built) == 1
        options = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in built[0].keywords}
        torch = pytest.importorskip("torch")
        with torch.device("meta"):
            build(ast.literal_eval(built[0].args[0]), **options)


@every_page
def test_equations_are_closed_and_survive_markdown(page: Path) -> None:
    text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    fences = [line for line in text.splitlines() if "$$" in line]
    assert all(line == "$$" for line in fences)
    assert len(fences) % 2 == 0
    _, *rest = text.split("$$\n")
    shown, prose = rest[::2], re.sub(r"\$\$\n.*?\$\$\n", "", text, flags=re.DOTALL)
    paragraphs = prose.split("\n\n")
    assert all(paragraph.count("$") % 2 == 0 for paragraph in paragraphs)
    for maths in [*shown, *(inline for each in paragraphs for inline in each.split("$")[1::2])]:
        assert maths.strip()
        assert not re.search(r"\\[!-/:-@\[-`{-~]", maths), f"Markdown takes the backslash: {maths}"
        assert not re.search(r"\n[-+=>*]", maths), f"Markdown takes the line for its own: {maths}"
        assert maths.count("{") == maths.count("}")
        assert maths.count("(") == maths.count(")")
        assert maths.count("[") == maths.count("]")


@every_network
def test_a_page_has_an_equation(name: str) -> None:
    assert "\n$$\n" in page_of(name)


def test_the_index_lists_every_network_in_the_order_of_the_registry_and_says_what_none_of_them_is() -> None:
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[`(\w+)`\]\(\1\.md\)", index, flags=re.MULTILINE) == list(NETWORKS)
    assert "research, not a medical device" in index
