import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from computed_models import computed
from foveate.errors import FoveateError, ImageError, UsageError
from foveate.inference import Segmenter


def green() -> Segmenter:
    """A model whose answer is known: the probability of a pixel is its green value / 255; sizes are kept."""
    return computed(lambda batch: batch[:, 1:2] / np.float32(255), working_minimum=1.0, working_maximum=9999.0)


def plain(value: int, side: int = 20) -> NDArray[np.uint8]:
    return np.full((side, side, 3), value, np.uint8)


def test_images_are_pulled_one_at_a_time_as_results_are_asked_for() -> None:
    pulled = []

    def images() -> Iterator[NDArray[np.uint8]]:
        for value in (60, 90, 120):
            pulled.append(value)
            yield plain(value)

    results = green().segment_many(images())
    assert pulled == []
    next(results)
    assert pulled == [60]
    next(results)
    assert pulled == [60, 90]


def test_results_come_in_the_order_of_the_images() -> None:
    values = [200, 30, 120, 60]
    results = green().segment_many(plain(value) for value in values)
    assert [int(result.photograph.pixels[0, 0, 0]) for result in results] == values


def test_many_images_give_what_each_gives_alone() -> None:
    images = [plain(value, side) for value, side in ((60, 20), (200, 33), (120, 20))]
    for image, result in zip(images, green().segment_many(images), strict=True):
        np.testing.assert_array_equal(result.probability, green().segment(image).probability)


def test_an_image_that_fails_raises_where_it_stands(tmp_path: Path) -> None:
    results = green().segment_many([plain(60), tmp_path / "missing.png", plain(90)])
    next(results)
    with pytest.raises(UsageError, match=r"missing\.png"):
        next(results)


def test_failing_images_are_handed_over_and_the_others_go_on(tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    failed: list[tuple[object, type[FoveateError]]] = []
    results = green().segment_many(
        [missing, plain(60), b"no image", plain(90)],
        on_error=lambda image, error: failed.append((image, type(error))),
    )
    assert [int(result.photograph.pixels[0, 0, 0]) for result in results] == [60, 90]
    assert failed == [(missing, UsageError), (b"no image", ImageError)]


def test_an_error_that_is_not_of_an_image_is_not_swallowed() -> None:
    def images() -> Iterator[NDArray[np.uint8]]:
        yield plain(60)
        raise RuntimeError("the reader broke")

    results = green().segment_many(images(), on_error=lambda image, error: None)
    next(results)
    with pytest.raises(RuntimeError, match="the reader broke"):
        next(results)


def test_no_more_than_two_results_are_alive_however_many_images_there_are() -> None:
    most = 0
    refs: list[weakref.ref[NDArray[np.uint8]]] = []
    for result in green().segment_many(plain(60 + number) for number in range(12)):
        refs.append(weakref.ref(result.photograph.pixels))
        del result
        gc.collect()
        most = max(most, sum(ref() is not None for ref in refs))
    assert len(refs) == 12
    # The last one is held until the next is asked for.
    assert 1 <= most <= 2


def test_memory_does_not_grow_with_the_number_of_images() -> None:
    side, count = 300, 12

    def peak(number: int) -> int:
        tracemalloc.start()
        for _ in green().segment_many(plain(60 + step, side) for step in range(number)):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few = peak(2)
    # What the further results would hold: image, probability, mask and FOV of each pixel.
    all_held = (count - 2) * side * side * (3 + 4 + 1 + 1)
    assert peak(count) < few + all_held / 4
