"""`foveate data check`, `show`, `synth` and `info`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import say
from foveate.errors import OutputError, UsageError, needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from foveate.datasets.check import CheckReport
    from foveate.imaging.sheet import Tile

SPOILS_TRAINING = 2
"""Exit status of a check that found a fault."""


def check(
    data: Annotated[str, typer.Argument(help="NAME:FOLDER of a data set.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with all file names.")] = False,
) -> None:
    """Read a whole data set and say what would spoil a training (exit status 2), and what is worth knowing.

    foveate data check drive:data/DRIVE
    """
    from foveate.datasets.check import check_set

    with _progress() as advance:
        report = check_set(data, lambda _case, done, total: advance(done, total))
    if as_json:
        say(json.dumps(asdict(report) | {"faults": report.faults}, indent=2))
    else:
        _print(report)
    if report.faults:
        raise typer.Exit(SPOILS_TRAINING)


def _print(report: CheckReport) -> None:
    for split, part in report.splits.items():
        say(f"{split}: {_number(part.images, 'image')}, {_number(part.groups, 'group')}")
    if report.sizes:
        shown = [f"{size} ({count})" for size, count in list(report.sizes.items())[:6]]
        more = f", {len(report.sizes) - 6} more sizes" if len(report.sizes) > 6 else ""
        say(f"size, height×width (images): {', '.join(shown)}{more}")
    for kind, values in report.values.items():
        say(f"{kind}, values (files): {'; '.join(f'{value} ({count})' for value, count in values.items())}")
    shares = [f"{name} {100 * share.pixels:.3g} % ({share.images})" for name, share in report.classes.items()]
    if shares:
        say(f"classes, share of all pixels (images): {', '.join(shares)}")
    for finding in report.findings:
        say(f"{'fault' if finding.fault else 'remark'}: {finding.text}")
    say(f"{_number(report.faults, 'fault')}, {_number(len(report.findings) - report.faults, 'remark')}")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def show(
    data: Annotated[str, typer.Argument(help="NAME:FOLDER of a data set.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .png file.")],
    count: Annotated[int, typer.Option(min=1, help="How many images, spread evenly over the split.")] = 12,
    split: Annotated[str, typer.Option(help="Which part of the set; all: every case.")] = "train",
    augment: Annotated[bool, typer.Option("--augment", help="A crop of each, as training draws it.")] = False,
    recipe: Annotated[str, typer.Option(help="Whose augmentation: a shipped recipe's name, or a .toml file.")] = (
        "region-guided-vessels"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")] = False,
) -> None:
    """Draw a contact sheet: images with the outlines of their masks, each class in its colour.

    foveate data show drive:data/DRIVE -o sheet.png --count 8
    """
    if out.suffix.lower() != ".png":
        raise UsageError(f"--out {out}: name a file that ends in .png.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already. Choose another file, or --overwrite.")
    from foveate.datasets import open_set
    from foveate.imaging import write_rgb
    from foveate.imaging.sheet import contact_sheet, tile_of

    data_set = open_set(data)
    entries = data_set.split(split)
    shown = min(count, len(entries))
    chosen = [entries[index * len(entries) // shown] for index in range(shown)]
    title = f"{data_set.name}, {split}: {shown} of {len(entries)}"
    if augment:
        from foveate.recipes.read import read_recipe

        with needs("train"):
            from foveate.training.data.sampling import augmented_tiles
        plan = read_recipe(recipe)
        tiles, title = augmented_tiles(plan, data_set, chosen), f"{title}, augmented by {plan.name}"
    else:
        tiles = (tile_of(entry.load()) for entry in chosen)
    with _progress() as advance:
        sheet = contact_sheet(_counted(tiles, shown, advance), title, data_set.classes.names)
    write_rgb(sheet, out)
    say(f"Written: {out}")


def _counted(tiles: Iterable[Tile], total: int, advance: Callable[[int, int], None]) -> Iterator[Tile]:
    for done, tile in enumerate(tiles, start=1):
        yield tile
        advance(done, total)


def synth(
    count: Annotated[int, typer.Argument(min=1, help="Photographs to learn from, and as many others to test on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")],
) -> None:
    """Draw photographs with their true vessels as files, in the layout of DRIVE.

    foveate data synth 4 --out drawn/
    """
    from foveate.drawn.cases import write_synthetic_drive

    with _progress() as advance:
        write_synthetic_drive(count, out, advance)
    say(f"Drew {2 * count} photographs. Use them as drive:{out}")


def info(
    name: Annotated[
        str | None, typer.Argument(help="One of them: terms, where to get it, layout, split, classes.")
    ] = None,
) -> None:
    """List the data sets that can be read, or say of one where to get it and on what terms.

    foveate data info drive
    """
    from foveate.datasets import SETS, facts

    if name is None:
        width = max(map(len, SETS))
        for set_name in SETS:
            say(f"{set_name:<{width}}  {facts(set_name).title}")
        say("`foveate data info NAME` says where to get one. Nothing is ever downloaded.")
        return
    for label, text in asdict(facts(name)).items():
        say(f"{label:<9} {text}")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere; called with how many are done, of how many."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, transient=True, disable=not sys.stdout.isatty()) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
