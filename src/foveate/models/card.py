"""The model card: all that a model file can't say itself. It lies beside the file as `card.json`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from foveate.errors import ModelError
from foveate.records import Classes

CARD = "card.json"


class Closed(BaseModel):
    """Read-only, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TrainingData(Closed):
    """One data set that the weights have seen."""

    set: str
    title: str
    terms: str
    citation: str
    training: tuple[str, ...] = Field(description="Ids of the images learnt from.")
    validation: tuple[str, ...] = Field(description="Ids of the images that chose epoch and threshold.")


class Score(Closed):
    """One measured score: F1 and its companions, pooled, at native size, one forward pass; null is undefined."""

    set: str
    split: str
    images: int
    scope: Literal["fov", "image"]
    f1: float | None
    sensitivity: float | None
    specificity: float | None
    roc_auc: float | None
    command: str = Field(description="The command that measured it.")


class Trust(Closed):
    """How far the F1 that a mask's probabilities promise lies from its true one, learnt from validation images."""

    shift: float = Field(description="To be added to the expected F1.")
    margin: float = Field(ge=0, description="On each side, so that about 95 % of like images lie within.")
    images: int = Field(ge=2, description="How many taught it; of few, the largest error among them is the margin.")
    command: str = Field(description="The command that measured it.")


class ModelCard(Closed):
    """What a model is, how to feed it, where it comes from, and what it scored."""

    schema_version: Literal[1] = 1
    name: str
    description: str
    notice: str = "For research, not a medical device."
    file: str = Field(description="The model file beside the card.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the model file.")
    input: str = Field(description="What goes into the file, in words.")
    output: str = Field(description="What comes out of the file, in words.")
    classes: tuple[str, ...] = Field(min_length=1, description="What it segments, in the order of the output.")
    exclusive: bool = Field(default=True, description="No pixel is of two of the classes, where there are several.")
    network: str
    options: dict[str, Any] = Field(description="The network's options, widths among them.")
    parameters: int
    gmacs: float | None = Field(
        default=None,
        ge=0,
        description="Billions of multiply-accumulates for one image of 512×512; null where not counted.",
    )
    fov: Literal["find", "whole"] = Field(
        default="find", description="The FOV is found, as in fundus photographs, or is the whole image."
    )
    working_minimum: float = Field(description="Pixels: a smaller FOV diameter is enlarged to this.")
    working_maximum: float = Field(description="Pixels: a larger FOV diameter is reduced to this.")
    channels: Literal["rgb", "green"] = Field(default="rgb", description="Which of the image the network sees.")
    clahe: float = Field(
        default=0, ge=0, description="Clip limit of the adaptive histogram equalisation of that; 0: none."
    )
    thresholds: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        description="Foreground is a probability of at least this: one for each class that may overlap others, else"
        " one for the probability that it is any of them."
    )
    threshold_from: str
    recipe: str
    command: str = Field(description="The command that trained it.")
    source_commit: str = Field(description="The state of foveate that trained it.")
    training_data: tuple[TrainingData, ...]
    validation_f1: dict[str, float] = Field(description="By set: pooled, inside the FOV, native size.")
    scores: tuple[Score, ...] = ()
    trust: Trust | None = Field(default=None, description="What `foveate segment --confidence` goes by; null: unknown.")
    licence: str = "Apache-2.0 for the weights; the training images keep their owners' terms."

    @model_validator(mode="after")
    def _as_many_thresholds(self) -> Self:
        names = self.told_apart.threshold_names
        if len(self.thresholds) != len(names):
            raise ValueError(f"thresholds has {len(self.thresholds)} numbers, its classes need {len(names)}")
        return self

    @property
    def told_apart(self) -> Classes:
        """The classes as a record."""
        return Classes(self.classes, exclusive=self.exclusive)

    def to_json(self) -> str:
        """Indented JSON ending with a newline."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def parse(cls, text: str | bytes, source: str) -> ModelCard:
        """Read a card. Raises ModelError that names the first wrong field."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ModelError(f"{source}: not a model card: {place}: {first['msg']}.") from error
