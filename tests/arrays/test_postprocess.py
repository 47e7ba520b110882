"""Post-processing against scikit-image and SciPy, on real vessels, for several classes, and with any side up."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]
from scipy.sparse import csgraph  # type: ignore[import-untyped]
from skimage.filters import apply_hysteresis_threshold
from skimage.graph import MCP_Geometric
from skimage.morphology import remove_small_holes

from foveate.arrays.postprocess import PostProcessing, fill_holes, hysteresis, postprocess
from foveate.arrays.reconnect import reconnect
from foveate.errors import UsageError
from foveate.records import Mask, Masks, Probability

EIGHT = np.ones((3, 3))
THRESHOLD = 0.5

SIDES: list[Callable[[NDArray[Any]], NDArray[Any]]] = [
    lambda planes: planes[..., ::-1, :],
    lambda planes: planes[..., ::-1],
    lambda planes: planes.swapaxes(-1, -2),
    lambda planes: np.rot90(planes, axes=(-2, -1)),
]

EVERYTHING = PostProcessing(hysteresis=0.3, reconnect=6, min_size=25, fill_holes=40)


@pytest.fixture(scope="module")
def vessels(shared_data: Path) -> Mask:
    with PillowImage.open(shared_data / "DRIVE" / "test" / "1st_manual" / "01_manual1.gif") as file:
        return np.asarray(file.convert("L")) >= 128


@pytest.fixture(scope="module")
def probability(vessels: Mask) -> Probability:
    """Real vessels as an unsure network sees them: blurred, faint in places, with noise; never 0."""
    random = np.random.default_rng(0)
    faint = 0.75 + 0.45 * ndimage.zoom(random.normal(size=(30, 30)), np.array(vessels.shape) / 30, order=1)
    blurred = ndimage.gaussian_filter(vessels.astype(float), 0.8) * faint + 0.1 * random.normal(size=vessels.shape)
    unsure: Probability = np.clip(blurred, 0.01, 1).astype(np.float32)
    return unsure


@pytest.fixture(scope="module")
def exclusive_classes(probability: Probability, vessels: Mask) -> NDArray[np.float32]:
    """Effective probabilities of two classes that stand side by side; every pixel has one that isn't 0."""
    left = ndimage.gaussian_filter(np.random.default_rng(5).normal(size=vessels.shape), 12) > 0
    return np.stack((probability * left, probability * ~left)).astype(np.float32)


def one(probability: Probability, options: PostProcessing) -> Mask:
    masks = (probability >= THRESHOLD)[None]
    found: Mask = postprocess(masks, probability[None], np.ones(probability.shape, bool), [THRESHOLD], options)[0]
    return found


def count(mask: Mask) -> int:
    return int(ndimage.label(mask, EIGHT)[1])


def test_without_options_the_masks_stay_as_they_are(probability: Probability) -> None:
    np.testing.assert_array_equal(one(probability, PostProcessing()), probability >= THRESHOLD)


@pytest.mark.parametrize("low", [0.2, 0.35, 0.5])
def test_hysteresis_is_scikit_images(probability: Probability, low: float) -> None:
    found = one(probability, PostProcessing(hysteresis=low))
    # Scikit-image's components have four neighbours in two dimensions, and its thresholds are themselves excluded.
    four, _ = ndimage.label(probability >= low)
    expected = apply_hysteresis_threshold(probability, np.nextafter(low, 0), np.nextafter(THRESHOLD, 0))  # type: ignore[no-untyped-call]
    np.testing.assert_array_equal(np.isin(four, four[(probability >= THRESHOLD) & (four > 0)]) & (four > 0), expected)
    labels, _ = ndimage.label(probability >= low, EIGHT)
    np.testing.assert_array_equal(found, np.isin(labels, labels[probability >= THRESHOLD]) & (labels > 0))
    assert (found >= expected).all()


def test_hysteresis_of_nothing_is_nothing() -> None:
    nothing, all_of_it = np.zeros((5, 6), bool), np.ones((5, 6), bool)
    assert not hysteresis(nothing, all_of_it).any()
    assert hysteresis(all_of_it, nothing).all()


def test_small_components_go_and_all_others_stay(probability: Probability) -> None:
    mask = probability >= THRESHOLD
    labels, number = ndimage.label(mask, EIGHT)
    pixels = ndimage.sum_labels(mask, labels, np.arange(number + 1))
    for smallest in (2, 12, 13, 100_000):
        expected = mask & (pixels[labels] >= smallest)
        np.testing.assert_array_equal(one(probability, PostProcessing(min_size=smallest)), expected)


