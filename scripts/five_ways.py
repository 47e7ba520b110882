"""The same masks scored five ways, and a leak: python scripts/five_ways.py FOLDER prints docs/evaluation.md's table.

FOLDER holds the public sets DRIVE and LGG. The masks are those of the shipped model `vessels` for DRIVE's 20 test
images. The leak needs no network: every slice of a brain is given the mask of that slice, among those to learn from,
which looks most like it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.datasets import DataSet, open_set
from foveate.evaluation import CountingRule, EvaluationResult, ModelSummary, Predictor, Threshold, evaluate
from foveate.evaluation.result import ScopeScores
from foveate.inference import Segmenter
from foveate.metrics import Confusion, Histogram, count, rates
from foveate.records import Case, CaseEntry, Masks, Probabilities

MEASURES = ("f1", "sensitivity", "specificity", "accuracy", "roc_auc")

SPLITS = 20
"""How often LGG is split by chance."""


@dataclass(frozen=True, slots=True)
class Known:
    """A prediction."""

    probabilities: Probabilities
    masks: Masks


@dataclass(frozen=True, slots=True)
class Model:
    """The shipped model with a threshold that may be another than its card's; counts what it saw."""

    segmenter: Segmenter
    threshold: float
    histogram: Histogram

    def __call__(self, case: Case) -> Known:
        """Predict one image, and count its probabilities for choosing a threshold on test images: that is the trap."""
        found = self.segmenter.segment(case.image)
        self.histogram.add(found.probabilities[0], case.masks[0], case.fov)
        return Known(found.probabilities, (found.probabilities >= self.threshold) & found.fov)


def main(folder: Path) -> None:
    """Print the table."""
    drive = open_set(f"drive:{folder / 'DRIVE'}")
    segmenter = Segmenter.open("vessels")
    model = Model(segmenter, segmenter.card.thresholds[0], Histogram())
    plain = scored(drive, model)
    on_test = replace(model, threshold=model.histogram.best_threshold_f1()[0])
    fov, image = plain.classes["vessel"].fov, plain.classes["vessel"].image
    rows = [
        ("native size, inside the field of view, pooled, threshold from validation, first observer", pooled(fov)),
        ("1. over the whole image", pooled(image)),
        ("2. image and truth resized to 512×512", pooled(scored(drive, model, (512, 512)).classes["vessel"].fov)),
        ("3. mean over images", {name: fov.per_image.mean[name] for name in MEASURES}),
        (
            f"4. threshold {on_test.threshold:.3f}, best on these images",
            pooled(scored(drive, on_test).classes["vessel"].fov),
        ),
        ("5. second observer as truth", pooled(scored(by_second(drive), model).classes["vessel"].fov)),
    ]
    lines = ["| | " + " | ".join(MEASURES) + " |", "|" + " --- |" * (1 + len(MEASURES))]
    lines += [f"| {title} | " + " | ".join(f"{values[name]:.4f}" for name in MEASURES) + " |" for title, values in rows]
    lines += ["", "| LGG, mask of the most similar slice | mean F1 | lowest | highest |", "| --- | --- | --- | --- |"]
    slices = [entry.load() for entry in open_set(f"lgg:{folder / 'LGG'}").entries]
    for title, split in (("slices split by chance", by_slice), ("patients split by chance", by_patient)):
        found = [neighbours_f1(slices, split(slices, np.random.default_rng(seed))) for seed in range(SPLITS)]
        lines.append(f"| {title} | {np.mean(found):.4f} | {min(found):.4f} | {max(found):.4f} |")
    sys.stdout.write("\n".join(lines) + "\n")


def scored(data_set: DataSet, model: Model, size: tuple[int, int] | None = None) -> EvaluationResult:
    """The model's result on the set's test images."""
    return evaluate(
        Predictor(model, ModelSummary(name="vessels"), Threshold(values=(model.threshold,), origin="see table")),
        data_set.split("test"),
        data_set.classes,
        data_set=data_set.name,
        split="test",
        rule=CountingRule(measures=("mask", "probability"), size=size),
    )


def by_second(data_set: DataSet) -> DataSet:
    """The same test images with the second observer's masks for the truth."""

    def load(entry: CaseEntry) -> Callable[[], Case]:
        def second() -> Case:
            case = entry.load()
            if case.second_masks is None:
                raise SystemExit(f"{entry.id}: has no second observer's mask.")
            return replace(case, masks=case.second_masks, second_masks=None)

        return second

    test = data_set.split("test")
    return replace(data_set, entries=tuple(replace(entry, load=load(entry)) for entry in test))


def pooled(scope: ScopeScores) -> dict[str, float | None]:
    """The scope's values over all pixels."""
    return {name: scope.pooled.values[name] for name in MEASURES}


def by_slice(slices: Sequence[Case], generator: np.random.Generator) -> NDArray[np.bool_]:
    """A fifth of the slices for the test, whatever patient they are of."""
    chosen: NDArray[np.bool_] = generator.permutation(len(slices)) < len(slices) // 5
    return chosen


def by_patient(slices: Sequence[Case], generator: np.random.Generator) -> NDArray[np.bool_]:
    """All slices of a fifth of the patients for the test."""
    patients = sorted({case.group for case in slices})
    test = set(generator.permutation(patients)[: len(patients) // 5].tolist())
    return np.array([case.group in test for case in slices])


def neighbours_f1(slices: Sequence[Case], test: NDArray[np.bool_]) -> float:
    """F1, pooled, where each test slice has the mask of the nearest other by the squared difference of small images."""
    small = np.stack([_small(case) for case in slices])
    known = np.flatnonzero(~test)
    total = Confusion()
    for index in np.flatnonzero(test).tolist():
        nearest = known[((small[known] - small[index]) ** 2).sum(axis=1).argmin()].item()
        total += count(slices[nearest].mask, slices[index].mask)
    return rates(total).f1 or 0.0


def _small(case: Case) -> NDArray[np.float32]:
    picture = PillowImage.fromarray(case.image).resize((32, 32), PillowImage.Resampling.BOX)
    return np.asarray(picture, dtype=np.float32).ravel()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
