"""Whole groups on one side of a split: what is held out for validation, and what is refused."""

from __future__ import annotations

from collections import Counter

import pytest

from foveate.datasets import check_groups, open_set, open_sets
from foveate.datasets.splits import folds, hold_out
from foveate.errors import DataError, UsageError
from foveate.records import Case, CaseEntry


def never() -> Case:
    raise AssertionError("a split must not read a case")


def listed(*groups: str, split: str = "train") -> list[CaseEntry]:
    return [CaseEntry(f"{split}{index}", group, split, never) for index, group in enumerate(groups)]


TWENTY = listed(*(str(patient) for patient in range(20) for _eye in "LR"))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("share", "groups"), [(0.0, 1), (0.01, 1), (0.1, 2), (0.25, 5), (0.5, 10), (0.99, 19)])
def test_a_share_of_the_groups_is_held_out_whole(share: float, groups: int, seed: int) -> None:
    training, validation = hold_out(TWENTY, share, seed=seed)
    assert len({entry.group for entry in validation}) == groups
    assert {entry.group for entry in training}.isdisjoint(entry.group for entry in validation)
    assert len(training) + len(validation) == len(TWENTY)
    assert len(validation) == 2 * groups


def test_both_sides_keep_the_order_of_the_cases() -> None:
    for side in hold_out(TWENTY, 0.4, seed=1):
        places = [TWENTY.index(entry) for entry in side]
        assert places == sorted(places)


def test_the_same_seed_holds_out_the_same_groups_and_others_do_not() -> None:
    assert hold_out(TWENTY, 0.3, seed=7) == hold_out(TWENTY, 0.3, seed=7)
    chosen = {tuple(entry.id for entry in hold_out(TWENTY, 0.1, seed=seed)[1]) for seed in range(10)}
    assert len(chosen) > 5


def test_the_groups_held_out_do_not_depend_on_the_order_of_the_cases() -> None:
    _, validation = hold_out(TWENTY, 0.3, seed=2)
    _, reversed_validation = hold_out(TWENTY[::-1], 0.3, seed=2)
    assert set(map(id, validation)) == set(map(id, reversed_validation))


def test_every_group_is_held_out_by_some_seed() -> None:
    held = {entry.group for seed in range(200) for entry in hold_out(TWENTY, 0.1, seed=seed)[1]}
    assert held == {entry.group for entry in TWENTY}


def test_two_groups_are_one_to_learn_from_and_one_to_validate_on() -> None:
    training, validation = hold_out(listed("a", "b", "a"), 0.9, seed=0)
    assert {len({entry.group for entry in side}) for side in (training, validation)} == {1}


@pytest.mark.parametrize("groups", [(), ("a",), ("a", "a", "a")])
def test_fewer_than_two_groups_are_too_few(groups: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=rf"two groups .* found {len(set(groups))}"):
        hold_out(listed(*groups), 0.1, seed=0)


def test_a_group_on_both_sides_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="'b' stands in both 'train' and 'test'") as caught:
        check_groups("mine", [*listed("a", "b"), *listed("c", "b", split="test")])
    assert str(caught.value).startswith("mine: ")


def test_an_id_that_occurs_twice_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="two cases have the id 'train0'"):
        check_groups("mine", [*listed("a"), *listed("b")])


def test_groups_that_keep_to_one_side_are_fine() -> None:
    check_groups("mine", [*listed("a", "a", "b"), *listed("c", "c", split="test")])


@pytest.mark.parametrize(("name", "nearest"), [("drve", "drive"), ("chase", "chase_db1"), ("DRIVE", None)])
def test_an_unknown_set_is_an_error_that_names_the_nearest(name: str, nearest: str | None) -> None:
    with pytest.raises(UsageError, match=f"unknown data set '{name}'") as caught:
        open_set(f"{name}:somewhere")
    message = str(caught.value)
    assert "NAME:FOLDER" in message
    assert all(known in message for known in ("drive", "stare", "chase_db1", "hrf", "folder", "synthetic"))
    if nearest is not None:
        assert f"Did you mean '{nearest}'?" in message


UNEVEN = listed(*(f"g{number:02}" for number in range(17) for _ in range(1 + number * number % 7)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("count", [2, 3, 5, 17])
def test_every_group_is_in_exactly_one_fold_and_folds_are_of_like_size(count: int, seed: int) -> None:
    parts = folds(UNEVEN, count, seed)
    assert len(parts) == count
    assert sorted(entry.id for part in parts for entry in part) == sorted(entry.id for entry in UNEVEN)
    groups = [{entry.group for entry in part} for part in parts]
    assert all(groups)
    assert sum(map(len, groups)) == len(set().union(*groups))
    largest = max(Counter(entry.group for entry in UNEVEN).values())
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= largest


def test_many_small_groups_make_up_for_a_large_one() -> None:
    parts = folds(listed(*("large" for _ in range(10)), *(f"small{number}" for number in range(10))), 2, 0)
    assert [len(part) for part in parts] == [10, 10]
    assert {entry.group for entry in parts[0]} == {"large"}


def test_folds_of_equal_groups_differ_by_one_group_at_most_and_keep_the_order_of_the_cases() -> None:
    parts = folds(TWENTY, 6, 1)
    assert sorted(len(part) for part in parts) == [6, 6, 6, 6, 8, 8]  # 20 pairs over 6 folds
    for part in parts:
        places = [TWENTY.index(entry) for entry in part]
        assert places == sorted(places)


def test_the_same_seed_makes_the_same_folds_in_any_order_of_the_cases_and_another_seed_others() -> None:
    assert folds(TWENTY, 5, 3) == folds(TWENTY, 5, 3)
    turned = folds(TWENTY[::-1], 5, 3)
    assert [set(map(id, part)) for part in turned] == [set(map(id, part)) for part in folds(TWENTY, 5, 3)]
    assert len({tuple(entry.id for entry in folds(TWENTY, 5, seed)[0]) for seed in range(10)}) > 5


@pytest.mark.parametrize(("groups", "count"), [(("a", "a", "b"), 3), (("a", "b"), 1), (("a", "b"), 0), ((), 2)])
def test_more_folds_than_groups_and_fewer_than_two_are_refused(groups: tuple[str, ...], count: int) -> None:
    with pytest.raises(DataError, match=rf"{count} folds .* found {len(set(groups))} groups"):
        folds(listed(*groups), count, 0)


def test_two_sets_of_one_name_are_refused_as_scores_and_facts_go_by_names() -> None:
    assert [data.name for data in open_sets(["synthetic:1"])] == ["synthetic"]
    with pytest.raises(UsageError, match=r"--data synthetic is given 2 times.*one table"):
        open_sets(["synthetic:1", "synthetic:2"])