def test_the_largest_component_stays_and_of_equals_all() -> None:
    probability = np.zeros((20, 20), np.float32)
    probability[2:5, 2:6] = probability[10:14, 10:13] = probability[7, 1:9] = 0.9
    found = one(probability, PostProcessing(largest=True))
    expected = probability > 0
    expected[7] = False
    np.testing.assert_array_equal(found, expected)
    probability[14, 12] = 0.9
    found = one(probability, PostProcessing(largest=True))
    np.testing.assert_array_equal(found, (probability > 0) & (np.arange(20) >= 10)[:, None])
    assert not one(np.zeros((4, 4), np.float32), PostProcessing(largest=True)).any()


def test_holes_are_filled_up_to_a_size_or_all(vessels: Mask) -> None:
    nothing = np.zeros_like(vessels)
    np.testing.assert_array_equal(fill_holes(vessels, -1, keep=nothing), ndimage.binary_fill_holes(vessels))
    # Scikit-image takes background that reaches the edge for a hole; at these sizes only a corner is one.
    for largest in (5, 60):
        expected = remove_small_holes(np.pad(vessels, 20), max_size=largest)[20:-20, 20:-20]
        np.testing.assert_array_equal(fill_holes(vessels, largest, keep=nothing), expected)
        assert expected.sum() > vessels.sum()


def minimal_ways(mask: Mask, probability: Probability) -> tuple[NDArray[np.float64], list[MCP_Geometric]]:
    """The shortest ways' lengths between all components, one component after the other, by scikit-image."""
    cost = np.where(mask, 0, np.maximum(THRESHOLD / probability, 1))
    labels, number = ndimage.label(mask, EIGHT)
    ways = [MCP_Geometric(cost) for _ in range(number)]
    lengths = np.zeros((number, number))
    for index, way in enumerate(ways):
        reached, _ = way.find_costs(np.argwhere(labels == index + 1))
        lengths[index] = ndimage.minimum(reached, labels, np.arange(number) + 1)
    return lengths, ways


@pytest.mark.parametrize("gap", [2, 6, 15])
def test_just_those_components_are_joined_that_a_short_enough_way_leads_between(
    probability: Probability, gap: int
) -> None:
    part = probability[200:340, 150:300]
    mask = part >= THRESHOLD
    lengths, _ = minimal_ways(mask, part)
    # A way that is as long as the gap to the last digit could be taken either way; there is none.
    assert np.abs(lengths - gap).min() > 1e-4
    found = reconnect(mask, part, THRESHOLD, gap)
    labels, number = ndimage.label(mask, EIGHT)
    parts, group = csgraph.connected_components(lengths <= gap)
    assert 1 < parts < number
    bridged, left = ndimage.label(found, EIGHT)
    assert left == parts
    for index in range(parts):
        places = np.isin(labels, np.flatnonzero(group == index) + 1)
        assert len(np.unique(bridged[places])) == 1


def test_a_bridge_is_the_shortest_way_that_scikit_image_finds() -> None:
    random = np.random.default_rng(3)
    joined = 0
    for _ in range(40):
        part = random.uniform(0.05, 0.49, (14, 30)).astype(np.float32)
        part[random.integers(0, 14), :6] = part[random.integers(0, 14), 22:] = 0.9
        mask = part >= THRESHOLD
        lengths, ways = minimal_ways(mask, part)
        labels, _ = ndimage.label(mask, EIGHT)
        bridge = reconnect(mask, part, THRESHOLD, 50) & ~mask
        if lengths[0, 1] > 50:
            assert not bridge.any()
            continue
        joined += 1
        ends = np.argwhere(labels == 2)
        reached, _ = ways[0].find_costs(np.argwhere(labels == 1), ends)
        nearest = ends[np.argmin(reached[tuple(ends.T)])]
        way = np.zeros_like(mask)
        way[tuple(np.transpose(ways[0].traceback(nearest)))] = True
        np.testing.assert_array_equal(bridge, way & ~mask)
    assert joined > 20


