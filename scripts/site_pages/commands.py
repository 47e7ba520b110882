"""A page for every command: its help, what it prints, where more is said."""

from __future__ import annotations

from collections.abc import Mapping

import foveate
from foveate.cli.commands import COMMANDS, HEADINGS
from site_pages.examples import EXAMPLES, NOT_SHOWN
from site_pages.markdown import block, page
from site_pages.menu import tree

MORE = {
    "segment": ("segmenting", "scale", "dicom", "nifti"),
    "demo": ("start",),
    "serve": ("serving", "clinic"),
    "page": ("clinic",),
    "measure": ("measures",),
    "evaluate": ("evaluation",),
    "compare": ("evaluation",),
    "cross": ("evaluation",),
    "report": ("pictures",),
    "audit": ("audit",),
    "attention": ("pictures",),
    "train": ("training", "recipes", "fine-tuning"),
    "runs": ("training",),
    "sweep": ("sweeps",),
    "export": ("training", "segmenting"),
    "networks": ("networks/index",),
    "data": ("datasets",),
    "recipes": ("recipes",),
    "doctor": ("segmenting",),
}
"""First word of a command to the pages that are its home."""

DRAWN = (
    "Printed by this version on small drawn photographs of nobody; a training here takes two epochs of a few steps, so"
    " that its scores say nothing."
)


def pages(outputs: Mapping[str, str]) -> dict[str, str]:
    """Place to text of all of them and of their index; `outputs` has what each call of `examples.calls` prints."""
    made = {f"commands/{file_of(name)}.md": _page(name, outputs) for name in COMMANDS}
    return made | {"commands/index.md": _index(outputs["foveate -h"])}


def file_of(name: str) -> str:
    """A command's name as that of its page."""
    return name.replace(" ", "-")


def _page(name: str, outputs: Mapping[str, str]) -> str:
    more = ", ".join(f"[](../{page}.md)" for page in MORE[name.partition(" ")[0]])
    python = f" In Python: {{py:func}}`foveate.{name}`." if name in foveate.__all__ else ""
    shown = [block(f"$ {call}\n{outputs[call]}", "console") for call in EXAMPLES.get(name, ())]
    printed = "\n".join(shown) if shown else NOT_SHOWN[name]
    return page(
        f"`foveate {name}`",
        f"More: {more}.{python}",
        "## Help",
        block(outputs[f"foveate {name} -h"]),
        "## What it prints",
        DRAWN if shown else "",
        printed,
    )


def _index(overview: str) -> str:
    listed = [
        tree((file_of(name) for name in COMMANDS if name.partition(" ")[0] in firsts), heading, hidden=False)
        for heading, firsts in HEADINGS.items()
    ]
    return page("Commands", block(f"$ foveate\n{overview}", "console"), *listed)
