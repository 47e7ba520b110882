"""What stands before every address: who may call, what every answer carries, and the line that is said of it."""

from __future__ import annotations

import json
import secrets
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from foveate.service.observed import Line
from foveate.service.problems import ServiceError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from foveate.service.limits import ServiceLimits
    from foveate.service.observed import Observed

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self';"
    " connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""What a page of the service may load: its own files, and pictures that it has made. Nothing in line."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""Of every answer."""

KEY_PATHS = ("/v1/", "/metrics")
"""What the key is for: the rest says nothing of anybody's images."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")

METHODS, REQUEST_HEADERS = "GET, POST", "authorization, content-type, x-file-name"
"""What a page of another origin that is allowed may use."""


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call."""

    key: str | None = None
    origins: frozenset[str] = frozenset()
    """Of pages beside the service's own, as browsers write them: `https://clinic.example`."""
    hosts: frozenset[str] | None = None
    """What a request's Host may name, so that no page reaches a service without a key by another name; None: any."""

    def check_caller(self, headers: Headers) -> None:
        """Raise ServiceError for a page that may not call, and for a name that isn't the service's."""
        host = _parts(f"//{headers.get('host', '')}")
        if host is None:
            raise ServiceError("bad_request", "the request's Host is none.")
        if self.hosts is not None and (host.hostname or "").lower() not in self.hosts:
            raise ServiceError("not_allowed", "the service is called by a name that isn't its own.")
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins:
            page = _parts(origin)
            if page is None or page.netloc != host.netloc:
                raise ServiceError(
                    "not_allowed", "a page from elsewhere calls, which isn't on the list of those that may."
                )

    def check_key(self, path: str, headers: Headers) -> None:
        """Raise ServiceError for a request without the key, where it needs one."""
        if self.key is not None and path.startswith(KEY_PATHS):
            scheme, _, given = headers.get("authorization", "").partition(" ")
            fits = secrets.compare_digest(given.strip().encode("utf-8", "replace"), self.key.encode())
            if scheme.lower() != "bearer" or not fits:
                raise ServiceError("key_missing", "the request has no key, or another than the service's.")

    def headers_for(self, origin: str | None) -> dict[str, str]:
        """What lets a page of another origin read the answer; `Vary` wherever that depends on the origin."""
        if not self.origins:
            return {}
        if origin not in self.origins:
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": str(origin),
            "Access-Control-Expose-Headers": "Retry-After",
        }


def _parts(address: str) -> SplitResult | None:
    """Of an address that a client wrote; None where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return None


def is_origin(text: str) -> bool:
    """Whether browsers may write an origin so: `https://clinic.example`, with a port or without, and nothing behind."""
    parts = _parts(text)
    return parts is not None and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}" == text.lower()


class Guard:
    """ASGI around the addresses. Whatever goes wrong inside, a client reads no more of it than that it did."""

    def __init__(
        self, app: ASGIApp, access: Access, limits: ServiceLimits, observed: Observed, paths: frozenset[str]
    ) -> None:
        self._app, self._access, self._limits, self._observed, self._paths = app, access, limits, observed, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        path = scope["path"]
        known = path if path in self._paths else "/static" if path.startswith("/static/") else "other"
        line = Line(scope["method"], known)
        scope["state"] = {"line": line}
        headers = Headers(scope=scope)
        extra = HEADERS | self._access.headers_for(headers.get("origin"))

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                line.status = message["status"]
                own = MutableHeaders(scope=message)
                for name, value in extra.items():
                    own.setdefault(name, value)
            await send(message)

        try:
            check_head(scope, self._limits)
            self._access.check_caller(headers)
            if scope["method"] == "OPTIONS" and headers.get("origin") in self._access.origins:
                await _preflight()(scope, receive, sent)
            else:
                self._access.check_key(path, headers)
                # uvicorn, which knows of HEAD, leaves the body out.
                method = "GET" if scope["method"] == "HEAD" else scope["method"]
                await self._app({**scope, "method": method}, receive, sent)
        except ServiceError as problem:
            await problem_response(problem, line)(scope, receive, sent)
        except Exception as error:  # whatever it is, it is no client's business
            line.error = "".join(traceback.format_exception(error))
            if not line.status:
                await problem_response(ServiceError("failed", "the service failed."), line)(scope, receive, sent)
        finally:
            self._observed.ended(line)


def check_head(scope: Scope, limits: ServiceLimits) -> None:
    """Raise ServiceError for a head of too many bytes, of which all came at once: h11 counts what comes in parts."""
    names = sum(len(name) + len(value) + len(b": \r\n") for name, value in scope["headers"])
    if len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + names > limits.head_bytes:
        raise ServiceError("bad_request", f"the request's head has over {limits.head_bytes} bytes.")


def _preflight() -> Response:
    allowed = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Allow-Headers": REQUEST_HEADERS}
    return Response(status_code=204, headers=allowed | {"Access-Control-Max-Age": "600"})


def problem_response(problem: ServiceError, line: Line) -> Response:
    """What a client is told."""
    line.code = problem.code
    text = json.dumps(problem.content(), ensure_ascii=False).encode()
    return Response(text, problem.status, problem.headers, "application/json")
