"""`foveate cross`."""

from __future__ import annotations

from typing import Annotated

import typer

from foveate.cli.compare import groups_of, known_measures, measured, told_apart
from foveate.cli.extras import needs
from foveate.cli.options import FOV, SCOPE, SPLIT, THREADS
from foveate.cli.predictors import of_model
from foveate.cli.scoring import check, counting_of
from foveate.cli.written import FORMAT, OUT, OVERWRITE, form_of, write
from foveate.errors import UsageError


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
    (measure,) = known_measures([measure])
    with needs("evaluate"):
        from foveate.datasets import open_set
        from foveate.evaluation.cross import cross as cross_reports
        from foveate.evaluation.layout import cross_csv, cross_grid
        from foveate.evaluation.measures import MEASURES
        from foveate.inference.procedure import Procedure
    if not MEASURES[measure].pooled:
        raise UsageError(f"--measure {measure}: has no value for all images together. Choose one that has, such as f1.")
    sets = [open_set(place) for place in data]
    titles = [
        each.name if [s.name for s in sets].count(each.name) == 1 else f"{each.name}:{each.root}" for each in sets
    ]
    models = [of_model(each, threads=threads, procedure=Procedure()) for each in weights]
    for data_set in sets:
        check(models, data_set, split)
    parts = []
    for data_set in sets:
        groups = groups_of([measure], data_set)
        if MEASURES[measure].group not in groups:
            raise UsageError(f"--measure {measure}: is one of vessels, which {data_set.name} has none of.")
        counting = counting_of(data_set, split, fov)
        found = [(made.model.name, measured(made, data_set, split, groups, counting)) for made in models]
        parts.append(told_apart(found, weights))
    classes = parts[0][0][1].classes
    if any(list(report.classes) != list(classes) for part in parts for _, report in part):
        raise UsageError("the sets have different classes; a matrix needs sets of the same.")
    by_model = [
        (name, [(title, part[number][1]) for title, part in zip(titles, parts, strict=True)])
        for number, (name, _) in enumerate(parts[0])
    ]
    matrices = [cross_reports(by_model, name, measure=measure, scope=scope) for name in classes]
    write(
        chosen,
        out,
        grids=[cross_grid(each) for each in matrices],
        comma_separated=lambda: cross_csv(matrices),
        records=matrices,
        key="matrices",
    )
