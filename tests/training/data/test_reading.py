"""Work on several threads comes back in order, not far ahead, and its first error ends it."""

from __future__ import annotations

import threading
import time

import pytest

from foveate.training.data.reading import MOST_THREADS, in_order


def test_results_come_in_order_however_long_each_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    used = set()

    def work(number: int) -> int:
        used.add(threading.get_ident())
        time.sleep(0.02 * (number % 3 == 0))
        return number**2

    assert list(in_order(work, range(20))) == [number**2 for number in range(20)]
    assert len(used) == 4


def test_little_is_done_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    begun: list[int] = []
    results = in_order(begun.append, range(1000))
    next(results)
    assert len(begun) <= MOST_THREADS + 1
    results.close()
    assert len(begun) <= MOST_THREADS + 1


def test_an_error_ends_it_and_what_was_not_begun_never_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return 1 // (number - 5)

    with pytest.raises(ZeroDivisionError):
        list(in_order(work, range(1000)))
    assert max(begun) < 10
