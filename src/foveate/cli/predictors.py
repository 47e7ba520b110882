"""What can be evaluated: a model that looks at images, or a folder of masks that any tool made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from foveate.datasets import DataSet
    from foveate.evaluation import ModelSummary, Prediction, Seen, Threshold
    from foveate.inference.refinement import Refinement
    from foveate.models import ModelCard
    from foveate.records import Case, CaseEntry, Classes


@dataclass(frozen=True, slots=True)
class Made:
    """A predictor with all that a report says of it."""

    predict: Callable[[Case], Prediction]
    model: ModelSummary
    threshold: Threshold | None
    classes: Classes | None
    """What it tells apart; None for masks, which are of the data set's classes."""
    passes: str
    post_processing: str
    fov_for_preparing: str
    source: str
    """The model's file, or the folder."""
    card: ModelCard | None = None

    def seen(self, data_set: DataSet) -> Seen | None:
        """Which of the set's images the model knows, by its card; None for masks."""
        from foveate.evaluation import Seen

        if self.card is None:
            return None
        told = [each for each in self.card.training_data if each.set == data_set.name]
        return Seen(
            training=frozenset(case_id for each in told for case_id in each.training),
            validation=frozenset(case_id for each in told for case_id in each.validation),
        )

    def entries(self, data_set: DataSet, split: str) -> tuple[CaseEntry, ...]:
        """The cases of a split; 'validation' of a set that has no such split: those that chose the model's threshold.

        Raises UsageError for a split that there isn't.
        """
        seen = self.seen(data_set)
        if split == "validation" and seen and not any(entry.split == split for entry in data_set.entries):
            chosen = tuple(entry for entry in data_set.entries if entry.id in seen.validation)
            if chosen:
                return chosen
        return part_of(data_set, split)


def part_of(data_set: DataSet, split: str) -> tuple[CaseEntry, ...]:
    """The cases of a split, or of 'all'. Raises UsageError for a split that there isn't."""
    there = dict.fromkeys(entry.split for entry in data_set.entries)
    if split != "all" and split not in there:
        parts = " and ".join(f"'{each}'" for each in there)
        raise UsageError(f"{data_set.name} has no part '{split}'; it has {parts}, and --split all takes every image.")
    return data_set.split(split)


def of_model(weights: str, *, threads: int, refinement: Refinement) -> Made:
    """A shipped model, a run's best weights, or an .onnx file."""
    from foveate import opened_model
    from foveate.evaluation import ModelSummary, Threshold
    from foveate.evaluation.protocol import SEEN_WHOLE
    from foveate.inference import Segmenter
    from foveate.models import shipped

    segmenter = Segmenter.of(opened_model(weights), threads=threads, refinement=refinement)
    card = segmenter.card
    return Made(
        predict=lambda case: segmenter.segment(case.image),
        model=ModelSummary(
            name=Path(weights).resolve().name if weights not in shipped() and Path(weights).is_dir() else card.name,
            sha256=card.sha256,
            parameters=card.parameters,
            gmacs=gmacs_of(card),
            trained_on=tuple(each.set for each in card.training_data),
        ),
        threshold=Threshold(values=card.thresholds, origin=card.threshold_from),
        classes=card.told_apart,
        passes=refinement.passes,
        post_processing=refinement.steps,
        fov_for_preparing="estimated from the photograph" if card.fov == "find" else SEEN_WHOLE,
        source=weights,
        card=card,
    )


@dataclass(frozen=True, slots=True)
class Theirs:
    """Masks that other tools made: what is said of --predictions."""

    folders: tuple[Path, ...]
    threshold: float | None
    """Where they are maps of probabilities."""
    suffix: str
    """What their names end in."""


def of_folders(theirs: Theirs, data_set: DataSet) -> list[Made]:
    """The masks, or with a threshold the probability maps, in each folder. Raises UsageError for one that isn't."""
    if theirs.threshold is not None and not theirs.folders:
        raise UsageError("--threshold is for --predictions; that of a model is in its card.")
    if theirs.suffix and not theirs.folders:
        raise UsageError("--suffix is for --predictions: it is what the names of their files end in.")
    return [_of_folder(folder, data_set, theirs.threshold, theirs.suffix) for folder in theirs.folders]


def _of_folder(folder: Path, data_set: DataSet, threshold: float | None, suffix: str) -> Made:
    from foveate.evaluation import ModelSummary, Threshold
    from foveate.evaluation.predictions import PredictionFolder
    from foveate.evaluation.protocol import UNKNOWN

    if not folder.is_dir():
        raise UsageError(f"--predictions {folder}: no such folder.")
    single = (
        None
        if threshold is None
        else Threshold(values=(threshold,) * len(data_set.classes.threshold_names), origin="the command line")
    )
    return Made(
        predict=PredictionFolder(folder, data_set.classes, threshold, suffix, labels=data_set.labels),
        model=ModelSummary(name=folder.resolve().name or str(folder)),
        threshold=single,
        classes=None,
        passes="predictions read from files",
        post_processing=UNKNOWN,
        fov_for_preparing=UNKNOWN,
        source=str(folder),
    )


VESSELS = frozenset({"vessel", "artery", "vein", "crossing"})
"""Classes that lie in fundus photographs, and are measured as vessels unasked."""


def of_vessels(data_set: DataSet) -> bool:
    """Whether a set's classes are vessels."""
    return set(data_set.classes.names) <= VESSELS


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
