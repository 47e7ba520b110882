"""`foveate attention`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say


def attention(
    weights: Annotated[str, typer.Argument(help="A run's folder, whose best weights are taken, or a shipped model.")],
    photograph: Annotated[Path, typer.Argument(help="One image.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write: .png, .svg or .pdf.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")] = False,
) -> None:
    """Draw a network's attention maps over a photograph, all of them on one sheet.

    foveate attention runs/drive photo.jpg -o attention.png
    """
    from foveate.public.attention import attention as attention_in

    seen = attention_in(weights, photograph, out, overwrite=overwrite)
    say(f"Written: {out} ({', '.join(seen.maps)})")