@pytest.mark.parametrize(("gap", "share", "bridged"), [(4, 0.999, False), (5, 0.999, False), (6, 0.999, True)])
def test_a_gap_counts_its_pixels_where_the_network_was_on_the_brink(gap: int, share: float, bridged: bool) -> None:
    probability = np.full((9, 30), 0.01, np.float32)
    probability[4] = 0.9
    probability[4, 10:15] = THRESHOLD * share
    found = one(probability, PostProcessing(reconnect=gap))
    assert (count(found) == 1) is bridged
    assert found[4].all() == bridged
    assert not np.delete(found, 4, axis=0).any()


def test_a_gap_of_half_the_threshold_counts_twice_and_plain_background_is_not_bridged() -> None:
    probability = np.full((9, 30), 0.01, np.float32)
    probability[4] = 0.9
    probability[4, 10:15] = THRESHOLD / 2
    assert count(one(probability, PostProcessing(reconnect=9))) == 2
    assert count(one(probability, PostProcessing(reconnect=10))) == 1
    probability[4, 12] = 0.01
    assert count(one(probability, PostProcessing(reconnect=30))) == 2


def test_a_gap_counts_at_least_its_pixels_however_probable_they_are() -> None:
    mask = np.zeros((5, 20), bool)
    mask[2, :8] = mask[2, 13:] = True
    certain = np.ones((5, 20), np.float32)
    assert count(reconnect(mask, certain, THRESHOLD, 4)) == 2
    assert count(reconnect(mask, certain, THRESHOLD, 5)) == 1


def test_where_nothing_can_be_there_is_no_bridge() -> None:
    probability = np.zeros((5, 12), np.float32)
    probability[2, :5] = probability[2, 6:] = 1
    assert count(one(probability, PostProcessing(reconnect=1000))) == 2


@pytest.mark.parametrize(
    "options",
    [
        PostProcessing(hysteresis=0.2),
        PostProcessing(reconnect=3),
        PostProcessing(reconnect=12),
        PostProcessing(min_size=20),
        PostProcessing(largest=True),
        PostProcessing(fill_holes=-1),
        EVERYTHING,
    ],
)
def test_it_does_not_matter_which_side_is_up(probability: Probability, options: PostProcessing) -> None:
    part = probability[100:350, 60:400]
    found = one(part, options)
    assert (found != (part >= THRESHOLD)).any()
    for turned in SIDES:
        np.testing.assert_array_equal(one(turned(part), options), turned(found))


def test_bridges_do_not_depend_on_the_side_even_where_many_ways_are_equally_long() -> None:
    random = np.random.default_rng(1)
    built = 0
    for number in range(150):
        mask = random.random(random.integers(5, 22, 2)) < random.choice([0.03, 0.06, 0.1])
        levels = [0.5] if number % 2 else [0.0, 0.125, 0.25, 0.5]
        probability = random.choice(levels, mask.shape).astype(np.float32)
        gap = int(random.integers(1, 9))
        found = reconnect(mask, probability, THRESHOLD, gap)
        built += count(found) < count(mask)
        for turned in SIDES:
            np.testing.assert_array_equal(reconnect(turned(mask), turned(probability), THRESHOLD, gap), turned(found))
    assert built > 75


def seconds(side: int) -> float:
    """The shortest of three times for square speckle: single pixels everywhere, nearly all of them within the gap."""
    speckle = np.random.default_rng(8).random((side, side)).astype(np.float32)
    mask, times = speckle > 0.9, []
    for _ in range(3):
        start = time.process_time()
        reconnect(mask, speckle, 0.9, 5)
        times.append(time.process_time() - start)
    return min(times)


def test_the_time_for_speckle_grows_as_the_pixels_do() -> None:
    # Nine times the pixels: nine times as long and a little, not the 81 times of comparing all pieces with all.
    assert seconds(390) < 2.5 * 9 * seconds(130)


def test_options_are_applied_in_their_written_order() -> None:
    probability = np.full((15, 40), 0.01, np.float32)
    probability[3, 2:20] = 0.9
    probability[3, 21:24] = 0.9
    probability[3, 20] = 0.45  # a gap: bridged before the piece behind it is counted as small
    probability[3, 24:26] = 0.3  # found by hysteresis before gaps are looked for
    probability[3, 26] = 0.2
    probability[3, 27:29] = 0.9
    ring = probability[8:13, 30:35]
    ring[:] = 0.9
    ring[1:-1, 1:-1] = 0.01
    options = PostProcessing(hysteresis=0.3, reconnect=3, min_size=17, fill_holes=9)
    found = one(probability, options)
    # The ring has 16 pixels without its hole: it is small, and goes before it could be filled.
    expected = np.zeros_like(found)
    expected[3, 2:29] = True
    np.testing.assert_array_equal(found, expected)


