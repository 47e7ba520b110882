"""What every command has, whatever it does: help under headings, cut nowhere, and `--quiet` where it talks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

HELP = {"help_option_names": ["-h", "--help"]}
"""Context settings of the application, which every command inherits."""

QUIET = Annotated[
    bool, typer.Option("--quiet", "-q", help="Say nothing on stdout; what goes wrong is still said on stderr.")
]


class Command(TyperCommand):
    """A command whose help lists its options under their headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options, each under its `rich_help_panel`."""
        _write_parameters(self, ctx, formatter)


def with_quiet(command: Callable[..., object]) -> Callable[..., object]:
    """The command with `--quiet`, under which it runs with nowhere to print to."""

    @wraps(command)
    def quietly(*, quiet: bool = False, **arguments: Any) -> object:
        if not quiet:
            return command(**arguments)
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
            return command(**arguments)

    own = signature(command, eval_str=True)
    option = Parameter("quiet", Parameter.KEYWORD_ONLY, default=False, annotation=QUIET)
    quietly.__signature__ = own.replace(parameters=[*own.parameters.values(), option])  # type: ignore[attr-defined]
    return quietly


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
