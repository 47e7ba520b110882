"""Two ways to speak: results and decisions on stdout, trouble on stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from foveate.training.rank import Rank


def say(text: str) -> None:
    """One line on stdout; of several processes that `torchrun` has started, the first one's."""
    if rank().number:
        return
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_error(text: str) -> None:
    """One line on stderr, marked as an error; of several processes, the first one's of each machine."""
    if rank().on_machine:
        return
    sys.stderr.write(f"foveate: {text}\n")
    sys.stderr.flush()


def rank() -> Rank:
    """Which of several processes this one is."""
    from foveate.training.rank import Rank

    return Rank.of(os.environ)


def new_table() -> Table:
    """A table without lines, to fill and hand to `say_table`."""
    from rich.table import Table

    return Table(box=None, header_style="bold", pad_edge=False)


def say_table(table: Table) -> None:
    """A table on stdout, as wide as the terminal, or 140 columns elsewhere; what is in it is shown as it is."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 140
    Console(highlight=False, markup=False, emoji=False, width=width).print(table)
