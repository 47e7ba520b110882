"""Requests to a DICOMweb server: answers within bounds, what fails in passing asked again, and errors for people.

It has the methods of a `requests.Session` that dicomweb-client calls. Nothing of what a server says in words gets into
a message, nor does an address: both may name a patient.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException, SSLError, Timeout
from requests.exceptions import ConnectionError as Unconnected

from foveate.errors import ServerError, UsageError
from foveate.imaging.decoding.silence import SILENCE
from foveate.inference.dicomweb.address import is_this_machine

JSON = "application/dicom+json"
MOST_JSON = 1 << 26
"""Bytes of an answer that is a list."""
MOST_OBJECT = 1 << 30
"""Bytes of an instance: it is held in memory."""

ATTEMPTS = 4
PASSING = (408, 429, 502, 503, 504)
"""Statuses of what may be gone a moment later."""
FIRST_WAIT = 0.5
"""Seconds before the second attempt; then twice as many each time."""
LONGEST_WAIT = 30.0
"""Seconds between two attempts, whatever the server asks for."""
SECONDS = (10.0, 60.0)
"""To connect, and between two pieces of an answer."""

_PIECE = 1 << 20
_TOKEN = re.compile(r"[\x21-\x7e]+")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}")

REFUSALS = {
    400: "it does not understand what it is asked (400); is that the address of its DICOMweb",
    401: "it wants another token (401); FOVEATE_DICOMWEB_TOKEN holds the one that is sent",
    403: "the token does not allow that (403); ask who runs the server",
    404: "it has nothing there (404); look at the address",
    406: "it does not give that in a form that is read (406)",
    409: "it refuses to store that (409); ask who runs the server",
    413: "that is larger than it takes (413)",
}
"""What a status means, and what to do."""


@dataclass(slots=True)
class Answer:
    """What came back, in full; as much of a `requests.Response` as dicomweb-client looks at."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    encoding: str = "utf-8"
    ok: bool = True

    def json(self) -> Any:
        """The content, read."""
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Nothing: a status that is an error was one before."""


class Connection:
    """To one server, with a token for it. Raises UsageError for one that no header can hold."""

    def __init__(self, root: str, token: str | None) -> None:
        if token is not None and not _TOKEN.fullmatch(token):
            raise UsageError("the token for DICOMweb is empty or holds characters that none has; set it again.")
        self._session = requests.Session()
        self._session.auth = None if token is None else _bearer(token)
        host = urlsplit(root).hostname or ""
        if is_this_machine(host):
            self._session.proxies = {"no_proxy": host}

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, stream: bool = False, timeout: object = None
    ) -> Answer:
        """An answer in JSON. Raises ServerError."""
        return self._answer("GET", url, {"Accept": JSON}, None, JSON, MOST_JSON)

    def post(self, url: str, data: bytes, headers: Mapping[str, str], timeout: object = None) -> Answer:
        """The answer to what is stored, in JSON. Raises ServerError."""
        sent = {"Content-Type": headers["Content-Type"], "Accept": JSON}
        return self._answer("POST", url, sent, data, JSON, MOST_JSON)

    def instance(self, url: str) -> Answer:
        """One instance, in one part or as it is, compressed as the server has it. Raises ServerError."""
        accepted = 'multipart/related; type="application/dicom"; transfer-syntax=*'
        return self._answer("GET", url, {"Accept": accepted}, None, "multipart/related", MOST_OBJECT)

    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, wanted: str, most: int
    ) -> Answer:
        for attempt in range(1, ATTEMPTS + 1):
            wait = FIRST_WAIT * 2 ** (attempt - 1)
            try:
                answer = self._once(method, url, headers, data, most)
            except SSLError as error:
                raise ServerError(_untrusted(error)) from None
            except Timeout:
                reason = "it does not answer in time"
            except (Unconnected, ChunkedEncodingError, ContentDecodingError) as error:
                reason = "it can't be reached" if _is_unreached(error) else "the connection was cut"
            except RequestException:
                raise ServerError("it can't be asked; look at the address") from None
            else:
                if answer.status_code not in PASSING:
                    return _checked(answer, wanted)
                reason = f"it answers {_status(answer.status_code)}"
                wait = _asked_for(answer.headers, wait)
            if attempt < ATTEMPTS:
                time.sleep(min(wait, LONGEST_WAIT))
        raise ServerError(f"{reason}, {ATTEMPTS} times; the same call goes on when it does")

    def _once(self, method: str, url: str, headers: Mapping[str, str], data: bytes | None, most: int) -> Answer:
        """One attempt. Raises ServerError for an answer that is too long, and what requests raises."""
        request = partial(self._session.request, stream=True, timeout=SECONDS, allow_redirects=False)
        with SILENCE.kept(), request(method, url, headers=dict(headers), data=data) as given:
            content = bytearray()
            for piece in given.iter_content(_PIECE):
                content += piece
                if len(content) > most:
                    raise ServerError(f"it answers with more than {most} bytes, which isn't read")
            return Answer(given.status_code, given.headers, bytes(content))


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Adds the token, also where a .netrc names the server; as a closure, so that no `repr` shows it."""

    def authorised(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorised


def _checked(answer: Answer, wanted: str) -> Answer:
    """An answer of the form that was asked for. Raises ServerError."""
    status = answer.status_code
    if 300 <= status < 400:
        raise ServerError(f"it answers from elsewhere ({status}); give the address to which it has moved")
    if not 200 <= status < 300:
        raise ServerError(REFUSALS.get(status, f"it answers {_status(status)}"))
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if answer.content and media_type not in _forms(wanted):
        shown = media_type if _MEDIA_TYPE.fullmatch(media_type) else "something"
        raise ServerError(f"it answers with {shown}, not {wanted}; is that its DICOMweb, and no page to log in")
    if wanted == JSON:  # dicomweb-client knows it by its bare name alone
        answer.headers = {"Content-Type": JSON}
    return answer


def _forms(wanted: str) -> tuple[str, ...]:
    """Media types that are taken for one."""
    return (JSON, "application/json") if wanted == JSON else (wanted, "application/dicom")


def _status(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def _asked_for(headers: Mapping[str, str], wait: float) -> float:
    """Seconds that the server asks to wait (RFC 9110, 10.2.3), where it says so in seconds."""
    asked = headers.get("Retry-After", "").strip()
    return float(asked) if re.fullmatch(r"\d{1,9}", asked) else wait


def _is_unreached(error: Exception) -> bool:
    """Whether no connection came about at all, by the classes of urllib3 that requests wraps."""
    return any(name in repr(error) for name in ("NewConnectionError", "NameResolutionError", "ProxyError"))


def _untrusted(error: Exception) -> str:
    found = re.search(r"certificate verify failed: ([A-Za-z' -]+)", str(error))
    why = f" ({found.group(1).strip()})" if found else ""
    return f"its certificate is not trusted{why}; name a file of those that you trust in REQUESTS_CA_BUNDLE"
