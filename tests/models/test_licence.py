"""The licence of weights against the terms of the sets as foveate lists them, in the reader's own words."""

import tomllib
from pathlib import Path

import pytest

from foveate.datasets import SETS, facts
from foveate.models import TrainingData, open_model, shipped
from foveate.models.licence import is_open, licence_of

ROOT = Path(__file__).parents[2]


def seen(*names: str) -> list[TrainingData]:
    return [
        TrainingData(set=name, title=known.title, terms=known.terms, citation="", training=("a",), validation=())
        for name in names
        for known in (facts(name),)
    ]


@pytest.mark.parametrize(
    ("names", "licence"),
    [
        (("drive", "chase_db1", "stare", "hrf"), "Apache-2.0"),
        (("isic2018",), "CC BY-NC 4.0"),
        (("drive", "isic2018"), "CC BY-NC 4.0"),
        (("lgg",), "CC BY-NC-SA 4.0"),
        (("isic2018", "lgg"), "CC BY-NC-SA 4.0"),
        (("lgg", "isic2018"), "CC BY-NC-SA 4.0"),
        ((), "Apache-2.0"),
    ],
)
def test_weights_of_images_that_are_not_for_commercial_use_are_neither(names: tuple[str, ...], licence: str) -> None:
    said = licence_of(seen(*names))
    assert said.startswith(f"{licence} for the weights")
    assert ("not for commercial use" in said) == ("NC" in licence)
    for name in names:
        assert (facts(name).title in said) == ("NC" in facts(name).terms)


@pytest.mark.parametrize(
    "terms",
    ["CC-BY-NC-4.0", "CC BY-NC-ND 4.0.", "CC BY-NC.", "For non-commercial research.", "Noncommercial use."],
)
def test_terms_that_forbid_commercial_use_in_other_words_are_seen(terms: str) -> None:
    other = TrainingData(set="x", title="Others", terms=terms, citation="", training=("a",), validation=())
    for data in ([other], [*seen("isic2018"), other]):
        said = licence_of(data)
        assert said.startswith("Not for commercial use, as the images of ")
        assert "Others" in said


def test_what_may_be_given_on_freely_is_known_to_be_so() -> None:
    assert [name for name in SETS if is_open(seen(name))] == ["chase_db1", "hrf", "synthetic"]
    assert not is_open(seen("hrf", "isic2018"))
    assert not is_open([])


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_model_has_the_licence_of_its_images_and_the_package_names_it(name: str) -> None:
    card = open_model(name).card
    assert card.licence == licence_of(card.training_data)
    text = shipped()[name] / "LICENSE"
    assert text.is_file() == ("NC" in card.licence)
    if text.is_file():
        said = " ".join(text.read_text(encoding="utf-8").split())
        assert "creativecommons.org/licenses/by-nc/4.0/" in said
        assert all(data.citation in said for data in card.training_data)
    spdx = card.licence.partition(" for the weights")[0].replace("CC BY-NC 4.0", "CC-BY-NC-4.0")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert spdx in project["license"].split(" AND ")
