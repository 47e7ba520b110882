"""What a score depends on besides the model: the part of a report that is words, not results."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NOTICE = "For research, not a medical device."

FovForCounting = Literal["the set's own masks", "estimated", "the set's own masks, estimated where one is missing"]


class Record(BaseModel):
    """Base of everything in a report: read-only, and a key that it doesn't know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSummary(Record):
    """Which model was evaluated."""

    name: str = Field(min_length=1, description="The model's name.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the ONNX file, in hexadecimal.")
    parameters: int = Field(ge=0, description="Number of trained parameters.")


class DataSummary(Record):
    """Which images it was evaluated on."""

    set: str = Field(min_length=1, description="The data set's name.")
    split: str = Field(min_length=1, description="The part of the data set, such as 'test'.")
    count: int = Field(ge=1, description="Number of images.")


class Threshold(Record):
    """Where a probability becomes foreground, and how that was decided."""

    value: float = Field(ge=0, le=1, description="Foreground is a probability of at least this.")
    origin: str = Field(min_length=1, description="Where the value was chosen, such as 'validation images'.")


class Protocol(Record):
    """How the images were prepared, predicted and counted. Most fields can have one value only.

    They are written all the same, since published scores differ in each of them.
    """

    size: Literal["native"] = Field(default="native", description="Image size at which pixels were counted.")
    scopes: tuple[Literal["fov"], Literal["image"]] = Field(
        default=("fov", "image"), description="Counted pixels: those inside the field of view; all."
    )
    pooling: tuple[Literal["pooled"], Literal["per_image"]] = Field(
        default=("pooled", "per_image"),
        description="One score over all pixels; mean over the images' scores.",
    )
    threshold: Threshold = Field(description="Where a probability becomes foreground.")
    passes: Literal["one forward pass"] = Field(
        default="one forward pass",
        description="How often the model saw each pixel: no test-time augmentation.",
    )
    fov_for_counting: FovForCounting = Field(description="Whose field of view bounds the scope 'fov'.")
    fov_for_preparing: Literal["estimated from the photograph"] = Field(
        default="estimated from the photograph",
        description="Whose field of view the model's input was made with.",
    )
