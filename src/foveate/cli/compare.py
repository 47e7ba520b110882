"""`foveate compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from foveate.cli.console import say_case
from foveate.cli.options import DATA, FOV, PREDICTIONS, SCOPE, SPLIT, SUFFIX, THREADS, THRESHOLD
from foveate.cli.written import FORMAT, OUT, OVERWRITE, form_of, write


def compare(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Shipped names, runs' folders, .onnx files, or .json files by `foveate evaluate --json`."),
    ] = None,
    data: DATA = None,
    split: SPLIT = "test",
    predictions: PREDICTIONS = None,
    threshold: THRESHOLD = None,
    suffix: SUFFIX = "",
    measure: Annotated[
        list[str] | None, typer.Option(help="A measure of `foveate evaluate`, such as f1 (or dice); may be repeated.")
    ] = None,
    scope: SCOPE = "fov",
    fov: FOV = None,
    published: Annotated[
        bool, typer.Option("--published/--no-published", help="With what papers printed of the set.")
    ] = True,
    form: FORMAT = None,
    out: OUT = None,
    overwrite: OVERWRITE = False,
    threads: THREADS = 0,
) -> None:
    """Compare models on the same images: scores, paired tests against the first, cost, and published rows.

    foveate compare vessels runs/mine --data drive:data/DRIVE -o drive.md
    """
    chosen = form_of(form, out, overwrite=overwrite)
    from foveate.public.compare import compare as compare_models

    comparisons = compare_models(
        models or (),
        data=data or (),
        split=split,
        predictions=predictions or (),
        threshold=threshold,
        suffix=suffix,
        measure=measure or (),
        scope=scope,
        fov=fov,
        published=published,
        threads=threads,
        on_case=say_case,
    )
    write(chosen, out, comparisons)
