"""`foveate page`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say


def page(
    out: Annotated[Path, typer.Option("--out", "-o", help="The .html file.")],
    model: Annotated[str, typer.Option(help="A shipped model's name, a run's folder, or an .onnx file.")] = "vessels",
    runtime: Annotated[
        Path | None, typer.Option(help="Archive of ONNX Runtime Web (`npm pack`); without it npm is asked for it.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write one HTML file that segments photographs in the browser that opens it, without a server.

    foveate page -o vessels.html
    """
    from foveate.public.page import page as write_page

    file = write_page(out, model=model, runtime=runtime, overwrite=overwrite)
    say(f"{file} ({file.stat().st_size / 1e6:.1f} MB): open it in a browser. Photographs stay in it.")
