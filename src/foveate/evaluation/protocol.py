"""What a score depends on besides the model: the part of a result that is words, not results."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from foveate.evaluation.measures import MeasureGroup

NOTICE = "For research, not a medical device."

FovForCounting = Literal[
    "the set's own masks",
    "estimated",
    "the whole image",
    "the set's own masks, estimated where one is missing",
    "the set's own masks, the whole image where one is missing",
]

SEEN_WHOLE = "none: the whole image"
"""The field of view that a model's input was made with, where it is none of fundus photographs."""

UNKNOWN = "unknown"

Empty = Literal["left out", "one"]

ThresholdValue = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """Base of everything in a result: read-only, and a key that it doesn't know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSummary(Record):
    """What was evaluated."""

    name: str = Field(min_length=1, description="The model's name, or the folder of masks made elsewhere.")
    sha256: str | None = Field(
        default=None, pattern="^[0-9a-f]{64}$", description="SHA-256 of the ONNX file, in hexadecimal; null for masks."
    )
    parameters: int | None = Field(default=None, ge=0, description="Number of trained parameters; null for masks.")
    gmacs: float | None = Field(
        default=None,
        ge=0,
        description="Billions of multiply-accumulates for one image of 512×512; null where they aren't known.",
    )
    trained_on: tuple[str, ...] = Field(default=(), description="The data sets that it has learnt from.")


class DataSummary(Record):
    """Which images it was evaluated on."""

    set: str = Field(min_length=1, description="The data set's name.")
    split: str = Field(min_length=1, description="The part of the data set, such as 'test'.")
    count: int = Field(ge=1, description="Number of images.")
    groups: int = Field(ge=1, description="Number of patients or eyes that they are of.")
    seen_in_training: int | None = Field(
        default=None, ge=0, description="How many of them the model has learnt from; null where that isn't known."
    )
    seen_in_validation: int | None = Field(
        default=None, ge=0, description="How many of them chose its epoch and threshold; null where that isn't known."
    )


class Threshold(Record):
    """Where a probability becomes foreground, and how that was decided."""

    values: tuple[ThresholdValue, ...] = Field(
        min_length=1,
        description="Foreground is a probability of at least this: one for each class that may overlap"
        " others, else one for any of them.",
    )
    origin: str = Field(min_length=1, description="Where they were chosen, such as 'validation images'.")


class Protocol(Record):
    """How the images were prepared, predicted and counted. Some fields can have one value only.

    They are written all the same, since published scores differ in each of them.
    """

    size: str = Field(
        default="native",
        pattern=r"^(native|\d+×\d+)$",
        description="Image size at which pixels were predicted and counted: the images' own, or height×width.",
    )
    scopes: tuple[Literal["fov"], Literal["image"]] = Field(
        default=("fov", "image"), description="Counted pixels: those inside the field of view; all."
    )
    pooling: tuple[Literal["pooled"], Literal["per_image"]] = Field(
        default=("pooled", "per_image"),
        description="One score over all pixels; mean over the images' scores.",
    )
    threshold: Threshold | None = Field(description="Where a probability becomes foreground; null for masks.")
    passes: str = Field(
        default="one forward pass", description="How often the model saw each pixel, and what became of it."
    )
    execution: str | None = Field(
        default=None,
        description="What ran the model, where, and how exactly; null for masks, and in results of before 0.2.0.",
    )
    post_processing: str = Field(default="none", description="What was done to the masks before they were counted.")
    fov_for_counting: FovForCounting = Field(description="Whose field of view bounds the scope 'fov'.")
    fov_for_preparing: str = Field(
        default="estimated from the photograph", description="Whose field of view the model's input was made with."
    )
    measures: tuple[MeasureGroup, ...] = Field(description="Which groups of measures were taken.")
    empty: Empty = Field(
        default="left out", description="What agreement on an empty truth counts as: left out of means, or one."
    )
    tolerance: float = Field(default=2.0, ge=0, description="Pixels that borders may lie apart for surface_dice.")
    left_out: tuple[str, ...] = Field(
        default=(), description="Classes whose true pixels were counted for no other class."
    )
    intervals: str = Field(
        default="95 %, percentile bootstrap, 10 000 resamples of whole groups",
        description="How the intervals were found.",
    )

    @property
    def counts_everything(self) -> bool:
        """Whether every pixel of every image is counted, so that the scopes are one."""
        return self.fov_for_counting == "the whole image"
