"""The page opened from disk in a real browser: layers switch, images zoom, nothing is fetched, and it prints."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from small_page import small_page

from chromium import chromium, complaints, first, resize, to_a_network
from foveate.pictures import OUTCOMES
from known_reports import case, guesser

SHOWN = "return getComputedStyle(arguments[0]).display !== 'none'"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium with the small page in it; skipped where it or Selenium is missing."""
    folder = tmp_path_factory.mktemp("browser")
    (folder / "index.html").write_text(small_page(), encoding="utf-8")
    with chromium(folder) as window:
        window.get((folder / "index.html").as_uri())
        yield window


@pytest.fixture
def page(browser: Any) -> Any:
    """The page as it opens, 1200 pixels wide, and so high that nothing need be scrolled to the viewers."""
    resize(browser, 1200, 2400)
    browser.refresh()
    return browser


def pixels(element: Any) -> NDArray[np.uint8]:
    """What an element shows, H×W×3."""
    return np.asarray(PillowImage.open(io.BytesIO(element.screenshot_as_png)).convert("RGB"))


def switch(page: Any, name: str) -> Any:
    return first(page, f".viewer input[name='{name}']")


def shown(page: Any, layer: str, model: int = 0) -> bool:
    found: bool = page.execute_script(SHOWN, first(page, f".viewer [data-layer='{layer}'][data-model='{model}']"))
    return found


def middle_of(page: Any, kind: Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.bool_]]) -> tuple[int, int]:
    """Row and column, on the first viewer's stage, of a pixel of a kind for the first model."""
    title = first(page, ".viewer h4").text
    of = case(int(title.rpartition("_")[2]))
    assert of.fov is not None
    where = np.argwhere(kind(guesser(1)(of).masks[0], of.masks[0]) & of.fov)
    row, column = where[len(where) // 2]
    size = first(page, ".viewer .stage").size
    return int((row + 0.5) * size["height"] / 112), int((column + 0.5) * size["width"] / 120)


def test_the_page_opens_from_disk_without_a_request_or_a_complaint(page: Any) -> None:
    assert "For research, not a medical device." in first(page, "header").text
    log = [entry["message"] for entry in page.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert log
    assert not to_a_network(log)
    assert complaints(page) == []
    broken = "return [...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    assert page.execute_script(broken) == 0


def test_a_click_on_a_switch_takes_its_layer_away_and_brings_it_back(page: Any) -> None:
    stage = first(page, ".viewer .stage")
    row, column = middle_of(page, lambda mask, truth: ~mask & truth)
    before = pixels(stage)
    # The layer is enlarged smoothly, so that a colour is met only nearly.
    assert np.abs(before[row, column].astype(int) - OUTCOMES["safe"].false_negative).max() < 60
    switch(page, "false negative").click()
    assert not shown(page, "false negative")
    after = pixels(stage)
    assert np.abs(after[row, column].astype(int) - before[row, column]).max() > 60
    switch(page, "false negative").click()
    assert shown(page, "false negative")
    assert (pixels(stage) == before).all()


def test_the_space_bar_switches_and_truth_is_hidden_at_first(page: Any) -> None:
    truth = first(page, ".viewer [data-layer='truth']")
    assert not page.execute_script(SHOWN, truth)
    switch(page, "truth").send_keys(" ")
    assert page.execute_script(SHOWN, truth)
    assert switch(page, "truth").is_selected()


def test_without_coloured_layers_the_photograph_has_its_own_brightness(page: Any) -> None:
    dimmed = pixels(first(page, ".viewer .stage")).mean()
    for name in ("true positive", "false negative", "false positive"):
        switch(page, name).click()
    plain = pixels(first(page, ".viewer .stage")).mean()
    image = case(int(first(page, ".viewer h4").text.rpartition("_")[2])).image
    assert plain == pytest.approx(image.mean(), rel=0.03)  # JPEG, and enlarged
    assert dimmed < 0.8 * plain
    switch(page, "photograph").click()
    assert pixels(first(page, ".viewer .stage")).max() == 0


def test_choosing_a_model_shows_its_outcomes_alone(page: Any) -> None:
    assert shown(page, "true positive", 0)
    assert not shown(page, "true positive", 1)
    before = pixels(first(page, ".viewer .stage"))
    first(page, ".viewer input[type='radio'][value='1']").click()
    assert shown(page, "true positive", 1)
    assert not shown(page, "true positive", 0)
    assert (pixels(first(page, ".viewer .stage")) != before).any()


def test_a_click_zooms_in_and_out_and_keys_and_buttons_do_too(page: Any) -> None:
    def scale() -> float:
        found = page.execute_script(
            "return new DOMMatrix(getComputedStyle(arguments[0]).transform).a", first(page, ".viewer .stack")
        )
        return float(found)

    stage, before = first(page, ".viewer .stage"), pixels(first(page, ".viewer .stage"))
    assert scale() == 1
    stage.click()
    assert scale() == 4
    assert (pixels(stage) != before).any()
    stage.click()
    assert scale() == 1
    stage.send_keys("+")
    assert scale() > 1
    stage.send_keys("0")
    assert scale() == 1
    first(page, ".viewer [data-zoom='in']").click()
    assert scale() > 1
    first(page, ".viewer [data-zoom='reset']").click()
    assert scale() == 1
    assert (pixels(stage) == before).all()


def test_on_paper_the_outcomes_are_shown_whatever_the_switches_say_and_no_controls(page: Any) -> None:
    switch(page, "true positive").click()
    assert not shown(page, "true positive")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert shown(page, "true positive")
    assert not shown(page, "true positive", 1)
    assert not page.execute_script(SHOWN, first(page, ".viewer .controls"))
    assert page.execute_script(SHOWN, first(page, ".viewer .print-legend"))
    assert pixels(first(page, ".viewer")).std() > 10
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_but_tables_is_wider_than_the_screen(page: Any, width: int) -> None:
    resize(page, width, 780)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert pixels(first(page, "body")).shape[1] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Any, scheme: str) -> None:
    resize(page, 1200, 2400, scheme)
    ground = rgb(page, "body", "backgroundColor")
    for selector in ("body", "small", "a", "summary", ".caption", ".scores"):
        # WCAG 2.2, 1.4.3: at least 4.5 to 1.
        assert contrast(rgb(page, selector, "color"), ground) >= 4.5, selector


def rgb(page: Any, selector: str, name: str) -> list[float]:
    text = page.execute_script(f"return getComputedStyle(arguments[0]).{name}", first(page, selector))
    return [float(part) for part in text[text.index("(") + 1 : -1].split(",")[:3]]


def contrast(one: list[float], other: list[float]) -> float:
    """The ratio of WCAG 2.2."""

    def luminance(colour: list[float]) -> float:
        srgb = np.array(colour) / 255
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_control_has_a_name_and_headings_skip_no_level(page: Any) -> None:
    names = page.execute_script(
        "return [...document.querySelectorAll('input, button, .stage, [role=region]')].map((each) =>"
        " each.getAttribute('aria-label') || each.labels?.[0]?.textContent.trim() || each.textContent.trim())"
    )
    assert names
    assert all(names)
    levels = page.execute_script(
        "return [...document.querySelectorAll('h1, h2, h3, h4')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
