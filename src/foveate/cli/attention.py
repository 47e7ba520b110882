"""`foveate attention`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from foveate.cli.console import say
from foveate.cli.extras import needs, needs_torch
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.pictures.figure import PictureForm

FORMS = ("png", "svg", "pdf")


def attention(
    weights: Annotated[str, typer.Argument(help="A run's folder, whose best weights are taken, or a shipped model.")],
    photograph: Annotated[Path, typer.Argument(help="One image.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write: .png, .svg or .pdf.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace that file if it is there.")] = False,
) -> None:
    """Draw a network's attention maps over a photograph, all of them on one sheet.

    foveate attention runs/drive photo.jpg -o attention.png
    """
    form = out.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise UsageError(f"--out {out}: name a file that ends in .png, .svg or .pdf.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out}: is there already. Choose another file, or --overwrite.")
    with needs_torch():
        from foveate.training.attention import attention_of
    with needs("evaluate"):
        from foveate.pictures import attention_sheet, encoded
    from foveate.imaging import read_photograph, write_bytes

    read = read_photograph(photograph)
    found = attention_of(weights, read.pixels)
    names = ", ".join(found.maps)
    title = f"Attention of {Path(weights).name} ({found.network}) in {photograph.name}"
    note = (
        f"One forward pass; inside the field of view that the model works in; {len(found.maps)} maps of weights,"
        " 0 to 1, enlarged to the photograph; each in the colours of its own range, 1st to 99th percentile."
        " A map shows what is weighed, not why. For research, not a medical device."
    )
    sheet = attention_sheet(read.pixels, found.maps, title, note)
    write_bytes(encoded(sheet, cast("PictureForm", form)), out)
    say(f"Written: {out} ({names})")
