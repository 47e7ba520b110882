"""`foveate report`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from foveate.cli.console import say
from foveate.cli.extras import needs
from foveate.cli.options import (
    BOUNDARY,
    DATA,
    EMPTY,
    FOV,
    PREDICTIONS,
    SIZE,
    SPLIT,
    SUFFIX,
    THREADS,
    THRESHOLD,
    VESSELS,
    WEIGHTS,
)
from foveate.cli.predictors import Made, Theirs, of_folders, of_model
from foveate.cli.refinements import (
    FILL_HOLES,
    HYSTERESIS,
    LARGEST,
    MIN_SIZE,
    RECONNECT,
    TTA,
    need_models,
    procedure_of,
)
from foveate.cli.scoring import check, counting_of, measures_of, scored, size_of, way_of
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from foveate.datasets import DataSet
    from foveate.evaluation import Prediction, Report, Way
    from foveate.pictures import LearningCurve, Palette
    from foveate.pictures.figure import Form
    from foveate.records import Case
    from foveate.report import Part, Shown
    from foveate.report.counting import LabelCounts

PAGE, NUMBERS, PICTURES = "index.html", "report.json", "pictures"


def report(
    weights: WEIGHTS = None,
    data: DATA = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for index.html and report.json.")] = Path("report"),
    split: SPLIT = "test",
    predictions: PREDICTIONS = None,
    threshold: THRESHOLD = None,
    suffix: SUFFIX = "",
    fov: FOV = None,
    size: SIZE = "native",
    vessels: VESSELS = None,
    boundary: BOUNDARY = True,
    empty: EMPTY = "out",
    tta: TTA = "1",
    hysteresis: HYSTERESIS = None,
    reconnect: RECONNECT = 0,
    min_size: MIN_SIZE = 0,
    largest: LARGEST = False,
    fill_holes: FILL_HOLES = 0,
    colours: Annotated[
        Literal["safe", "paper"], typer.Option(help="safe: for every colour vision; paper: green, red, blue.")
    ] = "safe",
    pictures: Annotated[
        Literal["png", "svg", "pdf"] | None, typer.Option(help="Also write every picture as a file of its own.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a report that is there.")] = False,
    threads: THREADS = 0,
) -> None:
    """Evaluate models and write one HTML page: scores, curves, calibration, images with switchable layers, protocol.

    foveate report vessels --data drive:data/DRIVE -o report/
    """
    if not data or not (weights or predictions):
        raise UsageError("report needs WEIGHTS or --predictions FOLDER, and at least one --data NAME:FOLDER.")
    check_free(out, pictures=pictures is not None, overwrite=overwrite)
    resized_to = size_of(size)
    procedure = procedure_of(tta, hysteresis, reconnect, min_size, largest, fill_holes)
    need_models(weights, procedure)
    with needs("evaluate"):
        from foveate.datasets import open_set
        from foveate.evaluation import confidence, warning
        from foveate.evaluation.read import as_json
        from foveate.imaging import write_text
        from foveate.report import page
        from foveate.report.figures import learning
        from foveate.report.files import write_figures
    sets = [open_set(place) for place in data]
    theirs = Theirs(tuple(predictions or ()), threshold, suffix)
    models = [of_model(each, threads=threads, procedure=procedure) for each in weights or []]
    parts: list[Part] = []
    reports: list[Report] = []
    pairs = [(each, [*models, *of_folders(theirs, each)]) for each in sets]
    for data_set, made in pairs:
        check(made, data_set, split)
    for data_set, made in pairs:
        measures = measures_of(data_set, vessels=vessels, boundary=boundary)
        counting = counting_of(data_set, split, fov)
        ways = [way_of(each, measures, counting, size=resized_to, empty_is_one=empty == "one") for each in made]
        part = part_of(data_set, split, made, ways, colours, out / PICTURES, pictures)
        parts.append(part)
        reports += part.reports
    runs = learned(weights or [])
    if runs and pictures is not None:
        write_figures(out / PICTURES, "runs", [learning(runs)], pictures)
    write_text(page(parts, runs), out / PAGE)
    write_text(as_json(reports), out / NUMBERS)
    for each in reports:
        for line in (warning(each), *confidence(each)):
            if line:
                say(f"{each.model.name} on {each.data.set}: {line}")
    say(f"Written: {out / PAGE} and {out / NUMBERS}")


def check_free(out: Path, *, pictures: bool, overwrite: bool) -> None:
    """OutputError where a report is there already and is not to be replaced."""
    names = (PAGE, NUMBERS, PICTURES) if pictures else (PAGE, NUMBERS)
    there = [out / name for name in names if (out / name).exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]}: is there already. Choose another folder, or --overwrite.")


def learned(weights: Sequence[str]) -> list[LearningCurve]:
    """The learning curves of those weights that are the folders of runs."""
    from foveate.models import shipped
    from foveate.pictures import read_learning_curve
    from foveate.pictures.learning import LOG

    runs = [Path(each) for each in weights if each not in shipped()]
    return [read_learning_curve(run) for run in runs if (run / LOG).is_file()]


def part_of(
    data_set: DataSet,
    split: str,
    made: Sequence[Made],
    ways: Sequence[Way],
    palette: Palette,
    folder: Path,
    form: Form | None,
) -> Part:
    """One set's part of the page; with a form its pictures are written into the folder."""
    from dataclasses import replace

    from foveate.pictures import labels
    from foveate.report import Part, figures, viewer
    from foveate.report.counting import LabelCounts
    from foveate.report.files import write_figures, write_images

    reports: list[Report] = []
    matrices: list[LabelCounts] = []
    for each, way in zip(made, ways, strict=True):
        counts = LabelCounts(way.counting)
        predict = counting(each, counts) if data_set.classes.softmax else each.predict
        reports.append(scored(replace(each, predict=predict), data_set, split, way))
        matrices.append(counts)
    names, classes, viewers = labels(reports), data_set.classes.names, []
    name = f"{data_set.name}_{split}"
    for shown in shown_images(data_set, split, made, ways, reports):
        viewers.append(viewer(shown, names, classes, key=f"{name}-{shown.why}", palette=palette))
        if form is not None:
            write_images(folder, name, shown, reports, classes, palette)
    drawn = tuple(figures(reports, [counts.matrices for counts in matrices]))
    if form is not None:
        write_figures(folder, name, drawn, form)
    return Part(data_set.title, data_set.terms, data_set.citation, tuple(reports), tuple(viewers), drawn)


def counting(made: Made, counts: LabelCounts) -> Callable[[Case], Prediction]:
    """The predictor, which on the way counts how often which class is called which."""

    def predict(case: Case) -> Prediction:
        found = made.predict(case)
        counts.add(case, found)
        return found

    return predict


def shown_images(
    data_set: DataSet, split: str, made: Sequence[Made], ways: Sequence[Way], reports: Sequence[Report]
) -> Iterator[Shown]:
    """The best, median and worst image, read and predicted once more: only one is in memory at a time."""
    from foveate.evaluation.size import resized
    from foveate.report import Shown, chosen
    from foveate.report.images import image_f1

    entries = {entry.id: entry for entry in data_set.split(split)}
    for case_id, why in chosen(reports):
        case = entries[case_id].load()
        size = ways[0].size
        if size is not None:
            case = resized(case, size)
        found = [each.predict(case) for each in made]
        f1 = [image_f1(next(row.classes for row in report.images if row.id == case_id)) for report in reports]
        within, _ = ways[0].counting.within(case)
        masks = tuple(each.masks for each in found)
        yield Shown(case_id, why, tuple(f1), case.image, case.masks, within, masks)
