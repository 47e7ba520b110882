"""Decoding in several threads: none waits for another, and the process is left as it was."""

from __future__ import annotations

import concurrent.futures
import io
import logging
import threading
import warnings

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.imaging import read_photograph
from foveate.imaging.decoding.pillow import calling_decoder

RGB = np.random.default_rng(0).integers(0, 256, (20, 31, 3), dtype=np.uint8)
WARNING = "from PIL.TiffImagePlugin"


def png() -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(RGB).save(file, "PNG")
    return file.getvalue()


def held(begun: threading.Event, done: threading.Event) -> None:
    """As if the decoder took long."""
    with calling_decoder():
        begun.set()
        assert done.wait(30)


def test_a_small_image_is_read_while_a_large_one_is_being_decoded() -> None:
    begun, done = threading.Event(), threading.Event()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        large = pool.submit(held, begun, done)
        try:
            assert begun.wait(10)
            small = pool.submit(read_photograph, png()).result(timeout=10)
        finally:
            done.set()
        large.result()
    np.testing.assert_array_equal(small.pixels, RGB)


def test_the_last_of_several_restores_the_filters_and_until_then_the_decoders_are_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before, logger = list(warnings.filters), logging.getLogger("tifffile")
    begun, done = threading.Event(), threading.Event()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        large = pool.submit(held, begun, done)
        try:
            assert begun.wait(10)
            pool.submit(read_photograph, png()).result(timeout=10)  # came later, and is gone first
            with warnings.catch_warnings(record=True) as passed_on:
                warnings.warn_explicit(WARNING, UserWarning, "decoder", 1, module="PIL.TiffImagePlugin")
            logger.warning("of a thread that decodes nothing")
        finally:
            done.set()
        large.result()
    assert passed_on == []
    assert [record.message for record in caplog.records] == ["of a thread that decodes nothing"]
    assert (list(warnings.filters), logger.filters) == (before, [])


def test_what_a_decoder_logs_is_dropped_in_its_own_thread(caplog: pytest.LogCaptureFixture) -> None:
    with calling_decoder():
        logging.getLogger("tifffile").warning("of no use")
    assert caplog.records == []
