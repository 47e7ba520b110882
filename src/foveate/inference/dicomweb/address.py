"""Addresses of DICOMweb: a study, a series, an instance, or the studies that a query finds."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from foveate.errors import UsageError

SCHEMES = ("dicomweb+https", "dicomweb+http")

FORM = "dicomweb+https://HOST/PATH/studies/UID[/series/UID[/instances/UID]] or …/studies?KEYWORD=VALUE"
"""In messages, which never repeat an address: it may hold a name."""

_UID = r"[0-9.]{1,64}"
_PATH = re.compile(rf"(.*?)/studies(?:/({_UID})(?:/series/({_UID})(?:/instances/({_UID}))?)?)?/?")


@dataclass(frozen=True, slots=True)
class DicomwebAddress:
    """What lies where."""

    root: str
    """Of the server's DICOMweb: `https://HOST/PATH`."""
    study: str = field(repr=False)
    """UID; empty for those that the query finds."""
    series: str = field(repr=False)
    """UID; empty for all of the study."""
    instance: str = field(repr=False)
    """UID; empty for all of the series."""
    query: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def of(cls, text: str, *, plain_http: bool = False) -> DicomwebAddress:
        """Read one. Raises UsageError for what is none, and for http to another machine unless `plain_http`."""
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _unreadable() from error
        path = _PATH.fullmatch(parts.path)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        study, series, instance = (path.group(number) or "" for number in (2, 3, 4)) if path else ("", "", "")
        if parts.scheme not in SCHEMES or not host or path is None or bool(study) == bool(query) or parts.fragment:
            raise _unreadable()
        if parts.username is not None:
            raise UsageError(f"an address of DICOMweb has no user and no password in it; write {FORM}.")
        scheme = parts.scheme.removeprefix("dicomweb+")
        shown = f"[{host}]" if ":" in host else host
        root = f"{scheme}://{shown}{'' if port is None else f':{port}'}{path.group(1)}"
        if scheme == "http" and not plain_http and not is_this_machine(host):
            raise UsageError(
                f"{root}: images and token would go there unencrypted. Give dicomweb+https, or --plain-http where that"
                " is meant."
            )
        return cls(root, study, series, instance, query)


def is_this_machine(host: str) -> bool:
    """Whether a host is the loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unreadable() -> UsageError:
    return UsageError(f"an address of DICOMweb that can't be read; write {FORM}.")
