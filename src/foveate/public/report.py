"""`foveate.report`: an evaluation as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foveate.errors import OutputError, UsageError, needs
from foveate.public.evaluate import rule_maker
from foveate.public.scoring import PredictionFiles, models_of, one_or_more, procedure_for, sets_to_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.evaluation import EvaluationResult, FovSource, OnCase
    from foveate.pictures import LearningCurve
    from foveate.public.scoring import Place

PAGE, NUMBERS, PICTURES = "index.html", "report.json", "pictures"
"""What lies in the folder."""


def report(
    weights: Place | Sequence[Place] = (),
    *,
    data: str | Sequence[str],
    out: Place = "report",
    split: str = "test",
    predictions: Place | Sequence[Place] = (),
    threshold: float | None = None,
    suffix: str = "",
    fov: FovSource | None = None,
    size: str = "native",
    vessels: bool | None = None,
    boundary: bool = True,
    empty: Literal["out", "one"] = "out",
    leave_out: str | Sequence[str] = (),
    tta: Literal[1, 2, 4, 8] = 1,
    hysteresis: float | None = None,
    reconnect: int = 0,
    min_size: int | None = None,
    largest: bool = False,
    fill_holes: int = 0,
    surest_size: bool = False,
    colours: Literal["safe", "paper"] = "safe",
    pictures: Literal["png", "svg", "pdf"] | None = None,
    overwrite: bool = False,
    threads: int = 0,
    on_case: OnCase | None = None,
) -> list[EvaluationResult]:
    """Evaluate as `foveate.evaluate` does, and write `index.html` and `report.json` into the folder `out`.

    The options are those of `foveate report` and do what docs/pictures.md says; with `pictures` every picture is also
    written as a file of its own, into `out/pictures`. Returns the results. Raises as `foveate.evaluate` does, and
    `foveate.errors.OutputError` where there is a report already, unless `overwrite`, or nothing can be written.
    """
    from foveate.runtime import Wish

    chosen, sets, folder = one_or_more(weights), one_or_more(data), Path(out)
    files = PredictionFiles(tuple(map(Path, one_or_more(predictions))), threshold, suffix)
    if not sets or not (chosen or files.folders):
        raise UsageError("report needs WEIGHTS or --predictions FOLDER, and at least one --data NAME:FOLDER.")
    _check_free(folder, pictures=pictures is not None, overwrite=overwrite)
    with needs("evaluate", "a report"):
        from foveate.evaluation.result import as_json
        from foveate.imaging import write_text
        from foveate.reports import page
        from foveate.reports.figures import learning
        from foveate.reports.files import write_figures
        from foveate.reports.section import section_of

    rule = rule_maker(split, fov, size, vessels=vessels, boundary=boundary, empty=empty, leave_out=leave_out)
    procedure = procedure_for(chosen, tta, hysteresis, reconnect, min_size, largest, fill_holes, surest_size)
    models = models_of(chosen, Wish(threads=threads), procedure)
    with needs("evaluate", "a report"):
        sections = [
            section_of(part.data_set, split, part.predictors, part.rule, on_case, colours, folder / PICTURES, pictures)
            for part in sets_to_score(sets, split, models, files, rule)
        ]
    runs = _learned(chosen)
    if runs and pictures is not None:
        write_figures(folder / PICTURES, "runs", [learning(runs)], pictures)
    results = [result for section in sections for result in section.results]
    write_text(page(sections, runs), folder / PAGE)
    write_text(as_json(results), folder / NUMBERS)
    return results


def _check_free(out: Path, *, pictures: bool, overwrite: bool) -> None:
    """OutputError where a report is there already and is not to be replaced."""
    names = (PAGE, NUMBERS, PICTURES) if pictures else (PAGE, NUMBERS)
    there = [out / name for name in names if (out / name).exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]}: is there already. Choose another folder, or --overwrite.")


def _learned(weights: Sequence[str]) -> list[LearningCurve]:
    """The learning curves of those weights that are the folders of runs."""
    from foveate.models import shipped
    from foveate.pictures import read_learning_curve
    from foveate.pictures.learning import LOG

    runs = [Path(place) for place in weights if place not in shipped()]
    return [read_learning_curve(run) for run in runs if (run / LOG).is_file()]
