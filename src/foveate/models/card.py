"""The model card: all that a model file can't say itself. It lies beside the file as `card.json`.

A card may come from anyone, so that everything in it has bounds: numbers are finite and in the range that they can
have, texts hold nothing that would drive a terminal, and what becomes the name of a file is one
(`records.is_class_name`).

Read by msgspec, not by Pydantic as recipes are: its classes would take a fifth of a second to build, each time that
somebody segments one photograph.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import fields
from math import isfinite
from typing import Annotated, Any, Literal

import msgspec

from foveate.arrays.prepare import Preparation
from foveate.errors import DataError, ModelError
from foveate.records import Classes

CARD = "card.json"

HUB_FILE, HUB_WEIGHTS = "model.onnx", "model.safetensors"
"""In a folder for the hub: the model, and the weights that it was exported from."""

LONGEST_TEXT = 10_000
LONGEST_NAME = 100

DRIVES_A_TERMINAL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Control characters, line ends among them, and what turns the direction of a text."""


def plain(text: str) -> str:
    """Words apart by single spaces, on one line; what would drive a terminal is written as \\x1b is."""
    return DRIVES_A_TERMINAL.sub(lambda match: ascii(match.group())[1:-1], " ".join(text.split()))


def chosen_on(sets: Iterable[str], best_of: str = "") -> str:
    """`threshold_from`, where validation images of these sets chose, and what was tried besides."""
    tried = f", best of {best_of}" if best_of else ""
    return f"validation images of {', '.join(sets)} (highest mean F1 of the sets{tried})"


NEIGHBOURS = ("slice below", "slice", "slice above")
"""`sequences` of a model that sees each slice of a volume between its neighbours."""

Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
"""Words for people, on one line."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]

Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]

Content = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16})?\Z")]

Proportion = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Closed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read-only, and closed to unknown keys."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            for text in _texts(getattr(self, name)):
                if match := DRIVES_A_TERMINAL.search(text):
                    raise ValueError(f"{name}: holds the control character {match.group()!a}")


class TrainingData(Closed, frozen=True, kw_only=True):
    """One data set that the weights have seen."""

    set: Text
    title: Text
    terms: Text
    citation: Text
    training: tuple[str, ...]
    """Ids of the images learnt from."""
    validation: tuple[str, ...]
    """Ids of the images that chose epoch and threshold."""
    training_contents: tuple[Content, ...] | None = None
    """`Case.content` of the images learnt from, by which they are known in any other folder, too; '' for one of a
    single colour. Null: a foveate read them that didn't note it."""
    validation_contents: tuple[Content, ...] | None = None
    """Of the images that chose."""

    @property
    def contents_noted(self) -> bool:
        """Whether all of its images can be known by their contents."""
        return self.training_contents is not None and self.validation_contents is not None


class Score(Closed, frozen=True, kw_only=True):
    """One measured score: F1 and its companions, pooled, at native size, one forward pass; null is undefined."""

    set: Text
    split: Text
    images: Annotated[int, msgspec.Meta(ge=0)]
    scope: Literal["fov", "image"]
    f1: Proportion | None
    sensitivity: Proportion | None
    specificity: Proportion | None
    roc_auc: Proportion | None
    command: Text
    """The command that measured it."""


class Trust(Closed, frozen=True, kw_only=True):
    """How far the F1 that a mask's probabilities promise lies from its true one, learnt from validation images."""

    shift: Annotated[float, msgspec.Meta(ge=-1, le=1)]
    """To be added to the expected F1."""
    margin: Proportion
    """On each side, so that about 95 % of like images lie within."""
    images: Annotated[int, msgspec.Meta(ge=2)]
    """How many taught it; of few, the largest error among them is the margin."""
    command: Text
    """The command that measured it."""


