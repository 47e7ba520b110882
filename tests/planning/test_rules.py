"""Every row of the tables is reached, begins where it says, and sets keys that a recipe has."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import nextafter

import pytest
from made_plan import LESIONS, planned

from foveate.planning.fingerprint import Fingerprint
from foveate.planning.fit import Fit
from foveate.planning.plan import SIZES
from foveate.planning.rules import ALWAYS, GROUPS, RULES, SEEN, STEPS, Rule, RuleRow, row_of
from foveate.recipes.read import read_recipe
from foveate.recipes.schema import Recipe

WITH: tuple[Callable[[float], Fingerprint], ...] = (
    lambda discs: replace(LESIONS, discs=discs),
    lambda thick: replace(LESIONS, thickness=(max(thick, 1e-6),)),
    lambda count: replace(LESIONS, classes=tuple("abc"[: max(1, int(count))])),
    lambda diameter: replace(LESIONS, thickness=(SEEN / max(diameter, 1),)),
    lambda share: replace(LESIONS, shares=(share,)),
    lambda channels: replace(LESIONS, colours=channels >= 1),
    lambda channels: replace(LESIONS, grey=channels < 2),
)
"""By rule, images of which its number is the one given."""

ROWS = [
    pytest.param(rule, number, make, id=f"{rule.number} {number}")
    for rule, make in zip(RULES, WITH, strict=True)
    for number in range(len(rule.rows))
]


@pytest.mark.parametrize(("rule", "number", "make"), ROWS)
def test_a_row_holds_from_its_least_on_and_the_one_before_it_below(
    rule: Rule, number: int, make: Callable[[float], Fingerprint]
) -> None:
    row = rule.rows[number]
    assert rule.row(make(row.least * (1 + 1e-9))) is row
    assert [each.least for each in rule.rows] == sorted({each.least for each in rule.rows})
    if number:
        assert rule.row(make(row.least * (1 - 1e-9))) is rule.rows[number - 1]


@pytest.mark.parametrize(("rule", "number", "make"), ROWS)
def test_what_a_row_sets_is_in_the_plan_unless_a_later_rule_knows_better_and_its_reason_has_the_number(
    rule: Rule, number: int, make: Callable[[float], Fingerprint]
) -> None:
    seen = make(rule.rows[number].least * (1 + 1e-9))
    plan = planned(seen=seen)
    last = {key: each for each in RULES for key in each.row(seen).keys}
    for key, value in rule.rows[number].keys.items():
        if last[key] is rule:
            section, _, name = key.partition(".")
            assert plan.content[section][name] == value
            assert plan.reasons[key] == rule.words(seen)
    assert rule.rows[number].reason in rule.words(seen)


@pytest.mark.parametrize("rows", [GROUPS, STEPS])
def test_a_table_of_numbers_begins_at_nothing_and_each_row_at_its_least(rows: tuple[RuleRow, ...]) -> None:
    assert rows[0].least == 0
    for before, row in pairwise(rows):
        assert row_of(rows, row.least) is row
        assert row_of(rows, nextafter(row.least, 0)) is before


@pytest.mark.parametrize("row", [*(row for rule in RULES for row in rule.rows), *GROUPS, *STEPS, *ALWAYS])
def test_a_row_sets_keys_of_a_recipe_and_says_why(row: RuleRow) -> None:
    sections = {key.partition(".")[0] for key in row.keys}
    assert sections <= Recipe.model_fields.keys()
    assert len(row.reason.split()) > 1
    own = {key: value for key, value in row.keys.items() if not key.startswith("network.")}
    words = [f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in own.items()]
    read_recipe("unet-drive", words)


def test_steps_choose_an_average_that_forgets_long_before_the_run_is_over() -> None:
    for row in STEPS[1:]:
        decay = row.keys["training.average"]
        assert isinstance(decay, float)
        assert 1 / (1 - decay) < row.least / 2


def test_thin_structures_of_several_classes_get_a_network_that_tells_them_apart() -> None:
    thin = replace(LESIONS, thickness=(0.005,))
    one = planned(seen=thin).recipe.network
    assert (one.name, one.options["initial_maps"]) == ("region_guided", "previous")
    assert planned("network.attention=false", seen=thin).recipe.network.options["attention"] is False
    two = replace(thin, classes=("artery", "vein"), shares=(0.05, 0.05), present=(1.0, 1.0), thickness=(0.005, 0.006))
    assert planned(seen=two).recipe.network.name == "attention_unet"


def test_sizes_keep_the_step_and_grow_smaller() -> None:
    pixels = [side**2 * batch for side, batch, _ in SIZES]
    assert pixels == sorted(pixels, reverse=True)
    assert {batch * times for _, batch, times in SIZES} == {8}


def test_a_plans_file_has_every_choice_with_its_reason_above_it() -> None:
    plan = planned("training.seed=3")
    text = plan.text
    assert tomllib.loads(text)["training"]["seed"] == 3
    for name, reason in plan.reasons.items():
        section, _, key = name.partition(".")
        before, _, _ = text.partition(f"\n[{section}]\n")[2].partition(f"{key} = ")
        assert " ".join(reason.split()) in " ".join(before.replace("#", "").split()), name
    assert plan.reasons["training.seed"] == "as it was asked for"
    assert isinstance(plan.fit, Fit)
