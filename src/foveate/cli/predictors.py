"""What can be evaluated: a model that looks at images, or a folder of masks that any tool made."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from foveate.arrays.fov import FovRule
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
        return data_set.split(split)


def of_model(weights: str, *, threads: int, refinement: Refinement) -> Made:
    """A shipped model, a run (exported first where that was not done since its best epoch), or an .onnx file."""
    from foveate.evaluation import ModelSummary, Threshold
    from foveate.inference import Segmenter

    file = model_file(weights)
    run = Path(weights).resolve().name if isinstance(file, Path) else ""
    segmenter = Segmenter.open(file, threads=threads, refinement=refinement)
    card = segmenter.card
    return Made(
        predict=lambda case: segmenter.segment(case.image),
        model=ModelSummary(
            name=run or card.name,
            sha256=card.sha256,
            parameters=card.parameters,
            gmacs=gmacs_of(card),
            trained_on=tuple(each.set for each in card.training_data),
        ),
        threshold=Threshold(values=card.thresholds, origin=card.threshold_from),
        classes=card.told_apart,
        passes=refinement.passes,
        post_processing=refinement.steps,
        fov_for_preparing="estimated from the photograph" if card.fov == "find" else "none: the whole image",
        source=str(file),
        card=card,
    )


def of_folders(folders: Sequence[Path], data_set: DataSet, threshold: float | None) -> list[Made]:
    """The masks, or with a threshold the probability maps, in each folder. Raises UsageError for one that isn't."""
    if threshold is not None and not folders:
        raise UsageError("--threshold is for --predictions; that of a model is in its card.")
    return [_of_folder(folder, data_set, threshold) for folder in folders]


def _of_folder(folder: Path, data_set: DataSet, threshold: float | None) -> Made:
    from foveate.evaluation import ModelSummary, Threshold
    from foveate.evaluation.predictions import PredictionFolder

    if not folder.is_dir():
        raise UsageError(f"--predictions {folder}: no such folder.")
    single = (
        None
        if threshold is None
        else Threshold(values=(threshold,) * len(data_set.classes.threshold_names), origin="the command line")
    )
    return Made(
        predict=PredictionFolder(folder, data_set.classes, fov_rule(data_set), threshold, labels=data_set.labels),
        model=ModelSummary(name=folder.resolve().name or str(folder)),
        threshold=single,
        classes=None,
        passes="predictions read from files",
        post_processing="unknown",
        fov_for_preparing="unknown",
        source=str(folder),
    )


VESSELS = frozenset({"vessel", "artery", "vein", "crossing"})
"""Classes that lie in fundus photographs, and are measured as vessels unasked."""


def of_vessels(data_set: DataSet) -> bool:
    """Whether a set's classes are vessels."""
    return set(data_set.classes.names) <= VESSELS


def fov_rule(data_set: DataSet) -> FovRule:
    """How the FOV of a set's images is known where it has none of its own."""
    return "find" if of_vessels(data_set) else "whole"


def model_file(weights: str) -> str | Path:
    """A run's folder is exported once, into the folder itself; anything else is for the model store."""
    from foveate.models import shipped

    run = Path(weights)
    if weights in shipped() or not run.is_dir():
        return weights
    exported = run / "model.onnx"
    best = run / "best.safetensors"
    if not best.is_file():
        raise UsageError(f"{run}: is not the folder of a run: it holds no {best.name}.")
    if not exported.is_file() or exported.stat().st_mtime < best.stat().st_mtime:
        from foveate.cli.extras import needs_torch

        with needs_torch():
            from foveate.training.export import export
        export(run, exported, overwrite=True)
        # Not a result: what a command prints may be read by a program.
        sys.stderr.write(f"exported {exported}\n")
    return exported


def gmacs_of(card: ModelCard) -> float | None:
    """What its export counted, or for an older card the catalogue, for that network with these options; else None."""
    from foveate.networks.catalogue import catalogue
    from foveate.networks.registry import NETWORKS

    if card.gmacs is not None or card.network not in NETWORKS:
        return card.gmacs
    facts = catalogue()[card.network]
    default = {option.name: option.default for option in facts.options}
    given = default | {name: tuple(value) if isinstance(value, list) else value for name, value in card.options.items()}
    variants = {"": {}, **NETWORKS[card.network].variants}
    same = [name for name, options in variants.items() if default | dict(options) == given]
    return facts.counts[same[0]].gmacs if same else None
