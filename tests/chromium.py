"""A headless Chromium, and what a person does with a page in it."""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--force-color-profile=srgb",
)

WAIT = 90
"""Seconds that anything may take on a busy machine."""


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """A window whose downloads go into `folder`; skips where Chromium or Selenium is missing."""
    selenium = pytest.importorskip("selenium.webdriver", reason="Selenium is not installed")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("Chromium and its driver are not installed (Debian: chromium-driver)")
    options = selenium.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = selenium.Chrome(options=options, service=selenium.ChromeService(driver))
    try:
        window.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder / "downloads")}
        )
        window.set_script_timeout(WAIT)
        yield window
    finally:
        window.quit()


def until(done: Callable[[], object], what: str) -> Any:
    """What `done` gives as soon as it is true."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.1)
    pytest.fail(f"waited {WAIT} seconds for {what}")


def first(page: Any, selector: str) -> Any:
    return page.find_element("css selector", selector)


def text(page: Any, selector: str) -> str:
    """What an element says, hidden or not."""
    found: str = page.execute_script("return document.querySelector(arguments[0]).textContent", selector)
    return " ".join(found.split())


def opened(page: Any, address: str) -> None:
    page.get(address)
    until(lambda: page.execute_script("return document.documentElement.dataset.ready"), "the page")


def drop(page: Any, *files: Path) -> None:
    """Drop files onto the page, and wait until the page is done with them and shows one."""
    before = len(page.find_elements("css selector", "#list li"))
    page.execute_script(
        "const transfer = new DataTransfer();"
        "for (const [name, text] of arguments[0]) {"
        " const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));"
        " transfer.items.add(new File([bytes], name)); }"
        "document.querySelector('#drop').dispatchEvent("
        " new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));",
        [(file.name, base64.b64encode(file.read_bytes()).decode()) for file in files],
    )
    until(lambda: len(page.find_elements("css selector", "#list li")) == before + len(files), "the list")
    until(lambda: page.execute_script("return document.querySelector('#progress').hidden"), "the images")
    if page.find_elements("css selector", "#list button:enabled"):
        until(lambda: page.find_elements("css selector", "#list [aria-current=true]"), "one of them on the screen")


def slide(page: Any, selector: str, value: float) -> None:
    """Move a slider as a person does."""
    page.execute_script(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))",
        first(page, selector),
        value,
    )
    settled(page)


def settled(page: Any) -> None:
    """Wait until two frames are drawn."""
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def stage(page: Any) -> NDArray[np.uint8]:
    """What the canvas shows, H×W×3."""
    settled(page)
    address: str = page.execute_script("return document.querySelector('#stage').toDataURL()")
    picture = PillowImage.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))
    return np.asarray(picture.convert("RGB"))


def downloaded(page: Any, folder: Path, selector: str, name: str) -> bytes:
    """The bytes of what a button hands over."""
    file = folder / "downloads" / name
    file.unlink(missing_ok=True)
    page.execute_script("arguments[0].click()", first(page, selector))
    until(lambda: file.is_file() and file.stat().st_size, name)
    return file.read_bytes()


def resize(page: Any, width: int, height: int, scheme: str = "light") -> None:
    """A screen of that size, in a light or dark scheme."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    settled(page)


def complaints(page: Any) -> list[str]:
    """What the console said."""
    return [entry["message"] for entry in page.get_log("browser")]


def requested(page: Any) -> list[str]:
    """What the page asked of any network since the last call."""
    return to_a_network([entry["message"] for entry in page.get_log("performance")])


def to_a_network(log: list[str]) -> list[str]:
    """The requests in the browser's log that would leave it."""
    asked = [entry for entry in log if "requestWillBeSent" in entry]
    return [entry for entry in asked if '"url":"http' in entry or '"url":"ws' in entry]
