"""What can be evaluated: a model that looks at images, or a folder of masks that any tool made."""

from __future__ import annotations

import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.datasets import OWN
from foveate.errors import DataError, UsageError
from foveate.evaluation.predictions import PredictionFolder
from foveate.evaluation.protocol import ModelSummary, Threshold
from foveate.inference.procedure import SLICES_AT_ONE_SIZE, Procedure
from foveate.models.card import NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from foveate.arrays.fov import FovRule
    from foveate.datasets import DataSet
    from foveate.inference import Segmenter
    from foveate.models import ModelCard
    from foveate.models.card import TrainingData
    from foveate.records import Case, CaseEntry, Classes, Image, Masks, Probabilities
    from foveate.runtime import Execution


class Prediction(typing.Protocol):
    """What a predictor returns for one image, at the image's own height and width."""

    @property
    def probabilities(self) -> Probabilities | None:
        """K×H×W float32, 0 to 1; None where only masks are known."""

    @property
    def masks(self) -> Masks:
        """K×H×W bool."""


@dataclass(frozen=True, slots=True)
class SeenImages:
    """Which images a model has learnt from, and which chose its epoch and threshold."""

    training: frozenset[str] = frozenset()
    """Ids."""
    validation: frozenset[str] = frozenset()
    training_contents: frozenset[str] = frozenset()
    """`Case.content` of images, whatever set they were in."""
    validation_contents: frozenset[str] = frozenset()

    def among(self, images: Mapping[str, str]) -> tuple[int, int]:
        """How many of these images, id to content, are known from training, and how many others from validation."""
        learnt = {
            name for name, content in images.items() if name in self.training or content in self.training_contents
        }
        chose = {
            name for name, content in images.items() if name in self.validation or content in self.validation_contents
        }
        return len(learnt), len(chose - learnt)


@dataclass(frozen=True, slots=True)
class Predictor:
    """A function from image to prediction, with all that a result says of it."""

    predict: Callable[[Case], Prediction]
    model: ModelSummary
    threshold: Threshold | None
    """Where its probabilities become foreground; None for masks."""
    classes: Classes | None = None
    """What it tells apart; None for masks, which are of the data set's classes."""
    procedure: Procedure | None = field(default_factory=Procedure)
    """What is done beyond one pass; None for masks, of which nobody knows that."""
    post_processing: str = "none"
    """Of the procedure and the model's card, in words."""
    execution: Execution | None = None
    """What runs it, where, and how exactly; None for masks."""
    prepared_by: FovRule = "find"
    """How a model's input is found in an image."""
    source: str = ""
    """The model's file, or the folder, as it was named."""
    seen: tuple[TrainingData, ...] | None = None
    """What it has learnt from; None where nothing is known of that, as of masks."""

    def seen_of(self, data_set: str) -> SeenImages | None:
        """What it has seen, to be looked for in a set; None where that can't be told.

        This package's sets have ids that are theirs. In a folder of one's own any image may have any name: whether one
        of its images is in another set, or one of another set's in it, the contents alone tell.
        """
        if self.seen is None:
            return None
        if any(not part.contents_noted for part in self.seen if OWN in (part.set, data_set)):
            return None
        return self._seen([part for part in self.seen if part.set == data_set != OWN])

    def _seen(self, named: Sequence[TrainingData]) -> SeenImages:
        """All contents, and the ids of these parts."""
        seen = self.seen or ()
        learnt = {each for part in seen for each in part.training_contents or ()}
        chose = {each for part in seen for each in part.validation_contents or ()}
        return SeenImages(
            training=frozenset(each for part in named for each in part.training),
            validation=frozenset(each for part in named for each in part.validation),
            training_contents=frozenset(learnt - {""}),
            validation_contents=frozenset(chose - {""}),
        )

    def entries(self, data_set: DataSet, split: str) -> tuple[CaseEntry, ...]:
        """The cases of a split; 'validation' of a set that has no such split: those that chose the model's threshold.

        Raises UsageError for a split that there isn't.
        """
        if split == "validation" and self.seen and not any(entry.split == split for entry in data_set.entries):
            parts = [part for part in self.seen if part.set == data_set.name]
            ids = {each for part in parts for each in part.validation}
            chosen = tuple(entry for entry in data_set.entries if entry.id in ids)
            if data_set.name == OWN and all(part.contents_noted for part in parts):
                # Another folder may have the same names.
                contents = {each for part in parts for each in part.validation_contents or ()}
                chosen = tuple(entry for entry in chosen if entry.load().content in contents)
            if chosen:
                return chosen
        return part_of(data_set, split)


