"""`foveate export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say


def export(
    run: Annotated[str, typer.Argument(help="Folder of a run, or a shipped model's name.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The .onnx file; its card.json is written beside it.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name in the card; by default that of the run's folder or the model's.")
    ] = None,
    hub_folder: Annotated[
        Path | None,
        typer.Option(help="In place of --out: a new folder for the Hugging Face hub; nothing is uploaded."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Write a run's best weights as one ONNX file with its card, or as a folder for the Hugging Face hub.

    foveate export runs/drive -o drive/model.onnx

    foveate export vessels -o ours/model.onnx

    foveate export vessels --hub-folder hub/vessels
    """
    from foveate.public.export import export as export_run

    exported = export_run(run, out, name=name, hub_folder=hub_folder, overwrite=overwrite)
    for (height, width), difference in exported.differences.items():
        say(f"{height}×{width}: ONNX Runtime differs from PyTorch by at most {difference:.1e}")
    file, card = exported.file, exported.card
    size = f"{file.stat().st_size / 1000:.0f} kB, {card.parameters} parameters"
    beside = file.parent / "card.json" if hub_folder is None else "what the hub needs beside it; nothing was uploaded"
    say(f"{file} ({size}) and {beside}")
