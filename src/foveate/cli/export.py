"""`foveate export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say
from foveate.cli.extras import quiet_mlflow


def export(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .onnx file; its card.json is written beside it.")],
    name: Annotated[str | None, typer.Option(help="Name in the card; by default that of the run's folder.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write a run's best weights as one ONNX file with its card.

    foveate export runs/drive -o drive/model.onnx
    """
    from foveate.public.export import export as export_run

    quiet_mlflow()
    exported = export_run(run, out, name=name, overwrite=overwrite)
    for (height, width), difference in exported.differences.items():
        say(f"{height}×{width}: ONNX Runtime differs from PyTorch by at most {difference:.1e}")
    card = exported.card
    say(f"{out} ({out.stat().st_size / 1000:.0f} kB, {card.parameters} parameters) and {out.parent / 'card.json'}")