def test_exclusive_classes_stay_exclusive(exclusive_classes: NDArray[np.float32]) -> None:
    masks: Masks = exclusive_classes >= THRESHOLD
    inside = np.ones(masks.shape[1:], bool)
    assert not (masks[0] & masks[1]).any()
    for options in (EVERYTHING, PostProcessing(fill_holes=-1), PostProcessing(reconnect=20)):
        found = postprocess(masks, exclusive_classes, inside, [THRESHOLD], options, exclusive=True)
        assert (found & ~masks).any(axis=(1, 2)).all()
        assert not (found[0] & found[1]).any()
        for turned in SIDES:
            other = postprocess(
                turned(masks), turned(exclusive_classes), turned(inside), [THRESHOLD], options, exclusive=True
            )
            np.testing.assert_array_equal(other, turned(found))


def test_a_hole_goes_to_the_class_around_it_and_one_with_another_class_in_it_stays() -> None:
    masks = np.zeros((2, 20, 30), bool)
    masks[0, 2:9, 2:9] = True
    masks[0, 4:7, 4:7] = False  # a hole of class 0
    masks[0, 10:19, 10:19] = True
    masks[0, 12:17, 12:17] = False  # around class 1, with background between
    masks[1, 14, 14] = True
    effective = masks.astype(np.float32)
    inside = np.ones((20, 30), bool)
    everything = PostProcessing(fill_holes=-1)
    found = postprocess(masks, effective, inside, [THRESHOLD], everything, exclusive=True)
    expected = masks.copy()
    expected[0, 4:7, 4:7] = True
    np.testing.assert_array_equal(found, expected)
    # Where classes may overlap, each is for itself.
    expected[0, 12:17, 12:17] = True
    overlapping = postprocess(masks, effective, inside, [THRESHOLD, THRESHOLD], everything)
    np.testing.assert_array_equal(overlapping, expected)


def test_classes_that_may_overlap_are_each_treated_as_if_alone(probability: Probability) -> None:
    planes = np.stack((probability, probability[::-1], np.sqrt(probability)))
    thresholds = [0.5, 0.45, 0.7]
    masks = np.stack([plane >= np.float32(threshold) for plane, threshold in zip(planes, thresholds, strict=True)])
    inside = np.ones(probability.shape, bool)
    found = postprocess(masks, planes, inside, thresholds, EVERYTHING)
    for k in range(3):
        alone = postprocess(masks[k : k + 1], planes[k : k + 1], inside, thresholds[k : k + 1], EVERYTHING)
        np.testing.assert_array_equal(found[k], alone[0])


def test_nothing_is_found_outside_the_field_of_view() -> None:
    probability = np.zeros((11, 11), np.float32)
    probability[2:9, 2:9] = 0.9
    probability[5, 5] = 0
    inside = probability > 0
    masks = probability[None] >= THRESHOLD
    found = postprocess(masks, probability[None], inside, [THRESHOLD], PostProcessing(fill_holes=-1))
    np.testing.assert_array_equal(found[0], inside)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"hysteresis": 1.2}, "hysteresis 1.2"),
        ({"hysteresis": 0.0}, "hysteresis 0"),
        ({"hysteresis": float("nan")}, "hysteresis nan"),
        ({"reconnect": -1}, "reconnect -1"),
        ({"min_size": -3}, "min_size -3"),
        ({"fill_holes": -2}, "fill_holes -2"),
    ],
)
def test_options_out_of_range_are_refused_by_name(options: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        PostProcessing(**options)


@pytest.mark.parametrize("thresholds", [[0.5], [0.7, 0.5]])
def test_a_low_threshold_above_any_of_the_models_is_refused(thresholds: list[float]) -> None:
    planes = np.full((len(thresholds), 4, 4), 0.9, np.float32)
    options = PostProcessing(hysteresis=0.6)
    with pytest.raises(UsageError, match=r"hysteresis 0\.6: is above the model's threshold 0\.5"):
        postprocess(planes > 0.8, planes, np.ones((4, 4), bool), thresholds, options)
    options.check_thresholds([0.6, 0.7])
