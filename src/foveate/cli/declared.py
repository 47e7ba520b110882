"""What a command's arguments and options are, so that a plain call can be read without Typer, and any by Typer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, init=False)
class Declared:
    """An annotation's facts in the words of `typer.Option` and `typer.Argument`."""

    names: tuple[str, ...]
    facts: dict[str, Any]

    def __init__(self, *names: str, **facts: Any) -> None:
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "facts", facts)


class CommandOption(Declared):
    """An option, by its names, or that of its parameter where none is given."""

    __slots__ = ()


class CommandArgument(Declared):
    """What stands without a name."""

    __slots__ = ()
