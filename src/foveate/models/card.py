"""The model card: all that a model file can't say itself. It lies beside the file as `card.json`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foveate.errors import ModelError

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


class ModelCard(Closed):
    """What a model is, how to feed it, where it comes from, and what it scored."""

    schema_version: Literal[1] = 1
    name: str
    description: str
    notice: str = "For research, not a medical device."
    file: str = Field(description="The model file beside the card.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the model file.")
    input: str = "N×3×H×W float32, RGB, 0 to 255, any H and W of 16 or more; normalisation is inside the file"
    output: str = "N×1×H×W float32, probability of vessel, 0 to 1"
    network: str
    options: dict[str, Any] = Field(description="The network's options, widths among them.")
    parameters: int
    fov: Literal["find", "whole"] = Field(
        default="find", description="The FOV is found, as in fundus photographs, or is the whole image."
    )
    working_minimum: float = Field(description="Pixels: a smaller FOV diameter is enlarged to this.")
    working_maximum: float = Field(description="Pixels: a larger FOV diameter is reduced to this.")
    threshold: float = Field(ge=0, le=1, description="Foreground is a probability of at least this.")
    threshold_from: str
    recipe: str
    command: str = Field(description="The command that trained it.")
    source_commit: str = Field(description="The state of foveate that trained it.")
    training_data: tuple[TrainingData, ...]
    validation_f1: dict[str, float] = Field(description="By set: pooled, inside the FOV, native size.")
    scores: tuple[Score, ...] = ()
    licence: str = "Apache-2.0 for the weights; the training images keep their owners' terms."

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
