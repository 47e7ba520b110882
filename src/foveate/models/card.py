"""The model card: all that a model file can't say itself. It lies beside the file as `card.json`.

A card may come from anyone, so that everything in it has bounds: numbers are finite and in the range that they can
have, texts hold nothing that would drive a terminal, and what becomes the name of a file is one
(`records.is_class_name`).
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from foveate.errors import DataError, ModelError
from foveate.records import HIGHEST_CLAHE, HIGHEST_WORKING_MAXIMUM, HIGHEST_WORKING_MINIMUM, Classes

CARD = "card.json"

LONGEST_TEXT = 10_000
LONGEST_NAME = 100

DRIVES_A_TERMINAL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line ends among them, and what turns the direction of a text."""


def plain(text: str) -> str:
    """Words apart by single spaces, on one line; what would drive a terminal is written as \\x1b is."""
    return DRIVES_A_TERMINAL.sub(lambda found: ascii(found.group())[1:-1], " ".join(text.split()))


def _checked(text: str) -> str:
    if found := DRIVES_A_TERMINAL.search(text):
        raise ValueError(f"holds the control character {found.group()!a}")
    return text


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_checked)]
"""Words for people, on one line."""

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), AfterValidator(_checked)]


def _beside(name: str) -> str:
    if not re.fullmatch(r"[^./\\:][^/\\:]*\.onnx", name):
        raise ValueError(f"{name[:LONGEST_NAME]!r} is no name of a file that ends in .onnx, without a folder")
    return name


FileName = Annotated[Text, AfterValidator(_beside)]

Share = Annotated[float, Field(ge=0, le=1)]


class Closed(BaseModel):
    """Read-only, closed to unknown keys, and without NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TrainingData(Closed):
    """One data set that the weights have seen."""

    set: Text
    title: Text
    terms: Text
    citation: Text
    training: tuple[str, ...] = Field(description="Ids of the images learnt from.")
    validation: tuple[str, ...] = Field(description="Ids of the images that chose epoch and threshold.")


class Score(Closed):
    """One measured score: F1 and its companions, pooled, at native size, one forward pass; null is undefined."""

    set: Text
    split: Text
    images: int = Field(ge=0)
    scope: Literal["fov", "image"]
    f1: Share | None
    sensitivity: Share | None
    specificity: Share | None
    roc_auc: Share | None
    command: Text = Field(description="The command that measured it.")


class Trust(Closed):
    """How far the F1 that a mask's probabilities promise lies from its true one, learnt from validation images."""

    shift: float = Field(ge=-1, le=1, description="To be added to the expected F1.")
    margin: float = Field(ge=0, le=1, description="On each side, so that about 95 % of like images lie within.")
    images: int = Field(ge=2, description="How many taught it; of few, the largest error among them is the margin.")
    command: Text = Field(description="The command that measured it.")


class ModelCard(Closed):
    """What a model is, how to feed it, where it comes from, and what it scored."""

    schema_version: Literal[1] = 1
    name: Name
    description: Text
    notice: Text = "For research, not a medical device."
    file: FileName = Field(description="The model file beside the card.")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", description="Of the model file.")
    input: Text = Field(description="What goes into the file, in words.")
    output: Text = Field(description="What comes out of the file, in words.")
    classes: tuple[str, ...] = Field(min_length=1, description="What it segments, in the order of the output.")
    exclusive: bool = Field(default=True, description="No pixel is of two of the classes, where there are several.")
    network: Text
    options: dict[str, Any] = Field(description="The network's options, widths among them.")
    parameters: int = Field(ge=0, le=10**12)
    gmacs: float | None = Field(
        default=None,
        ge=0,
        le=10**9,
        description="Billions of multiply-accumulates for one image of 512×512; null where not counted.",
    )
    fov: Literal["find", "whole"] = Field(
        default="find", description="The FOV is found, as in fundus photographs, or is the whole image."
    )
    working_minimum: float = Field(
        gt=0, le=HIGHEST_WORKING_MINIMUM, description="Pixels: a smaller FOV diameter is enlarged to this."
    )
    working_maximum: float = Field(
        gt=0, le=HIGHEST_WORKING_MAXIMUM, description="Pixels: a larger FOV diameter is reduced to this."
    )
    channels: Literal["rgb", "green"] = Field(default="rgb", description="Which of the image the network sees.")
    clahe: float = Field(
        default=0,
        ge=0,
        le=HIGHEST_CLAHE,
        description="Clip limit of the adaptive histogram equalisation of that, from 1 on; 0: none.",
    )
    thresholds: tuple[Share, ...] = Field(
        description="Foreground is a probability of at least this: one for each class that may overlap others, else"
        " one for the probability that it is any of them."
    )
    threshold_from: Text
    recipe: Text
    command: Text = Field(description="The command that trained it.")
    source_commit: Text = Field(description="The state of foveate that trained it.")
    training_data: tuple[TrainingData, ...]
    validation_f1: dict[Text, Share] = Field(description="By set: pooled, inside the FOV, native size.")
    scores: tuple[Score, ...] = ()
    trust: Trust | None = Field(default=None, description="What `foveate segment --confidence` goes by; null: unknown.")
    licence: Text = "Apache-2.0 for the weights; the training images keep their owners' terms."

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.working_minimum > self.working_maximum:
            raise ValueError(
                f"working_minimum {self.working_minimum:g} is larger than working_maximum {self.working_maximum:g}"
            )
        if 0 < self.clahe < 1:
            raise ValueError(f"clahe {self.clahe:g} is no clip limit: 0, or 1 and more")
        return self

    @model_validator(mode="after")
    def _as_many_thresholds(self) -> Self:
        try:
            names = self.told_apart.threshold_names
        except DataError as error:
            raise ValueError(str(error)) from error
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
            card = cls.model_validate_json(text)
            # Of two equal keys the one that a person reads need not be the one that counts.
            json.loads(text, object_pairs_hook=_each_once)
        except ValidationError as error:
            raise ModelError(f"{source}: not a model card: {_first(error)}.") from error
        except ValueError as error:
            raise ModelError(f"{source}: not a model card: {error}.") from error
        return card

    @classmethod
    def of(cls, source: str, **fields: Any) -> ModelCard:
        """A card of these fields. Raises ModelError that names the first that a card can't have."""
        try:
            return cls(**fields)
        except ValidationError as error:
            raise ModelError(f"{source}: can't have a model card: {_first(error)}.") from error


def _first(error: ValidationError) -> str:
    """The first wrong field, and what is wrong with it."""
    first = error.errors()[0]
    # Our own sentences, without Pydantic's words before them.
    wrong = first["msg"].removeprefix("Value error, ").rstrip(".")
    place = plain(".".join(str(part) for part in first["loc"]))[:LONGEST_NAME] or "the file"
    return f"{place}: {wrong}"


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it says twice what {plain(key)[:LONGEST_NAME]!r} is")
        found[key] = value
    return found
