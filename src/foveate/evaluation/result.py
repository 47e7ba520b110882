"""The one schema of an evaluation's result, to and from its file; docs/evaluation.md goes through it field by field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from foveate.errors import DataError, UsageError
from foveate.evaluation.counting import FovSource
from foveate.evaluation.protocol import NOTICE, DataSummary, ModelSummary, Protocol, Record

MeasureValues = dict[str, float | None]
Interval = tuple[float, float]
Intervals = dict[str, Interval | None]


class PixelCounts(Record):
    """Numbers of pixels."""

    true_positive: int = Field(ge=0, description="Foreground in both.")
    false_positive: int = Field(ge=0, description="Foreground in the prediction only.")
    false_negative: int = Field(ge=0, description="Foreground in the truth only.")
    true_negative: int = Field(ge=0, description="Background in both.")


class Pooled(Record):
    """The pixels of all images as if of one."""

    counts: PixelCounts = Field(description="The pixels that the rates come from.")
    values: MeasureValues = Field(description="Measure to value; null is undefined (0/0).")
    intervals: Intervals = Field(
        description="Measure to its interval over other images; null where there are fewer than two groups. Numbers of"
        " components and of images have none."
    )


class Averaged(Record):
    """How the scores of images, or of groups of images, are distributed."""

    count: int = Field(ge=1, description="Number of images or groups.")
    mean: MeasureValues = Field(description="Mean over those where the measure is defined.")
    std: MeasureValues = Field(description="Sample standard deviation (n - 1) over the same; null for fewer than two.")
    intervals: Intervals = Field(description="Interval of the mean over other images.")
    undefined: dict[str, int] = Field(description="Per measure, how many were left out as undefined.")


class ScopeScores(Record):
    """The scores over one choice of pixels."""

    pooled: Pooled = Field(description="The pixels of all images as if of one.")
    per_image: Averaged = Field(description="Each image scored by itself.")
    per_group: Averaged | None = Field(
        description="Each patient's images pooled and scored, such as the slices of a volume; null where a group is one"
        " image."
    )


class ScoresByScope(Record):
    """The scores, by which pixels were counted."""

    fov: ScopeScores = Field(description="Pixels inside the field of view.")
    image: ScopeScores = Field(description="All pixels.")

    @property
    def told_apart(self) -> dict[Literal["fov", "image"], ScopeScores]:
        """Both by name; the image alone where no pixel of it lies outside the field of view."""
        return {"image": self.image} if self.fov == self.image else {"fov": self.fov, "image": self.image}


class MacroScores(Record):
    """The mean over the classes where a measure is defined."""

    pooled: MeasureValues = Field(description="Of the pooled values.")
    per_image: MeasureValues = Field(description="Of the means over images.")
    undefined: dict[str, int] = Field(
        default_factory=dict, description="Per measure, how many classes the mean of pooled values leaves out."
    )
    per_image_undefined: dict[str, int] = Field(
        default_factory=dict, description="Per measure, how many classes the mean of means leaves out."
    )


class Macro(Record):
    """The mean over the classes, every one counting the same."""

    fov: MacroScores = Field(description="Pixels inside the field of view.")
    image: MacroScores = Field(description="All pixels.")


class SecondObserver(Record):
    """A second person's masks, scored against the first's like a model's: what a human reaches."""

    count: int = Field(ge=1, description="Number of images with a second observer's masks.")
    classes: dict[str, ScoresByScope] = Field(description="Class to scores.")


class PointsOnCurve(Record):
    """A curve to draw, in at most some hundred points."""

    x: tuple[float, ...] = Field(description="Across.")
    y: tuple[float, ...] = Field(description="Up.")


class RiskCurve(PointsOnCurve):
    """What error is left among the most certain."""

    area: float = Field(ge=0, description="Under the curve, from all its points.")


class ReliabilityBin(Record):
    """Pixels of about one probability."""

    pixels: int = Field(ge=0, description="How many.")
    probability: float | None = Field(description="Their mean probability; null without pixels.")
    share: float | None = Field(description="The share of them that is foreground; null without pixels.")


