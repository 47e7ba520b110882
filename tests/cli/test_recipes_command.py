"""`foveate recipes`, as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from foveate.recipes.read import read_recipe, shipped
from foveate_command import run


@pytest.mark.parametrize("call", [["recipes"], ["recipes", "list"]])
def test_every_recipe_is_listed_with_paper_row_and_published_scores(call: list[str]) -> None:
    ran = run(*call)
    assert (ran.status, ran.err) == (0, "")
    lines = {line.split()[0]: line for line in ran.out.splitlines()[:-2]}
    assert list(lines) == list(shipped())
    for name, line in lines.items():
        recipe = read_recipe(name)
        assert recipe.row in line
        assert all(f"{measure} {value:g}" in line for measure, value in recipe.published.items())


def test_show_prints_a_recipe_in_full(tmp_path: Path) -> None:
    ran = run("recipes", "show", "region-guided-drive")
    (tmp_path / "shown.toml").write_text(ran.out, encoding="utf-8")
    assert read_recipe(str(tmp_path / "shown.toml")) == read_recipe("region-guided-drive")
    assert "decay" in ran.out


def test_a_copy_is_ones_own_and_says_the_same(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    assert run("recipes", "copy", "region-guided-drive", str(mine)).status == 0
    copied = read_recipe(str(mine))
    assert copied.name == "mine"
    assert copied.model_copy(update={"name": "region-guided-drive"}) == read_recipe("region-guided-drive")
    assert run("recipes", "check", str(mine)).status == 0


def test_a_copy_never_overwrites(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("mine", encoding="utf-8")
    ran = run("recipes", "copy", "region-guided-drive", str(mine))
    assert ran.status == 1
    assert len(ran.errors) == 1
    assert mine.read_text(encoding="utf-8") == "mine"


def test_a_wrong_recipe_is_refused_with_its_key(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('description = "Mine."\n[network]\nname = "unet"\nwidth = [4, 8]\n', encoding="utf-8")
    ran = run("recipes", "check", str(mine))
    assert ran.status == 2
    assert "network.widths" in ran.errors[0]
