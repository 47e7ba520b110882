"""A folder is a room, not a heap: a reader can take in its files at a glance."""

from __future__ import annotations

import re

import pytest
from source_tree import ROOT, SOURCE

MOST = 15
TABLES = {"cli", "public"}
"""Folders that are tables of like things, a file for each: commands, and the functions behind them."""

FOLDERS = sorted({path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_is_no_table_has_at_most_fifteen_files(folder: str) -> None:
    files = [path.name for path in (SOURCE / folder).glob("*.py")]
    assert files
    assert len(files) <= MOST or folder in TABLES


@pytest.mark.parametrize("folder", sorted(TABLES))
def test_no_folder_is_called_a_table_that_would_fit_without(folder: str) -> None:
    assert len(list((SOURCE / folder).glob("*.py"))) > MOST


def walks() -> dict[str, list[str]]:
    """The ways that ARCHITECTURE.md walks through the rooms, by heading, each with its numbered stops."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    headed = {part.partition("\n")[0]: part for part in sections}
    ways = {heading: part for heading, part in headed.items() if "'s way to" in heading}
    return {
        heading: re.findall(r"^\d\. ((?:.+\n)(?:   .+\n)*)", part, flags=re.MULTILINE) for heading, part in ways.items()
    }


def test_a_photograph_a_case_and_a_prediction_are_walked_through_in_at_most_eight_stops() -> None:
    assert {heading.split("'")[0] for heading in walks()} >= {"A photograph", "A case", "A prediction"}


@pytest.mark.parametrize("heading", walks())
def test_every_stop_of_a_way_is_a_file_or_a_folder_that_is_there(heading: str) -> None:
    stops = walks()[heading]
    assert 3 <= len(stops) <= 8
    for stop in stops:
        places = re.findall(r"`([\w/]+(?:\.py|/))`", stop)
        assert places, stop
        folder = next(place for place in places if "/" in place).rpartition("/")[0]
        for place in places:
            assert (SOURCE / place).exists() or (SOURCE / folder / place).exists(), place
