"""`foveate cross`."""

from __future__ import annotations

from typing import Annotated

import typer

from foveate.cli.console import say_case
from foveate.cli.options import FOV, SCOPE, SPLIT, THREADS
from foveate.cli.written import FORMAT, OUT, OVERWRITE, form_of, write


def cross(
    weights: Annotated[
        list[str], typer.Argument(help="A shipped model's name, a run's folder, or an .onnx file; or several.")
    ],
    data: Annotated[list[str], typer.Option(help="NAME:FOLDER of a data set; may be repeated.")],
    split: SPLIT = "test",
    measure: Annotated[str, typer.Option(help="What the cells are: a measure that can be pooled.")] = "f1",
    scope: SCOPE = "fov",
    fov: FOV = None,
    form: FORMAT = None,
    out: OUT = None,
    overwrite: OVERWRITE = False,
    threads: THREADS = 0,
) -> None:
    """Score every model on every set, whatever it was trained on; images that it has seen are marked.

    foveate cross vessels runs/mine --data drive:data/DRIVE --data stare:data/STARE
    """
    chosen = form_of(form, out, overwrite=overwrite)
    from foveate.public.cross import cross as cross_models

    matrices = cross_models(
        weights,
        data=data,
        split=split,
        measure=measure,
        scope=scope,
        fov=fov,
        threads=threads,
        on_case=say_case,
    )
    write(chosen, out, matrices)
