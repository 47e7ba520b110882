"""The page of the benchmark says what was measured, and nothing that was typed in by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import write_benchmark
from scipy import stats  # type: ignore[import-untyped]

MEASURED = (write_benchmark.MEASURED, write_benchmark.GROWTH, write_benchmark.ELSEWHERE)
FOUND, GROWTH, ELSEWHERE = (json.loads(file.read_text("utf-8")) for file in MEASURED)


def test_the_page_is_what_its_script_writes() -> None:
    assert write_benchmark.text(FOUND, GROWTH, ELSEWHERE) == write_benchmark.PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", list(write_benchmark.MODELS))
def test_the_straight_line_through_the_measured_seconds_is_that_of_scipy(name: str) -> None:
    rows = GROWTH["pixels"][name]
    pixels, seconds = [row["side"] ** 2 / 1e6 for row in rows], [row["processor_seconds"] for row in rows]
    expected = stats.linregress(pixels, seconds)
    slope, height, determined = write_benchmark._fit(pixels, seconds)
    np.testing.assert_allclose((slope, height, determined), (expected.slope, expected.intercept, expected.rvalue**2))
