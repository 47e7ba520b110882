"""`segment.json`: what was segmented, by what, into what. One per output folder, added to by every call."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foveate.errors import OutputError
from foveate.inference.refinement import Refinement
from foveate.models import ModelCard

RECORD = "segment.json"
PACKAGES = ("foveate", "numpy", "onnxruntime", "pillow", "tifffile")


class Closed(BaseModel):
    """Read-only, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelUsed(Closed):
    """The model that made a mask."""

    name: str
    sha256: str
    thresholds: tuple[float, ...]
    threshold_from: str
    passes: str = "one forward pass"
    post_processing: str = "none"

    @classmethod
    def of(cls, card: ModelCard, refinement: Refinement) -> ModelUsed:
        """What of a card, and of what was done beyond it, belongs into the record."""
        return cls(
            name=card.name,
            sha256=card.sha256,
            thresholds=card.thresholds,
            threshold_from=card.threshold_from,
            passes=refinement.passes,
            post_processing=refinement.steps,
        )


class Expected(Closed):
    """What a mask would probably score, with its interval where the model's card has one."""

    value: float
    low: float | None
    high: float | None


class Output(Closed):
    """A complete output that the record vouches for."""

    file: str = Field(description="Its path below the record's folder, with slashes.")
    sha256: str = Field(description="Of the file; empty where the record was begun by foveate 0.1, which kept none.")


class ImageRecord(Closed):
    """One image. Sizes in pixels, of the upright image; outputs by kind."""

    turn: int = Field(default=0, description="Counts the calls that took the image on; the word of the last one holds.")
    input: str
    input_bytes: int = Field(default=0, description="The input file's size when it was taken on.")
    sha256: str = Field(default="", description="Of the input file; empty where it was not read.")
    status: Literal["announced", "done", "failed"] = Field(
        description="announced: a call was at it, or still is, and has not said what became of it."
    )
    error: str = ""
    height: int = 0
    width: int = 0
    fov_diameter: float = 0.0
    outputs: dict[str, Output] = {}
    announced: dict[str, str] = Field(
        default={}, description="By kind: outputs that may be there, in full or not, and that nobody vouches for."
    )
    areas: dict[str, float] = Field(default={}, description="By class: the mask's share of the FOV's pixels.")
    expected_f1: dict[str, Expected] = Field(
        default={}, description="By class, where it was asked for: what the mask would probably score."
    )
    model: ModelUsed | None = None
    seconds: float = Field(default=0.0, description="From reading the file to the last output on disk.")
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> set[str]:
        """All outputs that are this image's, whether they are there yet or not."""
        return {output.file for output in self.outputs.values()} | set(self.announced.values())


class FolderRecord(Closed):
    """All images of one output folder, by the NAME of their outputs."""

    schema_version: Literal[2] = 2
    notice: str = "For research, not a medical device."
    versions: dict[str, str] = {}
    images: dict[str, ImageRecord] = {}


def read_record(folder: Path) -> FolderRecord:
    """The record of an output folder; an empty one where there is none. Raises OutputError for one that isn't ours."""
    path = folder / RECORD
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return FolderRecord()
    except OSError as error:
        raise OutputError(f"{path}: can't be read ({error.strerror}). Choose another --out.") from error
    try:
        return FolderRecord.model_validate_json(text)
    except ValidationError:
        return _read_version_1(text, path)


def _read_version_1(text: bytes, path: Path) -> FolderRecord:
    """A record of foveate 0.1, which names its outputs and keeps no SHA-256 of them."""
    try:
        content: dict[str, Any] = json.loads(text)
        if content.get("schema_version", 1) != 1:
            raise ValueError("a later version")
        for image in content["images"].values():
            named = image.get("outputs", {})
            image["outputs"] = {kind: {"file": file, "sha256": ""} for kind, file in named.items()}
        return FolderRecord.model_validate(content | {"schema_version": 2})
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise OutputError(
            f"{path}: is no record of this foveate's, so nothing was written. Move it away or choose another --out."
        ) from error


def as_json(images: Mapping[str, ImageRecord]) -> str:
    """The record's text, with the versions that run now."""
    versions = {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
    return FolderRecord(versions=versions, images=dict(images)).model_dump_json(indent=2) + "\n"


def readable(text: object) -> str:
    """Text as JSON can hold it: bytes of a file name that are no UTF-8 become question marks in a diamond."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
