"""The one schema of an evaluation's result; docs/evaluation.md goes through it field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from foveate.evaluation.protocol import NOTICE, DataSummary, ModelSummary, Protocol, Record


class RateValues(Record):
    """Scores of a mask. Null is undefined (0/0), or, as a std, fewer than two values."""

    f1: float | None = Field(description="2 TP / (2 TP + FP + FN), the Dice coefficient.")
    iou: float | None = Field(description="TP / (TP + FP + FN), the Jaccard index.")
    sensitivity: float | None = Field(description="TP / (TP + FN).")
    specificity: float | None = Field(description="TN / (TN + FP).")
    precision: float | None = Field(description="TP / (TP + FP).")
    accuracy: float | None = Field(description="(TP + TN) / all.")
    mcc: float | None = Field(description="Matthews correlation coefficient, -1 to 1.")


class ScoreValues(RateValues):
    """Scores of a mask and of the probabilities that it was made from."""

    roc_auc: float | None = Field(description="Area under the ROC curve.")
    average_precision: float | None = Field(description="Average precision, not interpolated.")


class Counts(Record):
    """Numbers of pixels."""

    true_positive: int = Field(ge=0, description="Foreground in both.")
    false_positive: int = Field(ge=0, description="Foreground in the prediction only.")
    false_negative: int = Field(ge=0, description="Foreground in the truth only.")
    true_negative: int = Field(ge=0, description="Background in both.")


class CountedRates(Counts, RateValues):
    """Scores of a mask with the counts that they come from."""


class CountedScores(Counts, ScoreValues):
    """Scores of a mask and of probabilities with the counts."""


class RatesOverImages(Record):
    """How the images' own scores are distributed."""

    mean: RateValues = Field(description="Mean over the images where the score is defined.")
    std: RateValues = Field(description="Sample standard deviation (n - 1) over the same images.")
    undefined: dict[str, int] = Field(description="Per score, how many images were left out as undefined.")


class ScoresOverImages(Record):
    """As RatesOverImages, with the curves."""

    mean: ScoreValues = Field(description="Mean over the images where the score is defined.")
    std: ScoreValues = Field(description="Sample standard deviation (n - 1) over the same images.")
    undefined: dict[str, int] = Field(description="Per score, how many images were left out as undefined.")


class Scope(Record):
    """The model's scores over one choice of pixels."""

    pooled: CountedScores = Field(description="The pixels of all images as if of one.")
    per_image: ScoresOverImages = Field(description="Each image scored by itself.")


class Scopes(Record):
    """The model's scores, by which pixels were counted."""

    fov: Scope = Field(description="Pixels inside the field of view.")
    image: Scope = Field(description="All pixels.")


class ObserverScope(Record):
    """The second observer's scores over one choice of pixels."""

    pooled: CountedRates = Field(description="The pixels of all images as if of one.")
    per_image: RatesOverImages = Field(description="Each image scored by itself.")


class ObserverScopes(Record):
    """The second observer's scores, by which pixels were counted."""

    fov: ObserverScope = Field(description="Pixels inside the field of view.")
    image: ObserverScope = Field(description="All pixels.")


class SecondObserver(Record):
    """A second person's masks, scored against the first's like a model's: what a human reaches."""

    count: int = Field(ge=1, description="Number of images with a second observer's mask.")
    scopes: ObserverScopes = Field(description="The scores.")


class ImageScopes(Record):
    """One image's scores, by which pixels were counted."""

    fov: CountedScores = Field(description="Pixels inside the field of view.")
    image: CountedScores = Field(description="All pixels.")


class ImageRow(Record):
    """One image."""

    id: str = Field(description="The image's name in its data set.")
    group: str = Field(description="Patient or eye.")
    fov_source: Literal["set", "estimated"] = Field(description="Whose field of view was counted in.")
    seconds: float = Field(ge=0, description="Wall-clock seconds from the image in memory to its mask.")
    scopes: ImageScopes = Field(description="The scores.")


class Report(Record):
    """Everything an evaluation has to say."""

    schema_version: Literal[1] = Field(default=1, description="Grows when a field changes its meaning or goes away.")
    model: ModelSummary = Field(description="Which model was evaluated.")
    data: DataSummary = Field(description="Which images it was evaluated on.")
    protocol: Protocol = Field(description="How it was prepared, predicted and counted.")
    scopes: Scopes = Field(description="The model's scores.")
    second_observer: SecondObserver | None = Field(description="Null where the set has no second masks.")
    images: tuple[ImageRow, ...] = Field(description="One row per image, in the order of evaluation.")
    versions: dict[str, str] = Field(description="Versions of Python and of the packages that took part.")
    notice: str = Field(default=NOTICE, description="What the result is not.")

    def to_json(self) -> str:
        """The report as indented JSON text, ending with a newline."""
        return self.model_dump_json(indent=2) + "\n"
