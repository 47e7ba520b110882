"""`segment.json`: what was segmented, by what, into what. One per output folder, added to by every call."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foveate.errors import OutputError
from foveate.imaging import write_text
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


class ImageRecord(Closed):
    """One image. Sizes in pixels, of the upright image; outputs by kind, as file names in the record's folder."""

    input: str
    sha256: str = Field(description="Of the input file; empty where it could not be read.")
    status: Literal["done", "failed"]
    error: str = ""
    height: int = 0
    width: int = 0
    fov_diameter: float = 0.0
    outputs: dict[str, str] = {}
    expected_f1: dict[str, Expected] = Field(
        default={}, description="By class, where it was asked for: what the mask would probably score."
    )
    model: ModelUsed | None = None
    seconds: float = Field(default=0.0, description="From reading the file to the last output on disk.")
    notes: tuple[str, ...] = ()


class FolderRecord(Closed):
    """All images of one output folder, by the NAME of their outputs."""

    schema_version: Literal[1] = 1
    notice: str = "For research, not a medical device."
    versions: dict[str, str] = {}
    images: dict[str, ImageRecord] = {}


def read_record(folder: Path) -> FolderRecord:
    """The record of an output folder; an empty one where there is none. Raises OutputError for one that isn't ours."""
    path = folder / RECORD
    try:
        return FolderRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return FolderRecord()
    except OSError as error:
        raise OutputError(f"{path}: can't be read ({error.strerror}). Choose another --out.") from error
    except ValidationError as error:
        raise OutputError(
            f"{path}: is no record of foveate's, so nothing was written. Move it away or choose another --out."
        ) from error


def write_record(folder: Path, images: dict[str, ImageRecord]) -> None:
    """Write the record with the versions that run now. Raises OutputError."""
    versions = {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES}
    record = FolderRecord(versions=versions, images=images)
    write_text(record.model_dump_json(indent=2) + "\n", folder / RECORD)


def readable(text: object) -> str:
    """Text as JSON can hold it: bytes of a file name that are no UTF-8 become question marks in a diamond."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
