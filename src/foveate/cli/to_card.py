"""What an evaluation tells the card beside the model that it was of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import structs

from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.cli.predictors import Made
    from foveate.evaluation import Report
    from foveate.models import ModelCard, Trust

SCOPES: tuple[Literal["fov"], Literal["image"]] = ("fov", "image")


def write_to_card(made: Made, reports: Sequence[Report], command: str) -> Path:
    """Write the pooled scores of every report in place of older ones of the same kind; of validation images write
    instead how far expected F1 lies from the true one. Raises UsageError for several classes."""
    from foveate.imaging import write_text
    from foveate.models.card import CARD

    card = made.card
    if card is None or len(card.classes) > 1:
        raise UsageError("--to-card: a card's scores are those of a model of a single class.")
    if {report.data.split for report in reports} == {"validation"}:
        changed = structs.replace(card, trust=_trust(reports, command))
    else:
        changed = _with_scores(card, reports, command)
    path = Path(made.source).parent / CARD
    write_text(changed.to_json(), path)
    return path


def _with_scores(card: ModelCard, reports: Sequence[Report], command: str) -> ModelCard:
    from foveate.models import Score

    scores = {(score.set, score.split, score.scope): score for score in card.scores}
    for report in reports:
        (scopes,), data = report.classes.values(), report.data
        for name in SCOPES:
            values = getattr(scopes, name).pooled.values
            scores[data.set, data.split, name] = Score(
                set=data.set,
                split=data.split,
                images=data.count,
                scope=name,
                command=command,
                **{key: values[key] for key in ("f1", "sensitivity", "specificity", "roc_auc")},
            )
    return structs.replace(card, scores=tuple(scores.values()))


def _trust(reports: Sequence[Report], command: str) -> Trust:
    """By all images together, whatever set they are of."""
    from foveate.metrics.confidence import ExpectedDice, fit_correction
    from foveate.models import Trust

    rows = [next(iter(row.classes.values())).fov.values for report in reports for row in report.images]
    pairs = [(row["expected_f1"], row["f1"]) for row in rows]
    known = [(expected, true) for expected, true in pairs if expected is not None and true is not None]
    if len(known) < 2:
        raise UsageError("--to-card --split validation: takes two validation images at least, with something in them.")
    # Independent pixels' own scatter is left out here: it is a hundredth of what images differ by.
    found = fit_correction([ExpectedDice(expected, 0.0) for expected, _ in known], [true for _, true in known])
    return Trust(shift=found.shift, margin=found.margin, images=len(known), command=command)
