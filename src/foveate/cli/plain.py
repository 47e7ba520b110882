"""Calls that are plainly right, read without Typer, which with Pydantic takes longer to import than NumPy.

Whatever is not (help, a wrong or a missing value, an option that isn't there, completion) is left to Typer, so that
there is one place that says what is wrong with a call.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from foveate.cli.declared import CommandArgument, CommandOption

NUMBER = {int: r"\d+", float: r"\d+(\.\d+)?"}


class NotPlain(Exception):  # noqa: N818
    """The call is left to Typer."""


def plain_arguments(command: Callable[..., object], words: Sequence[str]) -> dict[str, Any] | None:
    """The arguments by which `command` is called with the words after its name; None where Typer must look at them."""
    parameters = list(signature(command, eval_str=True).parameters.values())
    try:
        return _read(parameters, list(words))
    except NotPlain:
        return None


def _read(parameters: list[Parameter], words: list[str]) -> dict[str, Any]:
    options = {name: each for each in parameters for name in _names(each)}
    given: dict[str, Any] = {}
    alone: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            alone.append(word)
            continue
        name, has_value, value = word.partition("=")
        option = options.get(name)
        if option is None or option.name in given or (has_value and not name.startswith("--")):
            raise NotPlain
        if _kind(option) is bool:
            if has_value:
                raise NotPlain
            given[option.name] = True
        else:
            value = value if has_value else words.pop(0) if words else ""
            given[option.name] = _value(option, value)
    for each in parameters:
        if not _names(each):
            given[each.name] = [_value(each, word) for word in alone]
        elif each.name not in given:
            given[each.name] = each.default
    if not alone or Parameter.empty in given.values():
        raise NotPlain
    return given


def _declared(parameter: Parameter) -> CommandOption | CommandArgument:
    found: CommandOption | CommandArgument = parameter.annotation.__metadata__[0]
    return found


def _names(parameter: Parameter) -> tuple[str, ...]:
    declared = _declared(parameter)
    if isinstance(declared, CommandArgument):
        return ()
    return declared.names or (f"--{parameter.name.replace('_', '-')}",)


def _kind(parameter: Parameter) -> Any:
    """Its type, without `None` and the list around it."""
    kind = parameter.annotation.__origin__
    if get_origin(kind) is list:
        return get_args(kind)[0]
    kinds = [each for each in get_args(kind) if each is not NoneType]
    return kinds[0] if NoneType in get_args(kind) and len(kinds) == 1 else kind


def _value(parameter: Parameter, word: str) -> Any:
    kind, facts = _kind(parameter), _declared(parameter).facts
    if not word or word.startswith("-"):
        raise NotPlain
    if get_origin(kind) is Literal and word in get_args(kind):
        return word
    if kind is str:
        return word
    if kind is Path:
        path = Path(word)
        if facts.get("readable", True) and path.exists() and not os.access(path, os.R_OK):
            raise NotPlain
        return path
    if kind in NUMBER and re.fullmatch(NUMBER[kind], word, re.ASCII):
        number = kind(word)
        if facts.get("min", number) <= number <= facts.get("max", number):
            return number
    raise NotPlain