class Curves(Record):
    """What is drawn of a class's probabilities, inside the field of view, all images together."""

    roc: PointsOnCurve | None = Field(description="1 - specificity and sensitivity; null without one of the two kinds.")
    precision_recall: PointsOnCurve | None = Field(description="Sensitivity and precision; null without foreground.")
    reliability: tuple[ReliabilityBin, ...] = Field(description="15 bins of probability.")
    pixel_risk: RiskCurve | None = Field(description="Share of pixels kept, and of those that is wrong.")
    image_risk: RiskCurve | None = Field(
        description="Share of images kept, by their expected F1, and 1 minus the mean F1 of those."
    )


class Confidence(Record):
    """How well the F1 that probabilities expect agrees with the true one, image by image, inside the field of view."""

    images: int = Field(ge=0, description="How many have both.")
    expected: float | None = Field(description="Mean expected F1; null without such images.")
    true: float | None = Field(description="Mean true F1 of the same images.")
    mean_absolute_error: float | None = Field(description="Mean difference of the two, without its sign.")
    correlation: float | None = Field(
        description="Pearson's; null for fewer than three images, and where one of the two is the same for all."
    )


class ImageScore(Record):
    """One image's scores of one class over one choice of pixels."""

    counts: PixelCounts = Field(description="Pixels.")
    values: MeasureValues = Field(description="Measure to value; null is undefined.")


class ImageScoresByScope(Record):
    """One image's scores, by which pixels were counted."""

    fov: ImageScore = Field(description="Pixels inside the field of view.")
    image: ImageScore = Field(description="All pixels.")


class ImageResult(Record):
    """One image."""

    id: str = Field(description="The image's name in its data set.")
    group: str = Field(description="Patient or eye.")
    fov_source: FovSource = Field(
        description="Whose field of view was counted in: the set's own, one estimated from the photograph, or the"
        " whole image as one."
    )
    size: tuple[int, int] | None = Field(
        default=None, description="Height and width in pixels at which it was counted; null in older results."
    )
    seconds: float = Field(ge=0, description="Wall-clock seconds from the image in memory to its mask.")
    classes: dict[str, ImageScoresByScope] = Field(description="Class to scores.")


class EvaluationResult(Record):
    """Everything an evaluation has to say."""

    schema_version: Literal[2] = Field(default=2, description="Grows when a field changes its meaning or goes away.")
    model: ModelSummary = Field(description="Which model was evaluated.")
    data: DataSummary = Field(description="Which images it was evaluated on.")
    protocol: Protocol = Field(description="How it was prepared, predicted and counted.")
    classes: dict[str, ScoresByScope] = Field(description="Class to the model's scores.")
    macro: Macro | None = Field(description="Mean over the classes; null for one class.")
    second_observer: SecondObserver | None = Field(description="Null where the set has no second masks.")
    curves: dict[str, Curves] = Field(description="Class to its curves; empty where there are masks alone.")
    confidence: dict[str, Confidence] = Field(
        default_factory=dict, description="Class to the agreement of expected and true F1; empty for masks alone."
    )
    images: tuple[ImageResult, ...] = Field(description="One row per image, in the order of evaluation.")
    versions: dict[str, str] = Field(description="Versions of Python and of the packages that took part.")
    notice: str = Field(default=NOTICE, description="What the result is not.")

    def to_json(self) -> str:
        """The result as indented JSON text, ending with a newline."""
        return self.model_dump_json(indent=2) + "\n"


def as_json(results: Sequence[EvaluationResult]) -> str:
    """One result as it is; several in one object."""
    if len(results) == 1:
        return results[0].to_json()
    return json.dumps({"reports": [result.model_dump(mode="json") for result in results]}, indent=2) + "\n"


def read_results(file: Path) -> list[EvaluationResult]:
    """What `foveate evaluate --json` wrote: one result, or several in an object.

    Raises UsageError for a file that can't be read, DataError for one that holds something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        documents = content["reports"] if isinstance(content, dict) and "reports" in content else [content]
        return [EvaluationResult.model_validate_json(json.dumps(document)) for document in documents]
    except OSError as error:
        raise UsageError(f"{file}: can't be read ({error.strerror or error}).") from error
    except (ValueError, TypeError, ValidationError) as error:
        raise DataError(
            f"{file}: is no result of this version's `foveate evaluate --json`; write it again with that."
        ) from error
