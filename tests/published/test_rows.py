"""The checked-in numbers are those of the papers, and those of the recipes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from foveate.published import PublishedRow, rows
from foveate.recipes.read import read_recipe, shipped

PRINTED = re.compile(r"-|\d+(?:\.\d+)?")

RECIPE_NAMES = {"dice": "f1", "focal": "focal_loss"}
"""What a recipe calls a measure by its paper's word."""


def printed_line(row: PublishedRow) -> str:
    """The numbers of a row, in the table's order, as they stand there."""
    return " ".join(value.text for value in row.values.values())


def lines_of(paper: Path) -> list[str]:
    """A paper's lines with single spaces, and without the dashes of cells that are empty."""
    return [
        re.sub(r"\s-(?=\s|$)", "", re.sub(r"\s+", " ", line)).strip() for line in paper.read_text("utf-8").splitlines()
    ]


def text_of(shared_papers: Path, row: PublishedRow) -> Path:
    (paper,) = shared_papers.glob(f"{row.paper}-*.txt")
    return paper


def test_every_row_stands_in_its_papers_text(shared_papers: Path) -> None:
    several = [row for row in rows() if row.paper != "004"]
    assert len(rows()) == len(several) + 1
    for row in several:
        reference = f" [{row.cites}]" if row.cites and row.paper == "003" else ""
        expected = f"{row.name}{reference} {printed_line(row)}"
        lines = lines_of(text_of(shared_papers, row))
        assert any(line.endswith(expected) for line in lines), expected


def test_the_only_row_of_a_table_without_names_stands_in_its_papers_text(shared_papers: Path) -> None:
    (row,) = (row for row in rows() if row.paper == "004")
    assert printed_line(row) in lines_of(text_of(shared_papers, row))


def test_no_line_of_numbers_in_a_papers_tables_is_left_out(shared_papers: Path) -> None:
    for paper in sorted(shared_papers.glob("00*.txt")):
        known = {
            tuple(sorted(each.text for each in row.values.values()))
            for row in rows()
            if paper.name.startswith(row.paper)
        }
        for line in lines_of(paper):
            numbers = re.findall(r"(?<= )\d{1,2}\.\d{2,4}(?= |$)|(?<= )0\.\d+(?= |$)", line)
            last = line.split(" ")[-len(numbers) :] if numbers else []
            if len(numbers) >= 2 and last == numbers:
                assert any(set(numbers) <= set(row) for row in known), line


def test_percent_becomes_a_rate_and_other_columns_stay() -> None:
    row = next(row for row in rows() if row.tables == ("IV",) and row.own)
    assert float(row.values["sensitivity"]) == 0.8213
    assert float(row.values["sensitivity"].unit) == 0.0001
    assert float(row.values["parameters_millions"]) == 0.04


def test_a_row_taken_from_another_work_says_nothing_of_how_it_was_counted() -> None:
    cited = [row for row in rows() if not row.own]
    assert cited
    assert {row.conditions.size for row in cited} == {"not stated"}


@pytest.mark.parametrize("name", [name for name in shipped() if read_recipe(name).published])
def test_what_a_recipe_says_was_published_is_a_row_of_that_table(name: str) -> None:
    recipe = read_recipe(name)
    wanted = {RECIPE_NAMES.get(measure, measure): value for measure, value in recipe.published.items()}
    same = [
        row
        for row in rows()
        if row.paper == recipe.paper
        and any(recipe.row.startswith(f"table {table}") for table in row.tables)
        and all(measure in row.values and float(row.values[measure]) == value for measure, value in wanted.items())
    ]
    assert len(same) == 1
