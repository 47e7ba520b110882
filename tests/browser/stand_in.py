"""A small server for the page: `foveate serve`'s addresses, answered one after the other by `foveate.load`."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

import numpy as np

import foveate
from foveate.errors import FoveateError
from foveate.imaging import encode_mask

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'"
TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "jpg": "image/jpeg"}
KEY = "a key of this test"


def answer(segmenter: foveate.Segmenter, content: bytes, name: str) -> dict[str, Any]:
    """What the server says of one image. Raises FoveateError."""
    file = io.BytesIO(content)
    file.name = name
    result = segmenter.segment(file)
    masks = dict(zip(segmenter.card.classes, result.masks, strict=True))
    images = {"mask": result.png("mask"), "probability": result.png("probability"), "fov": encode_mask(result.fov)}
    return {
        "name": name,
        "image_sha256": hashlib.sha256(content).hexdigest(),
        "width": result.mask.shape[1],
        "height": result.mask.shape[0],
        "model": result.model,
        "sha256": segmenter.card.sha256,
        "thresholds": result.thresholds,
        "classes": list(masks),
        "area_fraction": {each: float(np.sum(mask) / np.sum(result.fov)) for each, mask in masks.items()},
        "expected_f1": {each: asdict(score) for each, score in result.expected_f1().items()},
        "notes": result.notes,
        "seconds": result.seconds,
        "images": {kind: base64.b64encode(png).decode() for kind, png in images.items()},
    }


class Handler(BaseHTTPRequestHandler):
    """The page, the models, and images; for all but the page the key is asked."""

    segmenter: foveate.Segmenter

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            card = self.segmenter.card
            self.say({"name": card.name, "description": card.description, "classes": card.classes}, several=True)
            return
        name = self.path.removeprefix("/static/") if self.path != "/" else "index.html"
        file = files("foveate.browser") / "static" / name
        self.send(200, file.read_bytes(), TYPES[name.rpartition(".")[2]])

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        name = urllib.parse.unquote(self.headers["X-File-Name"])
        try:
            told = answer(self.segmenter, content, name)
        except FoveateError as error:
            self.send(
                422, json.dumps({"code": "not_an_image", "message": str(error), "hint": ""}).encode(), "text/json"
            )
            return
        self.say(told)

    def say(self, content: dict[str, Any], *, several: bool = False) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self.send(401, b'{"code": "unauthorized", "message": "a key is needed", "hint": ""}', "text/json")
            return
        self.send(200, json.dumps([content] if several else content).encode(), "text/json")

    def send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Content-Security-Policy": POLICY}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Nothing is said."""


@contextmanager
def served(segmenter: foveate.Segmenter) -> Iterator[str]:
    """The address of a server that runs until the block ends."""
    handler = type("HandlerOfModel", (Handler,), {"segmenter": segmenter})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
