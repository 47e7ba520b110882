"""The record of an output folder: what was segmented, by what, into what. Every call adds to it.

It is there twice: `segment.json`, which is read again, with a line for each image, and `segment.csv`, a table that a
spreadsheet opens. A hundred thousand images are a hundred megabytes in memory: msgspec's structs are a third of what
other records are, and what many images have in common is held once.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from foveate.errors import OutputError
from foveate.imaging import csv_text
from foveate.inference.procedure import Procedure
from foveate.inference.segmentation import ExpectedF1
from foveate.models import ModelCard
from foveate.runtime import Execution

RECORD = "segment.json"
TABLE = "segment.csv"
PACKAGES = {
    "foveate": "foveate",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "pillow": "PIL",
    "pydicom": "pydicom",
    "tifffile": "tifffile",
    "torch": "torch",
}
"""Whose versions are recorded where they are loaded, and the module that tells its own: to look through what is
installed would take as long as to find the field of view."""

_BYTE_ORDER_MARK = "\ufeff"
"""By it, spreadsheets know that names are in UTF-8."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read-only, and closed to unknown keys."""


class ModelUsed(Entry, frozen=True, kw_only=True):
    """The model that made a mask, and what was done beyond one pass."""

    name: str
    sha256: str
    thresholds: tuple[float, ...]
    threshold_from: str
    passes: str = "one forward pass"
    post_processing: str = "none"

    @classmethod
    def of(cls, card: ModelCard, procedure: Procedure) -> ModelUsed:
        """What of a card, and of what was done beyond it, belongs into the record."""
        return cls(
            name=card.name,
            sha256=card.sha256,
            thresholds=card.thresholds,
            threshold_from=card.threshold_from,
            passes=procedure.passes,
            post_processing=procedure.steps_with(card),
        )


class Output(Entry, frozen=True, kw_only=True, omit_defaults=True):
    """A complete output that the record vouches for."""

    file: str
    """Its path below the record's folder, with slashes."""
    sha256: str
    """Of the file; empty where the record was begun by foveate 0.1, which kept none."""
    images: int = 0
    """Of how many a DICOM SEG is; 0 for any other output."""
    stored: str = ""
    """The DICOMweb server that has taken it."""


class ImageRecord(Entry, frozen=True, kw_only=True):
    """One image. Sizes in pixels, of the upright image; outputs by kind."""

    turn: int = 0
    """Counts the calls that took the image on; the word of the last one holds."""
    input: str
    input_bytes: int = 0
    """The input file's size when it was taken on."""
    sha256: str = ""
    """Of the input file; empty where it was not read."""
    status: Literal["announced", "done", "failed"]
    """announced: a call was at it, or still is, and has not said what became of it."""
    error: str = ""
    options: str = ""
    """How a volume was taken apart, in words; empty for images."""
    height: int = 0
    width: int = 0
    slices: int = 0
    """Of a volume; 0 for an image. Height and width are those of a slice then."""
    spacing_mm: tuple[float, ...] | None = None
    """Between rows and between columns, where the file says so; of a volume before these between slices."""
    fov_diameter: float = 0.0
    outputs: dict[str, Output] = {}
    announced: dict[str, str] = {}
    """By kind: outputs that may be there, in full or not, and that nobody vouches for."""
    areas: dict[str, float] = {}
    """By class: the mask's share of the FOV's pixels."""
    volumes_ml: dict[str, float] = {}
    """By class: the mask's millilitres, of a volume."""
    expected_f1: dict[str, ExpectedF1] = {}
    """By class, where it was asked for: what the mask would probably score."""
    model: ModelUsed | None = None
    execution: Execution | None = None
    """What ran the model, and where."""
    seconds: float = 0.0
    """Of work on it: reading, segmenting and writing, without waiting for other images."""
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> set[str]:
        """All outputs that are this image's, whether they are there yet or not."""
        return {output.file for output in self.outputs.values()} | set(self.announced.values())


class FolderRecord(Entry, frozen=True, kw_only=True):
    """All images of one output folder, by the NAME of their outputs; each is an `ImageRecord` as it is written."""

    schema_version: Literal[2] = 2
    notice: str = "For research, not a medical device."
    versions: dict[str, str] = {}
    images: dict[str, msgspec.Raw] = {}


