"""The command `foveate`: one file per command, listed in `commands`; a command imports its workers when it runs."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from foveate.cli.console import say_error
from foveate.cli.signals import INTERRUPTED
from foveate.errors import FoveateError, UsageError

if TYPE_CHECKING:
    from foveate.cli.commands import ANSWERS, COMMANDS, GROUPS, HEADINGS, app

__all__ = ["ANSWERS", "COMMANDS", "GROUPS", "HEADINGS", "app", "main"]

SOME_FAILED, WRONG_CALL = 1, 2
"""Exit statuses beside 0, all good, and those of `signals`."""


def main() -> None:
    """Run the command line; every foreseen error ends as one line on stderr and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file's name may hold what the terminal's encoding can't show.
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_status())
    except UsageError as error:
        say_error(str(error))
        sys.exit(WRONG_CALL)
    except FoveateError as error:
        say_error(str(error))
        sys.exit(SOME_FAILED)


def _status() -> int:
    """Of the command, which is read by Typer unless it is a plain call of `segment`: that one must start quickly."""
    if sys.argv[1:2] == ["segment"] and "_FOVEATE_COMPLETE" not in os.environ:
        from foveate.cli.plain import plain_arguments
        from foveate.cli.quiet import with_quiet
        from foveate.cli.segment import segment

        command = with_quiet(segment)
        arguments = plain_arguments(command, sys.argv[2:])
        if arguments is not None:
            try:
                command(**arguments)
            except KeyboardInterrupt:
                return INTERRUPTED
            except BrokenPipeError:
                # Nobody reads on; nor may Python's own flush at the end fail for that.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return SOME_FAILED
            return 0
    from foveate.cli.commands import by_typer

    return by_typer()


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'foveate.cli' has no attribute '{name}'")
    from foveate.cli import commands

    return getattr(commands, name)
