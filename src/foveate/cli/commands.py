"""The commands: one file each, listed here, and how Typer reads them; a command imports its workers when it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from foveate.cli import (
    WRONG_CALL,
    attention,
    audit,
    compare,
    cross,
    data,
    demo,
    doctor,
    evaluate,
    export,
    measure,
    networks,
    page,
    recipes,
    report,
    runs,
    segment,
    serve,
    sweep,
    train,
)
from foveate.cli.console import say, say_error
from foveate.cli.habits import HELP, Command, Group, for_typer
from foveate.cli.quiet import with_quiet
from foveate.cli.signals import INTERRUPTED

COMMANDS: dict[str, Callable[..., object]] = {
    "segment": segment.segment,
    "demo": demo.demo,
    "serve": serve.serve,
    "page": page.page,
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
    "doctor": doctor.doctor,
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

HEADINGS = {
    "Segment": ("segment", "demo", "serve", "page"),
    "Measure": ("measure", "evaluate", "compare", "cross", "report", "audit", "attention"),
    "Train": ("train", "runs", "sweep", "export"),
    "Know what there is": ("networks", "data", "recipes", "doctor"),
}
"""What the overview puts them under, by their first word."""

ANSWERS = {"audit", "doctor", "runs", "networks", "data info", "recipes list", "recipes show"}
"""Commands that do nothing but print what they are asked for, and so have no `--quiet`."""

GROUPS = {
    "data": "Data sets: what is wrong with one, how it looks, where to get it.",
    "recipes": "Recipes: which there are, what is in one, a copy of your own. Without a sub-command: list them.",
}
"""First word of sub-commands to its help."""

ALONE: dict[str, Callable[[], object]] = {"recipes": recipes.list_all}
"""What such a word does by itself, where it does anything but show its help."""

MORE = (
    "`foveate COMMAND -h` shows a command's options and an example. Segmenting and measuring run on the CPU; training"
    " takes a GPU where there is one; `foveate train --device` chooses, and CUDA_VISIBLE_DEVICES=1 which of several."
)
"""The overview's end."""


def by_typer() -> int:
    """Run the command line as Typer reads it, to its exit status; what is wrong with the call is said."""
    try:
        return app()(standalone_mode=False) or 0
    except typer.Abort:
        say_error("stopped.")
        return INTERRUPTED
    except typer.TyperException as error:
        say_error(f"{error.format_message()} (`{_path_of(error)} --help` lists what there is)")
        return WRONG_CALL


def app() -> typer.Typer:
    """The Typer application."""
    headings = {first: heading for heading, firsts in HEADINGS.items() for first in firsts}
    application = _group(root, root.__doc__, epilog=MORE)
    groups = {name: _group(_alone(name), text) for name, text in GROUPS.items()}
    for name, command in COMMANDS.items():
        first, _, second = name.partition(" ")
        whole = for_typer(command if name in ANSWERS else with_quiet(command), name)
        if second:
            groups[first].command(second, cls=Command)(whole)
        else:
            application.command(first, cls=Command, rich_help_panel=headings[first])(whole)
    for name, group in groups.items():
        application.add_typer(group, name=name, rich_help_panel=headings[name])
    return application


def _group(callback: Callable[..., None], text: str | None, *, epilog: str | None = None) -> typer.Typer:
    group = typer.Typer(
        cls=Group,
        help=text,
        epilog=epilog,
        context_settings=HELP,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    group.callback(cls=Group, invoke_without_command=True, context_settings=HELP)(callback)
    return group


def _alone(name: str) -> Callable[[typer.Context], None]:
    def alone(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            ALONE[name]() if name in ALONE else say(context.get_help())

    return alone


def _show_version(asked: bool) -> None:
    from foveate import __version__

    if asked:
        say(f"foveate {__version__}")
        raise typer.Exit


def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Masks from medical photographs. For research, not a medical device."""
    if context.invoked_subcommand is None:
        say(context.get_help())


def _path_of(error: typer.TyperException) -> str:
    """The command that an error of the call is about."""
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else "foveate"
