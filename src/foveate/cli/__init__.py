"""The command `foveate`: one file per command, listed here; a command imports its workers when it runs."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import typer

from foveate.cli import (
    attention,
    audit,
    compare,
    cross,
    data,
    demo,
    evaluate,
    export,
    measure,
    networks,
    recipes,
    report,
    runs,
    segment,
    sweep,
    train,
)
from foveate.cli.console import say_error
from foveate.cli.signals import INTERRUPTED
from foveate.errors import FoveateError, UsageError

COMMANDS: dict[str, Callable[..., object]] = {
    "segment": segment.segment,
    "demo": demo.demo,
    "measure": measure.measure,
    "evaluate": evaluate.evaluate,
    "compare": compare.compare,
    "cross": cross.cross,
    "audit": audit.audit,
    "report": report.report,
    "attention": attention.attention,
    "train": train.train,
    "runs": runs.runs,
    "sweep": sweep.sweep,
    "export": export.export,
    "networks": networks.networks,
    "data check": data.check,
    "data show": data.show,
    "data synth": data.synth,
    "data info": data.info,
    "recipes list": recipes.list_all,
    "recipes show": recipes.show,
    "recipes copy": recipes.copy,
    "recipes check": recipes.check,
}
"""Name to function; the function's signature is the interface and its docstring the help. Two words: a sub-command."""

GROUPS = {
    "data": "Data sets: what is wrong with one, how it looks, where to get it.",
    "recipes": "Recipes: which there are, what is in one, a copy of your own. Without a sub-command: list them.",
}
"""First word of sub-commands to its help."""

ALONE: dict[str, Callable[[], object]] = {"recipes": recipes.list_all}
"""What such a word does by itself, where it does anything."""

SOME_FAILED, WRONG_CALL = 1, 2
"""Exit statuses beside 0, all good, and those of `signals`."""


def main() -> None:
    """Run the command line; every foreseen error ends as one line on stderr and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold what the terminal's encoding can't show.
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app()(standalone_mode=False) or 0)
    except typer.Abort:
        say_error("stopped.")
        sys.exit(INTERRUPTED)
    except typer.TyperException as error:
        say_error(f"{error.format_message()} (`foveate --help` lists what there is)")
        sys.exit(WRONG_CALL)
    except UsageError as error:
        say_error(str(error))
        sys.exit(WRONG_CALL)
    except FoveateError as error:
        say_error(str(error))
        sys.exit(SOME_FAILED)


def app() -> typer.Typer:
    """The Typer application."""
    application = typer.Typer(
        name="foveate",
        help="Masks from medical photographs. For research, not a medical device.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    application.callback()(root)
    groups = {name: _group(name) for name in GROUPS}
    for name, group in groups.items():
        application.add_typer(group, name=name)
    for name, command in COMMANDS.items():
        first, _, second = name.partition(" ")
        (groups[first].command(second) if second else application.command(first))(command)
    return application


def _group(name: str) -> typer.Typer:
    default = ALONE.get(name)
    group = typer.Typer(help=GROUPS[name], no_args_is_help=default is None, rich_markup_mode=None)
    if default is not None:

        def alone(context: typer.Context) -> None:
            if context.invoked_subcommand is None:
                default()

        group.callback(invoke_without_command=True, help=GROUPS[name])(alone)
    return group


def root() -> None:
    """Masks from medical photographs. For research, not a medical device."""
