"""HTML from templates of the standard library, in which every value is escaped unless it is HTML already."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from string import Template


class Markup(str):
    """Text that is HTML already. Only templates and what was filled into them become that."""

    __slots__ = ()


def fill(template: str, /, **values: object) -> Markup:
    """The template with `$name` replaced by each value: escaped, but for `Markup`, which stays as it is."""
    return Markup(Template(template).substitute({name: escaped(value) for name, value in values.items()}))


def joined(parts: Iterable[Markup]) -> Markup:
    """One after the other, a line each."""
    return Markup("\n".join(parts))


def escaped(value: object) -> Markup:
    """The value as HTML that shows its text."""
    return value if isinstance(value, Markup) else Markup(html.escape(str(value)))


def data_address(content: bytes, kind: str) -> Markup:
    """A file as the address of itself, e.g. of kind 'image/png'."""
    return Markup(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")
