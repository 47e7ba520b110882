"""Which faults of a store pass by, how often and how long they are waited for, and how all of them are said.

| fault | known by | tried again |
| --- | --- | --- |
| the connection was cut, refused or could not be made | the classes of `FAULTS` | after .5, 1, 2, 4 and 8 s, each \
up to half longer or shorter; then it is told |
| no answer in time: 30 s to connect, 60 s between two pieces of an answer | the same | the same |
| the server is busy or out of order | HTTP 408, 409, 429, 500, 502, 503, 504 | the same |
| anything else: not there, not allowed, no credentials | | not at all |

Libraries' own words are never repeated, as they may quote an address with what it signs in by.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from foveate.errors import FoveateError

Result = TypeVar("Result")

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try."""

CONNECT_SECONDS, ANSWER_SECONDS = 30, 60

ERROR_CODES = {"RequestTimeout": 408, "SlowDown": 503, "Throttling": 429, "InternalError": 500}
"""Of S3, which answers some of them with another status."""

THERE_ALREADY = 412


class StoreError(FoveateError):
    """A store did not do what it was asked for; the text says why, without the place."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of what passes by."""

    says: str
    classes: frozenset[str]
    """Names of exceptions, or of what they inherit from: their libraries aren't imported for this."""
    statuses: frozenset[int] = frozenset()
    """Of HTTP."""


FAULTS = (
    Fault(
        "there was no answer in time",
        frozenset({"TimeoutError", "ReadTimeoutError", "ConnectTimeoutError", "FSTimeoutError"}),
        frozenset({408}),
    ),
    Fault("the server was busy or out of order", frozenset(), frozenset({409, 429, 500, 502, 503, 504})),
    Fault(
        "the connection was cut or could not be made",
        frozenset(
            {
                "ClientConnectionError",
                "ClientPayloadError",
                "ConnectionError",
                "EOFError",
                "HTTPClientError",
                "IncompleteRead",
                "IncompleteReadError",
                "NoValidConnectionsError",
                "ResponseParserError",
                "SSHException",
                "gaierror",
            }
        ),
    ),
)
"""In the order in which they are looked for."""

LASTING = {
    "AuthenticationException": "signing in was refused; check user and key",
    "NoCredentialsError": "there are no credentials; give them as its library is given them",
    "PartialCredentialsError": "the credentials are incomplete; give them as its library is given them",
    "PermissionError": "access was refused; check the credentials and what they allow",
    "BadHostKeyException": "the server has another key than in known_hosts; find out why",
    "NotImplementedError": "this kind of store can't do that",
}
"""Class to what is said of it."""


def patiently(action: Callable[[], Result], afresh: Callable[[], None]) -> Result:
    """What the action returns; tried again after faults that pass by, and `afresh` called before each further try.

    FileNotFoundError, FileExistsError and foveate's own errors go through. Raises StoreError for all others.
    """
    for wait in (*WAITS, None):
        try:
            return action()
        except (FileNotFoundError, FileExistsError, FoveateError):
            raise
        except Exception as error:
            if is_there_already(error):
                raise FileExistsError from None
            fault = fault_of(error)
            if fault is None:
                raise StoreError(reason_of(error)) from None
            if wait is None:
                raise StoreError(f"{fault.says}, in each of {len(WAITS) + 1} tries") from None
        afresh()
        time.sleep(wait * random.uniform(0.5, 1.5))
    raise StoreError("nothing was tried")


def fault_of(error: BaseException) -> Fault | None:
    """Which fault of the table an exception is, or was caused by; None for one that lasts."""
    chain = list(_chain(error))
    if any(name in LASTING for each in chain for name in _names(each)):
        return None
    for fault in FAULTS:
        if any(fault.classes & _names(each) or _status(each) in fault.statuses for each in chain):
            return fault
    # paramiko's word for a connection that is gone, in an exception without a class or a number of its own.
    gone = any(isinstance(each, OSError) and str(each) == "Socket is closed" for each in chain)
    return FAULTS[-1] if gone else None


def is_there_already(error: BaseException) -> bool:
    """Whether a store refused to replace what is there."""
    return any(_status(each) == THERE_ALREADY for each in _chain(error))


def reason_of(error: BaseException) -> str:
    """A fault that lasts, in words."""
    for each in _chain(error):
        for name in sorted(_names(each) & LASTING.keys()):
            return LASTING[name]
    status = next((status for each in _chain(error) if (status := _status(each))), 0)
    return type(error).__name__ + (f", HTTP status {status}" if status else "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _names(error: BaseException) -> set[str]:
    return {each.__name__ for each in type(error).__mro__}


def _status(error: BaseException) -> int:
    """Of HTTP, as botocore, aiohttp and Google's library keep it; 0 where there is none."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        code = ERROR_CODES.get(response.get("Error", {}).get("Code", ""))
        return int(code or response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    status = getattr(error, "status", None) or getattr(error, "code", None)
    return status if isinstance(status, int) else 0
