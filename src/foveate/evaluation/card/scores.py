"""What an evaluation tells the card beside the model that it was of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from foveate.errors import UsageError
from foveate.imaging import write_text
from foveate.metrics.confidence import F1Estimate, fit_correction
from foveate.models import Score, Trust, open_model
from foveate.models.card import CARD
from foveate.records import SCOPES

if TYPE_CHECKING:
    from foveate.evaluation.result import EvaluationResult
    from foveate.models import ModelCard


def check_card(card: ModelCard) -> None:
    """Raise UsageError for a model of several classes."""
    if len(card.classes) > 1:
        raise UsageError("--to-card: a card's scores are those of a model of a single class.")


def write_to_card(
    model: Path, results: Sequence[EvaluationResult], command: str, *, fitted: ModelCard | None = None
) -> Path:
    """Write the pooled scores of every result in place of older ones of the same kind into the card beside a model's
    file; of validation images write instead how far expected F1 lies from the true one.

    `fitted` is the card with what validation images chose beside that. Raises UsageError for several classes.
    """
    card = open_model(model).card if fitted is None else fitted
    check_card(card)
    if {result.data.split for result in results} == {"validation"}:
        changed = structs.replace(card, trust=_trust(results, command))
    else:
        changed = _with_scores(card, results, command)
    path = model.parent / CARD
    write_text(changed.to_json(), path)
    return path


def _with_scores(card: ModelCard, results: Sequence[EvaluationResult], command: str) -> ModelCard:
    scores = {(score.set, score.split, score.scope): score for score in card.scores}
    for result in results:
        (by_scope,), data = result.classes.values(), result.data
        for scope in SCOPES:
            if scope == "fov" and result.protocol.counts_everything:
                scores.pop((data.set, data.split, scope), None)
                continue
            values = getattr(by_scope, scope).pooled.values
            scores[data.set, data.split, scope] = Score(
                set=data.set,
                split=data.split,
                images=data.count,
                scope=scope,
                command=command,
                **{key: values[key] for key in ("f1", "sensitivity", "specificity", "roc_auc")},
            )
    return structs.replace(card, scores=tuple(scores.values()))


def _trust(results: Sequence[EvaluationResult], command: str) -> Trust:
    """By all images together, whatever set they are of."""
    rows = [next(iter(image.classes.values())).fov.values for result in results for image in result.images]
    pairs = [(row["expected_f1"], row["f1"]) for row in rows]
    known = [(expected, true) for expected, true in pairs if expected is not None and true is not None]
    if len(known) < 2:
        raise UsageError("--to-card --split validation: takes two validation images at least, with something in them.")
    # Independent pixels' own scatter is left out here: it is a hundredth of what images differ by.
    correction = fit_correction([F1Estimate(expected, 0.0) for expected, _ in known], [true for _, true in known])
    return Trust(shift=correction.shift, margin=correction.margin, images=len(known), command=command)
