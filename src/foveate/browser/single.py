"""The page as one HTML file that segments by itself: scripts, network and runtime stand in it, and it fetches nothing.

A browser loads no module from a file beside a page that is opened from disk. So the modules stand in the page as data
addresses, which an import map gives their names.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from foveate.browser.runtime import LICENCE
from foveate.errors import ModelError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from foveate.browser.runtime import BrowserRuntime
    from foveate.models import Model

BEGIN, SERVED = "alone.js", ("served.js", "server.js")
"""The module that the single page begins with, and those that only the served one has."""

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' data: blob:; style-src 'unsafe-inline';"
    " img-src data: blob:; connect-src 'none'; form-action 'none'; base-uri 'none'"
)
"""What the page may load: what stands in it. It can't send anything anywhere."""

PRIVACY = "Nothing leaves this machine: the photographs stay in this page, which has no way of sending anything."

TOLD = (
    "name",
    "description",
    "classes",
    "exclusive",
    "sha256",
    "preparation",
    "thresholds",
    "min_size",
    "trust",
    "licence",
)
"""What the page is told of a model's card."""

_IMPORT = re.compile(r'^(import [^;]*?from )"\./([\w-]+\.js)"', re.MULTILINE)


def single_page(model: Model, runtime: BrowserRuntime) -> str:
    """The whole page. Raises ModelError for a model whose images the page can't prepare."""
    preparation = model.card.preparation
    if preparation.channels != "rgb" or preparation.clahe:
        raise ModelError(
            f"{model.source}: sees enhanced images (channels, clahe), which the page can't make. Use `foveate serve`."
        )
    folder = files("foveate.browser")
    page = (folder / "static" / "index.html").read_text("utf-8")
    sample = base64.b64encode((folder / "static" / "sample.jpg").read_bytes()).decode()
    style = (folder / "static" / "page.css").read_text("utf-8")
    for place, content in (
        ('<link rel="stylesheet" href="/static/page.css">', f"<style>\n{style}</style>"),
        ('<meta charset="utf-8">', f'<meta charset="utf-8">\n{_policy()}'),
        ('href="/static/sample.jpg"', f'href="data:image/jpeg;base64,{sample}"'),
        ('<script type="module" src="/static/served.js"></script>', _scripts(model, runtime, _modules(folder))),
    ):
        page = _with(page, place, content)
    return re.sub(r'(<span id="privacy">).*?(</span>)', rf"\1{PRIVACY}\2", page)


def _policy() -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY, quote=False)}">'


def _with(page: str, place: str, content: str) -> str:
    before, found, after = page.partition(place)
    if not found or place in after:
        raise ValueError(f"the page has not one {place}")
    return before + content + after


def _modules(folder: Traversable) -> dict[str, str]:
    """Name to text of every module, whose imports are by name alone."""
    scripts = [each for part in ("static", "inside") for each in (folder / part).iterdir() if each.name.endswith(".js")]
    texts = {each.name: each.read_text("utf-8") for each in scripts if each.name not in SERVED}
    return {name: _IMPORT.sub(r'\1"\2"', texts[name]) for name in sorted(texts)}


def _scripts(model: Model, runtime: BrowserRuntime, modules: dict[str, str]) -> str:
    addresses = {name: f"data:text/javascript;base64,{_packed(text.encode())}" for name, text in modules.items()}
    card = msgspec.to_builtins(model.card)
    parts = [
        f"<!-- In this page, under its own licence:\n\n{LICENCE}-->",
        f'<script type="importmap">{json.dumps({"imports": addresses})}</script>',
        _data("model-card", _safe(json.dumps({key: card[key] for key in TOLD}))),
        _data("model-file", _packed(model.content)),
        _data("runtime-glue", _packed(runtime.glue.encode())),
        _data("runtime-wasm", _packed(gzip.compress(runtime.wasm, 9, mtime=0))),
        f"<script>{_safe(runtime.script)}</script>",
        f'<script type="module">import "{BEGIN}";</script>',
    ]
    return "\n".join(parts)


def _data(name: str, text: str) -> str:
    return f'<script type="application/octet-stream" id="{name}">{text}</script>'


def _packed(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _safe(text: str) -> str:
    """Script or JSON in which nothing ends the element that it stands in."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")
