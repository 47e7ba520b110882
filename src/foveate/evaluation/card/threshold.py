"""The threshold of a card, chosen on validation images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from foveate.evaluation.card.scores import check_card
from foveate.evaluation.predictor import seen_by
from foveate.metrics.curves import Histogram
from foveate.metrics.threshold import best_thresholds
from foveate.models.card import TrainingData, chosen_on

if TYPE_CHECKING:
    from foveate.datasets import DataSet
    from foveate.evaluation.evaluate import OnCase
    from foveate.inference import Segmenter
    from foveate.models import ModelCard
    from foveate.records import CaseEntry


def with_threshold_for(
    segmenter: Segmenter, parts: Sequence[tuple[DataSet, Sequence[CaseEntry]]], *, on_case: OnCase | None = None
) -> Segmenter:
    """The model with the threshold in its card that suits these images of these sets.

    It is the one with the highest F1 of a set's pixels together, inside the FOV, at the images' own size; of several
    sets, in the mean. Folders of one name are one set, as in the card. The card then says which images chose it, and
    what they score at it in place of those that chose before. Scores of other images were those of another threshold,
    and go. `on_case` is called after each image with its id, the number done and their total.

    Raises UsageError for several classes, and for post-processing that the threshold doesn't go with; DataError where
    the masks are empty.
    """
    card = segmenter.card
    check_card(card)
    histograms = {data_set.name: Histogram() for data_set, _ in parts}
    contents: dict[str, dict[str, str]] = {data_set.name: {} for data_set, _ in parts}
    done, total = 0, sum(len(entries) for _, entries in parts)
    for data_set, entries in parts:
        for case in (entry.load() for entry in entries):
            contents[data_set.name][case.id] = case.content
            found = segmenter.segment(seen_by(segmenter, case))
            inside = found.fov if case.fov is None else case.fov
            histograms[data_set.name].add(found.probabilities[0], case.masks[0], inside)
            done += 1
            if on_case is not None:
                on_case(case.id, done, total)
    thresholds, scores = best_thresholds([[histogram] for histogram in histograms.values()], card.told_apart)
    f1 = {name: row[0] for name, row in zip(histograms, scores, strict=True) if row[0] is not None}
    chosen = structs.replace(
        card,
        thresholds=thresholds,
        threshold_from=chosen_on(histograms),
        training_data=_with_choosers(card, [data_set for data_set, _ in parts], contents),
        validation_f1=f1,
        scores=(),
    )
    return replace(segmenter, card=chosen)


def _with_choosers(
    card: ModelCard, data: Sequence[DataSet], contents: Mapping[str, Mapping[str, str]]
) -> tuple[TrainingData, ...]:
    """What the card has seen, and these images of each set as such that chose; one that was learnt from stays that."""
    seen = {data.set: data for data in card.training_data}
    for data_set in data:
        fresh = TrainingData(
            set=data_set.name,
            title=data_set.title,
            terms=data_set.terms,
            citation=data_set.citation,
            training=(),
            validation=(),
            training_contents=(),
            validation_contents=(),
        )
        before = seen.get(data_set.name, fresh)
        choosers, by_content = contents[data_set.name], before.validation_contents
        if by_content is not None:
            by_content = _others((*by_content, *choosers.values()), before.training_contents or ())
        seen[data_set.name] = structs.replace(
            before,
            validation=_others((*before.validation, *choosers), before.training),
            validation_contents=by_content,
        )
    return tuple(seen.values())


def _others(every: Sequence[str], learnt: Sequence[str]) -> tuple[str, ...]:
    """Each once, but for what was learnt from."""
    return tuple(each for each in dict.fromkeys(every) if each not in learnt)
