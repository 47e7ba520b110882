"""What a network can be told: its constructor's keywords, described without torch, checked before it is built."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from foveate.errors import UsageError, unknown

OptionValue = bool | int | str | tuple[int, ...]

DATA_OPTIONS = ("in_channels", "classes")
"""What the data decide, not a recipe."""


@dataclass(frozen=True, slots=True)
class Option:
    """One keyword of a network's constructor."""

    name: str
    default: OptionValue
    kind: Literal["switch", "count", "choice", "widths"]
    choices: tuple[str | int, ...] = ()
    """Of a choice."""
    length: int | None = None
    """Of widths: how many; None where that is free."""

    @property
    def allowed(self) -> str:
        """In words."""
        if self.kind == "choice":
            return ", ".join(str(choice) for choice in self.choices)
        many = "two or more" if self.length is None else str(self.length)
        words = {"switch": "true or false", "count": "a whole number > 0", "widths": f"{many} whole numbers > 0"}
        return words[self.kind] + (", or none at all" if self.default == () else "")

    def check_value(self, value: object, *, place: str = "") -> OptionValue:
        """The value, a list made a tuple. Raises UsageError where it is not allowed; `place` goes before the name."""
        if self.kind == "switch" and isinstance(value, bool):
            return value
        if self.kind == "count" and _is_count(value):
            return typing.cast("int", value)
        if self.kind == "choice" and any(type(value) is type(choice) and value == choice for choice in self.choices):
            return typing.cast("str | int", value)
        if self.kind == "widths" and isinstance(value, Sequence) and not isinstance(value, str):
            fits = len(value) == self.length if self.length else len(value) >= 2 or tuple(value) == self.default
            if fits and all(_is_count(width) for width in value):
                return tuple(value)
        raise UsageError(f"{place}{self.name} = {value!r}: expected {self.allowed}.")


def options_of(constructor: type) -> tuple[Option, ...]:
    """Read off a class: bool, int, Literal, tuple[int, ...] or a tuple of so many int, each with a default."""
    hints = typing.get_type_hints(vars(constructor)["__init__"])
    return tuple(
        _option(name, hints[name], parameter.default)
        for name, parameter in inspect.signature(constructor).parameters.items()
    )


def check_options(
    network: str, options: Sequence[Option], values: Mapping[str, object], *, place: str = ""
) -> dict[str, OptionValue]:
    """The values, each as its option wants it.

    Raises UsageError: for an unknown option, with the nearest and all of them; for a value, with what is allowed.
    `place` goes before an option's name, where a reader knows it by more.
    """
    by_name = {option.name: option for option in options}
    for name in values:
        if name not in by_name:
            raise UsageError(unknown(f"option of {network}", place + name, [place + known for known in by_name]))
    return {name: by_name[name].check_value(value, place=place) for name, value in values.items()}


def _option(name: str, hint: object, default: OptionValue) -> Option:
    if hint is bool:
        return Option(name, default, "switch")
    if hint is int:
        return Option(name, default, "count")
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return Option(name, default, "choice", choices=arguments)
    if typing.get_origin(hint) is tuple:
        return Option(name, default, "widths", length=None if Ellipsis in arguments else len(arguments))
    raise TypeError(f"{name}: {hint} is no type of an option")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
