"""`foveate compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.extras import needs
from foveate.cli.options import DATA, FOV, PREDICTIONS, SCOPE, SPLIT, SUFFIX, THREADS, THRESHOLD
from foveate.cli.predictors import Made, Theirs, of_folders, of_model
from foveate.cli.scoring import check, counting_of, scored, way_of
from foveate.cli.written import FORMAT, OUT, OVERWRITE, form_of, write
from foveate.errors import UsageError, unknown

if TYPE_CHECKING:
    from foveate.datasets import DataSet
    from foveate.evaluation import Counting, FovSource, Report
    from foveate.evaluation.compare import Comparison
    from foveate.evaluation.measures import Group

Named = list[tuple[str, "Report"]]
"""Models' names, each with a report."""


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
    files = [Path(each) for each in models or [] if each.endswith(".json")]
    weights = [each for each in models or [] if not each.endswith(".json")]
    if not (files or weights or predictions):
        raise UsageError("compare needs models, .json files by `foveate evaluate --json`, or --predictions FOLDER.")
    if (weights or predictions) and not data:
        raise UsageError("compare needs at least one --data NAME:FOLDER to score models on.")
    if fov is not None and not data:
        raise UsageError("--fov is for what is scored now, on --data; .json files were counted when they were made.")
    with needs("evaluate"):
        from foveate.evaluation.compare import MEASURES
        from foveate.evaluation.layout import comparison_csv, comparison_grid
        from foveate.evaluation.read import read_reports
    measures = known_measures(measure) if measure else MEASURES
    read = [(file, read_reports(file)) for file in files]
    if data:
        theirs = Theirs(tuple(predictions or ()), threshold, suffix)
        parts = fresh(models or [], theirs, data, split, measures, fov, dict(read), threads)
    else:
        parts = by_set(read)
    with needs("evaluate"):
        comparisons = [each for part in parts for each in compared(part, measures, scope, published=published)]
    write(
        chosen,
        out,
        grids=[comparison_grid(each) for each in comparisons],
        comma_separated=lambda: comparison_csv(comparisons),
        records=comparisons,
        key="comparisons",
    )


def known_measures(names: Sequence[str]) -> tuple[str, ...]:
    """The measures' own names, each checked; dice and jaccard are f1 and iou. Raises UsageError."""
    from foveate.evaluation.measures import ALSO_CALLED, MEASURES

    names = [ALSO_CALLED.get(name.lower(), name) for name in names]
    for name in names:
        if name not in MEASURES:
            raise UsageError(unknown("measure", name, MEASURES))
    return tuple(dict.fromkeys(names))


def groups_of(measures: Sequence[str], data_set: DataSet) -> tuple[Group, ...]:
    """The groups that a set's models must be measured by; vessels' only where the set's classes are vessels."""
    from foveate.cli.predictors import of_vessels
    from foveate.evaluation.measures import MEASURES

    wanted = {MEASURES[name].group for name in measures}
    if not of_vessels(data_set):
        wanted.discard("vessels")
    groups: tuple[Group, ...] = ("mask", "probability", "vessels", "boundary")
    return tuple(group for group in groups if group in wanted | {"mask"})


def fresh(
    models: Sequence[str],
    theirs: Theirs,
    data: Sequence[str],
    split: str,
    measures: Sequence[str],
    fov: FovSource | None,
    read: dict[Path, list[Report]],
    threads: int,
) -> list[Named]:
    """For each data set every model's report, in the order given: measured now, or from its file."""
    from foveate.datasets import open_set
    from foveate.inference.procedure import Procedure

    sets = [open_set(place) for place in data]
    loaded: dict[str, Made] = {
        each: of_model(each, threads=threads, procedure=Procedure()) for each in models if not each.endswith(".json")
    }
    folders = [of_folders(theirs, each) for each in sets]
    for data_set, made in zip(sets, folders, strict=True):
        check([*loaded.values(), *made], data_set, split)
    parts = []
    for data_set, made in zip(sets, folders, strict=True):
        groups, counting = groups_of(measures, data_set), counting_of(data_set, split, fov)
        found: Named = []
        for each in models:
            if each in loaded:
                found.append((loaded[each].model.name, measured(loaded[each], data_set, split, groups, counting)))
            else:
                report = report_on(read[Path(each)], Path(each), data_set.name, split)
                found.append((report.model.name, report))
        found += [(each.model.name, measured(each, data_set, split, groups, counting)) for each in made]
        parts.append(told_apart(found, [*models, *map(str, theirs.folders)]))
    return parts


def measured(made: Made, data_set: DataSet, split: str, groups: tuple[Group, ...], counting: Counting) -> Report:
    """One model's report with the given groups of measures."""
    return scored(made, data_set, split, way_of(made, groups, counting))


def report_on(reports: Sequence[Report], file: Path, data_set: str, split: str) -> Report:
    """The report on that set and split. Raises UsageError for a file without one."""
    for report in reports:
        if (report.data.set, report.data.split) == (data_set, split):
            return report
    there = ", ".join(f"{report.data.set} {report.data.split}" for report in reports)
    raise UsageError(f"{file}: has no result on {data_set} {split}; it has {there}.")


def by_set(read: Sequence[tuple[Path, list[Report]]]) -> list[Named]:
    """For each set and split of the first file, what every file has on it; several models of one file come singly."""
    places = dict.fromkeys((report.data.set, report.data.split) for _, reports in read for report in reports)
    parts = []
    for place in places:
        found: Named = []
        sources = []
        for file, reports in read:
            on_it = [report for report in reports if (report.data.set, report.data.split) == place]
            for report in on_it or [report_on(reports, file, *place)]:
                found.append((report.model.name, report))
                sources.append(str(file))
        parts.append(told_apart(found, sources))
    return parts


def told_apart(found: Named, sources: Sequence[str]) -> Named:
    """The same with names that differ: where two have one name, with where each comes from."""
    names = [name for name, _ in found]
    longer = [
        f"{name} ({source})" if names.count(name) > 1 and name != source else name
        for name, source in zip(names, sources, strict=True)
    ]
    if len(set(longer)) < len(longer):
        twice = next(name for name in longer if longer.count(name) > 1)
        raise UsageError(f"{twice}: is given twice.")
    return [(name, report) for name, (_, report) in zip(longer, found, strict=True)]


def compared(
    part: Named, measures: Sequence[str], scope: Literal["fov", "image"], *, published: bool
) -> list[Comparison]:
    """One comparison for each class; a measure that no model has is left out of it."""
    from foveate.evaluation.compare import compare as compare_reports
    from foveate.published import rows

    reports = dict(part)
    found = []
    for name in part[0][1].classes:
        scopes = [getattr(report.classes[name], scope) for report in reports.values() if name in report.classes]
        known = [m for m in measures if any(m in each.per_image.mean for each in scopes)]
        if not known:
            raise UsageError(f"none of the models has {', '.join(measures)}: evaluate them again with it.")
        found.append(compare_reports(reports, name, scope=scope, measures=known, published=rows() if published else ()))
    return found
