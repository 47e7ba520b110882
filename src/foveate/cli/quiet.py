"""`--quiet`, which every command has that talks."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any

from foveate.cli.declared import CommandOption

QUIET = Annotated[
    bool, CommandOption("--quiet", "-q", help="Say nothing on stdout; what goes wrong is still said on stderr.")
]


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