class _Version(msgspec.Struct):
    """What a record says first."""

    schema_version: int = 1


class Common:
    """What many images have in common, each held once."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def shared(self, image: ImageRecord) -> ImageRecord:
        """The same entry, with its model, execution and notes those of the images before it where these are equal."""
        same = {name: self._once(getattr(image, name)) for name in ("model", "execution", "notes")}
        return msgspec.structs.replace(image, **same)

    def _once(self, value: Any) -> Any:
        return self._known.setdefault(value, value)


def read_record(folder: Path) -> Iterator[tuple[str, ImageRecord]]:
    """The images of an output folder by NAME, one after the other; none where there is no record.

    Raises OutputError for a record that isn't ours.
    """
    path = folder / RECORD
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{path}: can't be read ({error.strerror}). Choose another --out.") from error
    try:
        if msgspec.json.decode(text, type=_Version).schema_version == 1:
            yield from _images_of_version_1(text)
        else:
            decoder = msgspec.json.Decoder(ImageRecord)
            for name, image in msgspec.json.decode(text, type=FolderRecord).images.items():
                yield name, decoder.decode(image)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise OutputError(
            f"{path}: is no record of this foveate's, so nothing was written. Move it away or choose another --out."
        ) from error


def _images_of_version_1(text: bytes) -> Iterator[tuple[str, ImageRecord]]:
    """Of a record of foveate 0.1, which names its outputs and keeps no SHA-256 of them."""
    content: dict[str, Any] = json.loads(text)
    for name, image in content["images"].items():
        named = image.get("outputs", {})
        image["outputs"] = {kind: {"file": file, "sha256": ""} for kind, file in named.items()}
        yield name, msgspec.convert(image, ImageRecord)


def as_json(images: Mapping[str, ImageRecord]) -> bytes:
    """The record's text, with the versions of what is loaded."""
    encoder = msgspec.json.Encoder()
    # An empty record, opened where its images belong, which are last.
    text = bytearray(encoder.encode(FolderRecord(versions=_versions())).removesuffix(b"}}"))
    for number, (name, image) in enumerate(images.items()):
        text += b",\n" if number else b"\n"
        encoder.encode_into(name, text, -1)
        text += b":"
        encoder.encode_into(image, text, -1)
    text += b"\n}}\n"
    return bytes(text)


def _versions() -> dict[str, str]:
    loaded = {name: sys.modules.get(module) for name, module in PACKAGES.items()}
    return {"python": platform.python_version()} | {
        name: str(module.__version__) for name, module in loaded.items() if module is not None
    }


def as_csv(images: Mapping[str, ImageRecord]) -> str:
    """The table's text. Areas are shares of the field of view's pixels; what is not known is an empty cell."""
    areas = list(dict.fromkeys(name for image in images.values() for name in image.areas))
    expected = list(dict.fromkeys(name for image in images.values() for name in image.expected_f1))
    millilitres = list(dict.fromkeys(name for image in images.values() for name in image.volumes_ml))
    header = ["image", "status", "masks", "width", "height", *["slices"] * bool(millilitres)]
    header += [*(f"area_{name}" for name in areas), *(f"volume_ml_{name}" for name in millilitres)]
    header += [*(f"expected_f1_{name}" for name in expected), "seconds", "model", "note"]
    rows = (_row(image, areas, millilitres, expected) for image in images.values())
    return _BYTE_ORDER_MARK + csv_text([header, *rows])


def _row(image: ImageRecord, areas: list[str], millilitres: list[str], expected: list[str]) -> list[object]:
    masks = [output.file for kind, output in image.outputs.items() if kind.endswith("mask")]
    scores = [image.expected_f1.get(name) for name in expected]
    return [
        image.input,
        image.status,
        "; ".join(masks),
        image.width or None,
        image.height or None,
        *[image.slices or None] * bool(millilitres),
        *(image.areas.get(name) for name in areas),
        *(image.volumes_ml.get(name) for name in millilitres),
        *(None if score is None else round(score.value, 4) for score in scores),
        image.seconds or None,
        image.model.name if image.model else None,
        "; ".join([image.error] * bool(image.error) + list(image.notes)),
    ]


def readable(text: object) -> str:
    """Text as JSON can hold it: bytes of a file name that are no UTF-8 become question marks in a diamond."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
