"""A small page of two models on two drawn photographs."""

from collections.abc import Sequence

import numpy as np

from foveate.pictures import LearningCurve, labels
from foveate.records import Classes
from foveate.reports import SetSection, ShownImage, chosen, figures, page, viewer
from foveate.reports.images import image_f1
from known_reports import VESSEL, case, case_of_halves, guesser, report_of

SEEDS = (1, 2)


def shown_of(case_id: str, why: str, *, classes: Classes = VESSEL) -> ShownImage:
    """An image with what both predictors made of it."""
    make = case if classes is VESSEL else case_of_halves
    of = make(int(case_id.removeprefix("drawn_")))
    assert of.fov is not None
    rows = [next(row for row in report.images if row.id == of.id) for report in reports(classes=classes)]
    predictions = tuple(guesser(seed)(of).masks for seed in SEEDS)
    return ShownImage(of.id, why, tuple(image_f1(row.classes) for row in rows), of.image, of.masks, of.fov, predictions)


def reports(names: Sequence[str] = ("one", "two"), *, classes: Classes = VESSEL) -> list:  # type: ignore[type-arg]
    return [report_of(name, seed, classes=classes) for name, seed in zip(names, SEEDS, strict=True)]


def small_page(
    *,
    names: Sequence[str] = ("one", "two"),
    classes: Classes = VESSEL,
    terms: str = "For tests.",
    title: str = "Drawn",
) -> str:
    """The whole page."""
    found = reports(names, classes=classes)
    viewers = [
        viewer(shown_of(case_id, why, classes=classes), labels(found), classes.names, key=why, palette="safe")
        for case_id, why in chosen(found)
    ]
    empty: list[dict[str, np.ndarray]] = [{}, {}]
    part = SetSection(title, terms, "Nobody, 2020.", tuple(found), tuple(viewers), tuple(figures(found, empty)))
    run = LearningCurve(names[0], (1, 2), (0.9, 0.5), (0.8, 0.6), (0.4, 0.7), best=1)
    return page([part], [run])
