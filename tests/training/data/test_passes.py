"""From which case each crop is taken."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest
import torch

from foveate.recipes.schema import AugmentationSection
from foveate.training.data.sampling import Draw, Passes, TrainingSet, draw_batch, drawn_by_chance

STILL = AugmentationSection(rotation=0, flip=False, scale=0, brightness=0, contrast=0, gamma=0, colour=0)


def set_of(count: int, *, name: str = "x", weight: float = 1.0, first: int = 0) -> TrainingSet:
    """Cases of two pixels, told apart by their values, which begin with `first`."""
    return TrainingSet(name, weight, tuple(torch.full((5, 2, 2), first + n, dtype=torch.uint8) for n in range(count)))


def steps(
    draw: Draw, sets: list[TrainingSet], size: int, count: int, generator: torch.Generator | None = None
) -> list[list[int]]:
    """The values of the cases of so many steps."""
    chance = generator or torch.Generator().manual_seed(0)
    return [[int(case[0, 0, 0]) for case in draw(sets, size, chance)] for _ in range(count)]


def test_an_epoch_as_long_as_the_set_sees_each_image_once_in_an_order_of_its_own() -> None:
    draw = Passes(3).draw
    epochs = [[*chain(*steps(draw, [set_of(60)], 4, 15))] for _ in range(3)]
    assert [sorted(each) for each in epochs] == [list(range(60))] * 3
    assert len({tuple(each) for each in (*epochs, range(60))}) == 4


@pytest.mark.parametrize("size", [1, 4, 16])
def test_no_image_is_seen_twice_more_than_another(size: int) -> None:
    seen: Counter[int] = Counter(dict.fromkeys(range(7), 0))
    for step in steps(Passes(0).draw, [set_of(7)], size, 30):
        seen.update(step)
        assert max(seen.values()) - min(seen.values()) <= 1


def test_sets_take_turns_by_their_weights() -> None:
    sets = [set_of(9, name="a", weight=2.5), set_of(4, name="b", first=100), set_of(50, name="c", first=200)]
    seen: Counter[int] = Counter()
    for number, step in enumerate(steps(Passes(0).draw, sets, 6, 60), start=1):
        seen.update(value // 100 for value in step)
        for place, data in enumerate(sets):
            assert abs(seen[place] - number * 6 * data.weight / 4.5) <= 1


def test_where_in_a_step_a_set_stands_is_by_chance() -> None:
    """Else each process of two, or each batch of a step, would see one set alone."""
    sets = [set_of(9, name="a"), set_of(9, name="b", first=100)]
    firsts = {step[0] // 100 for step in steps(Passes(0).draw, sets, 2, 20)}
    assert firsts == {0, 1}


def test_the_order_depends_on_seed_set_and_pass() -> None:
    def first_pass(seed: int, name: str) -> list[int]:
        return [*chain(*steps(Passes(seed).draw, [set_of(30, name=name)], 1, 30))]

    assert first_pass(0, "x") == first_pass(0, "x")
    assert len({tuple(first_pass(*each)) for each in ((0, "x"), (1, "x"), (0, "y"))}) == 3


def test_what_goes_on_with_the_counts_draws_on_the_same() -> None:
    sets = [set_of(5, name="a", weight=3), set_of(7, name="b", first=100)]
    whole, broken, chance = Passes(1), Passes(1), torch.Generator().manual_seed(4)
    expected = steps(whole.draw, sets, 4, 9, torch.Generator().manual_seed(4))
    before = steps(broken.draw, sets, 4, 5, chance)
    assert before + steps(Passes(1, dict(broken.given)).draw, sets, 4, 4, chance) == expected


def test_crops_that_a_process_makes_are_of_the_cases_that_they_are_among_all() -> None:
    sets, device = [set_of(5, name="a"), set_of(7, name="b", first=100)], torch.device("cpu")

    def images(own: list[int] | None) -> torch.Tensor:
        chance = torch.Generator().manual_seed(0)
        draw = Passes(0).draw
        return draw_batch(
            sets, size=6, side=16, augmentation=STILL, generator=chance, device=device, own=own, draw=draw
        ).image

    assert torch.equal(images([1, 4, 5]), images(None)[[1, 4, 5]])


def test_by_chance_alone_cases_are_drawn_as_they_were_before_version_0_2_0() -> None:
    sets = [set_of(5, name="a", weight=3), set_of(7, name="b", first=100)]
    chance, weights = torch.Generator().manual_seed(8), torch.tensor([3.0, 1.0], dtype=torch.float64)
    expected = [
        100 * number + int(torch.randint((5, 7)[number], (1,), generator=chance))
        for number in torch.multinomial(weights, 40, replacement=True, generator=chance).tolist()
    ]
    assert steps(drawn_by_chance, sets, 40, 1, torch.Generator().manual_seed(8)) == [expected]
