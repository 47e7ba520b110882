"""What every command has, whatever it does: help under headings, cut nowhere, and `--quiet` where it talks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import wraps
from inspect import signature
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from foveate.cli.completion import Completion, completion_of
from foveate.cli.declared import CommandOption, Declared

HELP = {"help_option_names": ["-h", "--help"]}
"""Context settings of the application, which every command inherits."""


class Command(TyperCommand):
    """A command whose help lists its options under their headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, each under its `rich_help_panel`."""
        _write_parameters(self, ctx, formatter)


def for_typer(command: Callable[..., object], name: str) -> Callable[..., object]:
    """The command with what is `Declared` of its parameters as Typer has it, and the values that it completes."""

    @wraps(command)
    def whole(**arguments: Any) -> object:
        return command(**arguments)

    own = signature(command, eval_str=True)
    parameters = [
        each.replace(annotation=_in_typers_words(each.annotation, completion_of(name, each.name)))
        for each in own.parameters.values()
    ]
    whole.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    return whole


def _in_typers_words(annotation: Any, completion: Completion | None) -> Any:
    declared: Any = next(iter(getattr(annotation, "__metadata__", ())), None)
    if isinstance(declared, Declared):
        made = typer.Option if isinstance(declared, CommandOption) else typer.Argument
        return Annotated[annotation.__origin__, made(*declared.names, autocompletion=completion, **declared.facts)]
    if completion is None:
        return annotation
    completed = copy(declared)
    completed.autocompletion = completion
    return Annotated[annotation.__origin__, completed]


class Group(TyperGroup):
    """Commands, each with its whole first sentence, under their headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, then the options of the group itself."""
        self.format_commands(ctx, formatter)
        _write_parameters(self, ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands, each under its `rich_help_panel`."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.commands[name]
            paragraph = (command.help or "").partition("\n\n")[0]
            rows.append((getattr(command, "rich_help_panel", None) or "Commands", (name, " ".join(paragraph.split()))))
        _write_sections(rows, formatter)


def _write_parameters(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    rows = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        heading = "Arguments" if parameter.param_type_name == "argument" else "Options"
        if record is not None:
            rows.append((getattr(parameter, "rich_help_panel", None) or heading, record))
    _write_sections(rows, formatter)


def _write_sections(rows: Iterable[tuple[str, tuple[str, str]]], formatter: Any) -> None:
    sections: dict[str, list[tuple[str, str]]] = {}
    for heading, row in rows:
        sections.setdefault(heading, []).append(row)
    for heading, records in sections.items():
        with formatter.section(heading):
            formatter.write_dl(records)