def part_of(data_set: DataSet, split: str) -> tuple[CaseEntry, ...]:
    """The cases of a split, or of 'all'. Raises UsageError for a split that there isn't."""
    there = dict.fromkeys(entry.split for entry in data_set.entries)
    if split != "all" and split not in there:
        parts = " and ".join(f"'{split_name}'" for split_name in there)
        raise UsageError(f"{data_set.name} has no part '{split}'; it has {parts}, and --split all takes every image.")
    return data_set.split(split)


def model_predictor(segmenter: Segmenter, name: str, *, source: str) -> Predictor:
    """A loaded model, under that name."""
    card = segmenter.card
    return Predictor(
        predict=lambda case: segmenter.segment(seen_by(segmenter, case)),
        model=ModelSummary(
            name=name,
            sha256=card.sha256,
            parameters=card.parameters,
            gmacs=gmacs_of(card),
            trained_on=tuple(entry.set for entry in card.training_data),
        ),
        threshold=Threshold(values=card.thresholds, origin=card.threshold_from),
        classes=card.told_apart,
        procedure=segmenter.procedure,
        post_processing=segmenter.procedure.steps_with(card),
        execution=segmenter.session.execution,
        prepared_by=card.preparation.fov,
        source=source,
        seen=card.training_data,
    )


def seen_by(segmenter: Segmenter, case: Case) -> Image:
    """The image as the model's card has it: of a slice itself, or itself between its neighbours.

    Raises DataError for a case that hasn't the channels which the card names, and for a slice whose size the procedure
    would choose.
    """
    if case.slice is not None and segmenter.procedure.surest_size:
        raise DataError(f"{case.id}: {SLICES_AT_ONE_SIZE}")
    card = segmenter.card
    neighbours = None if case.slice is None else case.slice.neighbours
    if card.sequences == NEIGHBOURS:
        if neighbours is None:
            raise DataError(f"{case.id}: {card.name} sees slices between their neighbours, of volumes of one file.")
        return neighbours
    if card.sequences and neighbours is not None:
        raise DataError(
            f"{case.id}: {card.name} sees {', '.join(card.sequences)}. Give a file for each: NAME_0000, NAME_0001 and"
            " NAME_0002 in images/."
        )
    return case.image


def folder_predictor(folder: Path, data_set: DataSet, threshold: float | None, suffix: str) -> Predictor:
    """The masks, or with a threshold the probability maps, in a folder. Raises UsageError for one that isn't there."""
    if not folder.is_dir():
        raise UsageError(f"--predictions {folder}: no such folder.")
    return Predictor(
        predict=PredictionFolder(folder, data_set.classes, threshold, suffix, labels=data_set.labels),
        model=ModelSummary(name=folder.resolve().name or str(folder)),
        threshold=None
        if threshold is None
        else Threshold(values=(threshold,) * len(data_set.classes.threshold_names), origin="the command line"),
        procedure=None,
        source=str(folder),
    )


def gmacs_of(card: ModelCard) -> float | None:
    """What its export counted, or for an older card the catalogue, for that network with these options; else None."""
    from foveate.networks.registry import NETWORKS
    from foveate.networks.registry.catalogue import catalogue

    if card.gmacs is not None or card.network not in NETWORKS:
        return card.gmacs
    facts = catalogue()[card.network]
    default = {option.name: option.default for option in facts.options}
    given = default | {name: tuple(value) if isinstance(value, list) else value for name, value in card.options.items()}
    variants = {"": {}, **NETWORKS[card.network].variants}
    same = [name for name, options in variants.items() if default | dict(options) == given]
    return facts.counts[same[0]].gmacs if same else None
