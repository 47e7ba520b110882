"""`foveate demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from foveate.cli.console import say

SEEDS = (7, 13, 23)
"""Three eyes that look different: tone, side, light."""


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for photographs and results.")] = Path("demo"),
) -> None:
    """Draw three synthetic fundus photographs and segment them.

    foveate demo -o demo/
    """
    from foveate.cli.segment import segment
    from foveate.drawn import draw
    from foveate.imaging import write_mask, write_rgb

    photographs = []
    for seed in SEEDS:
        fundus = draw(seed)
        photograph = out / f"synthetic_{seed}.png"
        write_rgb(fundus.image, photograph)
        write_mask(fundus.mask, out / "truth" / photograph.name)
        photographs.append(str(photograph))
    say(
        f"Drew {len(SEEDS)} synthetic photographs into {out} (no real eyes; their true vessels are in {out / 'truth'})."
    )
    segment(list(map(str, photographs)), str(out), overlay=True, overwrite=True)
    say(f"Look at {out / f'synthetic_{SEEDS[0]}_overlay.png'}. Your own photograph: make demo IMAGE=photo.jpg")