class ModelCard(Closed, frozen=True, kw_only=True):
    """What a model is, how to feed it, where it comes from, and what it scored."""

    schema_version: Literal[2] = 2
    name: Name
    description: Text
    notice: Text = "For research, not a medical device."
    file: Text
    """The model file beside the card."""
    sha256: Sha256
    """Of the model file."""
    input: Text
    """What goes into the file, in words."""
    output: Text
    """What comes out of the file, in words."""
    classes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """What it segments, in the order of the output."""
    exclusive: bool = True
    """No pixel is of two of the classes, where there are several."""
    network: Text
    options: dict[str, Any]
    """The network's options, widths among them."""
    parameters: Annotated[int, msgspec.Meta(ge=0, le=10**12)]
    gmacs: Annotated[float, msgspec.Meta(ge=0, le=10**9)] | None = None
    """Billions of multiply-accumulates for one image of 512×512; null where not counted."""
    preparation: Preparation
    """How photographs are brought to it."""
    sequences: tuple[Name, ...] = ()
    """Of a model for volumes: what red, green and blue of a slice are, such as pre-contrast, FLAIR, post-contrast, a
    file each; or `NEIGHBOURS`. Empty: they are colours."""
    thresholds: tuple[Proportion, ...]
    """Foreground is a probability of at least this: one for each class that may overlap others, else one for the
    probability that it is any of them."""
    threshold_from: Text
    min_size: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    """Parts of a mask with a smaller area are removed unless another `min_size` is asked for. Pixels of the working
    size, so that it is the same area at any size of a photograph. 0: none."""
    recipe: Text
    command: Text
    """The command that trained it."""
    source_commit: Text
    """The state of foveate that trained it."""
    training_data: tuple[TrainingData, ...]
    validation_f1: dict[Text, Proportion]
    """By set: pooled, inside the FOV, native size."""
    scores: tuple[Score, ...] = ()
    trust: Trust | None = None
    """What `foveate segment --confidence` goes by; null: unknown."""
    licence: Text = "Apache-2.0 for the weights; the training images keep their owners' terms."

    def __post_init__(self) -> None:
        # Before the control characters, for a class's name is more than free of these.
        try:
            names = self.told_apart.threshold_names
        except DataError as error:
            raise ValueError(str(error)) from error
        Closed.__post_init__(self)
        if not re.fullmatch(r"[^./\\:][^/\\:]*\.onnx", self.file):
            raise ValueError(
                f"file: {self.file[:LONGEST_NAME]!r} is no name of a file that ends in .onnx, without a folder"
            )
        if len(self.sequences) not in (0, 3):
            raise ValueError(f"sequences: there are {len(self.sequences)}, an image has 3 channels")
        if len(self.thresholds) != len(names):
            raise ValueError(f"thresholds: there are {len(self.thresholds)}, its classes need {len(names)}")

    @property
    def told_apart(self) -> Classes:
        """The classes as a record."""
        return Classes(self.classes, exclusive=self.exclusive)

    def to_json(self) -> str:
        """Indented JSON ending with a newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"

    @classmethod
    def parse(cls, text: str | bytes, source: str) -> ModelCard:
        """Read a card, of version 1 or 2. Raises ModelError that names the first wrong field."""
        try:
            text = text.decode() if isinstance(text, bytes) else text
            content = json.loads(text, object_pairs_hook=_each_once)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{source}: not a model card: {error}.") from error
        return cls._converted(_of_version_2(content), f"{source}: not a model card")

    @classmethod
    def of(cls, source: str, **content: Any) -> ModelCard:
        """A card of these fields. Raises ModelError that names the first that a card can't have."""
        return cls._converted(msgspec.to_builtins(content), f"{source}: can't have a model card")

    @classmethod
    def _converted(cls, content: Any, refusal: str) -> ModelCard:
        try:
            _check_keys(content)
            _check_finite(content)
            return msgspec.convert(content, cls)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{refusal}: {_in_words(error)}.") from error


PREPARATION = tuple(field.name for field in fields(Preparation))


def _of_version_2(content: Any) -> Any:
    """A card of version 1 has the preparation's fields among its own."""
    if not isinstance(content, dict) or content.get("schema_version", 1) != 1 or "preparation" in content:
        return content
    preparation = {name: content[name] for name in PREPARATION if name in content}
    others = {name: value for name, value in content.items() if name not in PREPARATION}
    return others | {"schema_version": 2, "preparation": preparation}


def _check_keys(content: Any) -> None:
    """Raise ValueError for a preparation with other keys than its own: of dataclasses msgspec doesn't ask that."""
    preparation = content.get("preparation") if isinstance(content, dict) else None
    if isinstance(preparation, dict):
        for name in preparation:
            if name not in PREPARATION:
                raise ValueError(f"preparation.{name}: is no field of a card")
        for name in ("working_minimum", "working_maximum"):
            if name not in preparation:
                raise ValueError(f"preparation.{name}: is missing")


def _in_words(error: Exception) -> str:
    """The first wrong field, and what is wrong with it, on one line whatever a stranger called it."""
    text, _, path = str(error).removesuffix("`").partition(" - at `$")
    place = re.sub(r"\[(?:\.\.\.)?(\d*)\]", r".\1", path).strip(".")
    if missing := re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`?", text, re.DOTALL):
        kind, name = missing.groups()
        place = ".".join(filter(None, (place, name.removesuffix("`"))))
        text = "is missing" if kind == "missing required" else "is no field of a card"
    elif place == "preparation" and (own := re.fullmatch(r"(\w+): (.*)", text)):
        place, text = f"preparation.{own[1]}", own[2]
    words = f"{plain(place)[:LONGEST_NAME]}: {plain(text)}" if place else plain(text)
    return words[: 5 * LONGEST_NAME].rstrip(".")


def _texts(value: Any) -> Iterable[str]:
    """Every text in a field, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _check_finite(value: Any, place: str = "") -> None:
    """Raise ValueError for NaN and infinity, wherever they are: bounds don't hold the first."""
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{place}: {value} is no number that a card can have")
    if isinstance(value, dict | list | tuple):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            _check_finite(part, f"{place}.{key}" if place else str(key))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two equal keys the one that a person reads need not be the one that counts."""
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f"it says twice what {plain(key)[:LONGEST_NAME]!r} is")
        content[key] = value
    return content
