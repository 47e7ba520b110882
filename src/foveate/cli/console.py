"""Two ways to speak: results and decisions on stdout, trouble on stderr; nothing that is said drives the terminal."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from foveate.training.processes.place import Rank

DRIVES_THE_TERMINAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters but line end and tab, and what turns the direction of a text."""


def say(text: str) -> None:
    """A line, or several, on stdout; of several processes that `torchrun` has started, the first one's."""
    if rank().number:
        return
    sys.stdout.write(visible(text) + "\n")
    sys.stdout.flush()


def say_error(text: str) -> None:
    """One line on stderr, marked as an error; of several processes, the first one's of each machine."""
    if rank().on_machine:
        return
    sys.stderr.write(f"foveate: {on_one_line(text)}\n")
    sys.stderr.flush()


def say_progress(text: str) -> None:
    """A line on a terminal's stderr in place of the last such, which an empty text takes away; nothing elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{on_one_line(text)}")
        sys.stderr.flush()


def say_case(case_id: str, done: int, total: int) -> None:
    """A counter of images on a terminal, which the last one takes away."""
    say_progress(f"{done}/{total} {case_id}" if done < total else "")


def visible(text: str) -> str:
    """The text with every character that would drive a terminal written as \\u001b is, so that JSON stays JSON.

    Names of files, of classes in a card, and messages of libraries come from strangers.
    """
    return DRIVES_THE_TERMINAL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def on_one_line(text: str) -> str:
    """The same where a line end would make a second line of it."""
    return visible(text).replace("\n", "\\n")


def rank() -> Rank:
    """Which of several processes this one is."""
    from foveate.training.processes.place import Rank

    return Rank.of(os.environ)


def new_table() -> Table:
    """A table without lines, to fill and hand to `say_table`."""
    from rich.table import Table

    return Table(box=None, header_style="bold", pad_edge=False)


def say_table(table: Table) -> None:
    """A table on stdout, as wide as the terminal, or 140 columns elsewhere; what is in it is shown as it is."""
    from foveate.cli.rich_console import RichConsole

    width = None if sys.stdout.isatty() else 140
    RichConsole(highlight=False, markup=False, emoji=False, width=width).print(table)
