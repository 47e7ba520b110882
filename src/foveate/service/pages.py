"""What a browser is shown: the files of the page, where they are there, and the addresses of the API."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from foveate.service.problems import ServiceError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""By ending; a file with any other isn't served."""

INDEX = "index.html"
HEAD = "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
WITHOUT_PAGE = f"{HEAD}<title>foveate</title><h1>foveate</h1><p>The service is running. <a href=/docs>Its API</a>.\n"


def static_files() -> dict[str, tuple[bytes, str]]:
    """Every file of the page by its path below the folder, with its type; none where the page isn't installed."""
    folder = files("foveate") / "browser" / "static"
    return dict(_below(folder, "")) if folder.is_dir() else {}


def _below(folder: Traversable, path: str) -> list[tuple[str, tuple[bytes, str]]]:
    found: list[tuple[str, tuple[bytes, str]]] = []
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        ending = f".{each.name.rpartition('.')[2]}"
        if each.is_dir():
            found += _below(each, f"{path}{each.name}/")
        elif ending in TYPES and not each.name.startswith("."):
            found.append((f"{path}{each.name}", (each.read_bytes(), TYPES[ending])))
    return found


def static_response(static: dict[str, tuple[bytes, str]], path: str) -> Response:
    """A file of the page, by a name that is looked up and never opened. Raises ServiceError where there is none."""
    if path not in static:
        raise ServiceError("not_found", "there is no such file of the page.")
    content, kind = static[path]
    return Response(content, headers={"Content-Type": kind, "Cache-Control": "no-cache"})


def index_response(static: dict[str, tuple[bytes, str]]) -> Response:
    """The page, or where it isn't installed a few words."""
    content, kind = static.get(INDEX, (WITHOUT_PAGE.encode(), TYPES[".html"]))
    return Response(content, headers={"Content-Type": kind, "Cache-Control": "no-cache"})


def docs_response(schema: dict[str, Any]) -> Response:
    """The OpenAPI document for people, without a script."""
    parts = [HEAD, "<title>foveate: API</title><h1>foveate: API</h1>", _paragraphs(schema["info"]["description"])]
    parts.append("<p>For programs: <a href=/openapi.json>/openapi.json</a>.\n")
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            parts.append(f"<h2><code>{method.upper()} {html.escape(path)}</code></h2>")
            parts.append(_operation(operation))
    return Response("".join(parts), headers={"Content-Type": TYPES[".html"]})


def _operation(operation: dict[str, Any]) -> str:
    text = _paragraphs(operation.get("description", operation["summary"]))
    rows = [
        f"<li><code>{html.escape(each['name'])}</code> ({each['in']}): {html.escape(each.get('description', ''))}"
        for each in operation.get("parameters", [])
    ]
    answers = [
        f"<li>{status}: {html.escape(answer['description'])}" for status, answer in operation["responses"].items()
    ]
    examples = "".join(f"<pre>{html.escape(each['source'])}</pre>" for each in operation.get("x-codeSamples", []))
    lists = (f"<ul>{''.join(rows)}</ul>" if rows else "") + f"<p>Answers:<ul>{''.join(answers)}</ul>"
    return f"{text}{lists}{examples}\n"


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{html.escape(part)}" for part in text.split("\n\n"))
