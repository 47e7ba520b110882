"""`foveate export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say
from foveate.errors import UsageError


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .onnx file; its card.json is written beside it.")],
    name: Annotated[str | None, typer.Option(help="Name in the card; by default that of the run's folder.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write a run's best weights as one ONNX file with its card.

    foveate export runs/drive -o drive/model.onnx
    """
    if out.suffix != ".onnx":
        raise UsageError(f"--out {out}: name a file that ends in .onnx.")
    from foveate.cli.extras import needs_torch

    with needs_torch():
        from foveate.training.after.export import export as export_run
    exported = export_run(run, out, name=name, overwrite=overwrite)
    for (height, width), difference in exported.differences.items():
        say(f"{height}×{width}: ONNX Runtime differs from PyTorch by at most {difference:.1e}")
    card = exported.card
    say(f"{out} ({out.stat().st_size / 1000:.0f} kB, {card.parameters} parameters) and {out.parent / 'card.json'}")
