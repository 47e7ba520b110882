"""What a DICOM file's elements say of its image, checked before a pixel is decoded."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydicom.uid import SegmentationStorage

from foveate.errors import ImageError
from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.decoding.samples import MAX_PIXELS
from foveate.imaging.dicom.parse import Opened, opened
from foveate.imaging.dicom.window import Window, windows_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pydicom import Dataset

MAX_FRAMES = 1 << 16
"""Frames that a file may have: minutes of film, or the slices of many volumes."""

GREY = ("MONOCHROME1", "MONOCHROME2")
COLOURS = ("RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
"""Photometric interpretations (PS3.3, C.7.6.3.1.2) that are read."""

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""Alone, and with a full stop and more numbers the multi-frame kinds: `….77` are others, such as photographs."""

_SUBJECT = (
    *("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("StudyInstanceUID", "AccessionNumber"),
)
"""Whose image it is, and of which study."""

_DIRECTORY = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Header:
    """The image of one file."""

    rows: int
    columns: int
    frames: int
    samples: int
    """Per pixel: 1 or 3."""
    bits: int
    """Stored, of each sample."""
    allocated: int
    signed: bool
    photometric: str
    """One of `GREY` or `COLOURS`."""
    series: str
    """UID of its series; empty where it has none."""
    subject: str
    """The same for all images of one patient and one study: a hash of what the file says of both."""
    plane: tuple[str, ...]
    """Frame of reference and orientation that its frames lie in; empty where they have no place in space."""
    position: tuple[str, ...]
    """Where in that frame of reference the first of them lies."""
    spacing: tuple[float, float] | None
    """Millimetres between rows and between columns, in the patient; None where the file doesn't say."""
    windows: tuple[Window, ...]
    """That it gives for its frames."""
    segmentation: bool
    """Whether it is itself what somebody found in images."""
    notes: tuple[str, ...]

    @property
    def is_grey(self) -> bool:
        """Whether there is one level for each pixel, which a window shows."""
        return self.photometric in GREY


def header_at(path: Path) -> Header | None:
    """The header of a file's image; None for DICOM without one, such as a report. Raises ImageError or UsageError."""
    with opened(path) as file:
        return header_of(file) if has_image(file) else None


def has_image(file: Opened) -> bool:
    """Whether there are pixels, and a size that they have."""
    return file.pixels is not None and "Rows" in file.dataset and "Columns" in file.dataset


def is_directory(file: Opened) -> bool:
    """Whether it is a DICOMDIR."""
    meta = file.dataset.file_meta
    return bool(meta) and str(meta.get("MediaStorageSOPClassUID", "")) == _DIRECTORY


def header_of(file: Opened) -> Header:
    """The header of a file that has an image. Raises ImageError for one that no image can have."""
    with calling_reader("is a DICOM file whose elements can't be read"):
        dataset = file.dataset
        rows, columns, allocated = (
            _whole(dataset, keyword, least=1) for keyword in ("Rows", "Columns", "BitsAllocated")
        )
        frames = _whole(dataset, "NumberOfFrames", least=0, default=1) or 1
        photometric, samples = _photometric(dataset)
        spacing, notes = _spacing(dataset)
        header = Header(
            rows=rows,
            columns=columns,
            frames=frames,
            samples=samples,
            bits=_whole(dataset, "BitsStored", least=1, default=allocated),
            allocated=allocated,
            signed=_whole(dataset, "PixelRepresentation", least=0, default=0) == 1,
            photometric=photometric,
            series=str(dataset.get("SeriesInstanceUID") or ""),
            subject=_subject(dataset),
            plane=_plane(dataset),
            position=tuple(str(part) for part in _placed(dataset, "Position") or ()),
            spacing=spacing,
            windows=windows_of(dataset) if photometric in GREY else (),
            segmentation=dataset.get("SOPClassUID") == SegmentationStorage,
            notes=(*notes, *_burned_in(dataset)),
        )
        high = _whole(dataset, "HighBit", least=0, default=header.bits - 1)
    if high != header.bits - 1 and photometric in GREY:
        raise ImageError(
            f"is a DICOM file whose {header.bits} bits a sample end at bit {high}, which isn't read; export it again"
        )
    _check(header, file)
    return header


def _whole(dataset: Dataset, keyword: str, *, least: int, default: int | None = None) -> int:
    """An element's whole number. Raises ImageError where it is none, or below `least`."""
    try:
        value = dataset.get(keyword)
        if value is None and default is not None:
            return default
        number = int(value)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise ImageError(f"is a DICOM file whose {keyword} is no number; export it again") from error
    if number < least:
        raise ImageError(f"is a DICOM file whose {keyword} is {number}; export it again")
    return number


def _photometric(dataset: Dataset) -> tuple[str, int]:
    found = dataset.get("PhotometricInterpretation")
    samples = _whole(dataset, "SamplesPerPixel", least=1, default=1)
    photometric = str(found).strip()
    if photometric not in (*GREY, *COLOURS):
        raise ImageError(
            "is a DICOM file of a photometric interpretation that isn't read; read are " + ", ".join((*GREY, *COLOURS))
        )
    meant = 1 if photometric in GREY or photometric == "PALETTE COLOR" else 3
    if samples != meant:
        raise ImageError(f"is a DICOM file of {photometric} with {samples} samples per pixel, not {meant}")
    return photometric, samples


def _check(header: Header, file: Opened) -> None:
    """Refuse what can't be held, and what isn't there in full."""
    size = header.rows * header.columns
    if size > MAX_PIXELS:
        raise ImageError(
            f"claims {header.columns}×{header.rows} pixels, over the limit of {MAX_PIXELS}; crop or shrink it first"
        )
    if header.frames > MAX_FRAMES:
        raise ImageError(f"claims {header.frames} frames, over the limit of {MAX_FRAMES}; take some out of it")
    if header.bits > header.allocated or header.allocated not in (1, 8, 16, 32, 64):
        raise ImageError(f"is a DICOM file with {header.bits} of {header.allocated} bits a sample, which can't be")
    pixels = file.pixels
    if pixels is None:
        return
    needed = header.frames * 8 if pixels.encapsulated else _bytes(header)
    if pixels.length < needed:
        raise ImageError(
            f"is cut short: {pixels.length} of {needed} bytes of pixels are there; copy or export it again"
        )


def _bytes(header: Header) -> int:
    """Of pixels that aren't compressed; YBR_FULL_422 has two samples for each pixel (PS3.3, C.7.6.3.1.2)."""
    samples = 2 if header.photometric == "YBR_FULL_422" else header.samples
    return math.ceil(header.frames * header.rows * header.columns * samples * header.allocated / 8)


def _spacing(dataset: Dataset) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Of the pixels, in the patient; and a note where they aren't square.

    What is measured at a detector (ImagerPixelSpacing) or on film says nothing of the patient.
    """
    measures = [dataset, *(item for group in _groups(dataset) for item in group.get("PixelMeasuresSequence") or ())]
    for item in measures:
        pair = _positive_pair(item.get("PixelSpacing"))
        if pair is not None:
            return pair, _not_square(*pair)
    aspect = _positive_pair(dataset.get("PixelAspectRatio"))
    return None, () if aspect is None else _not_square(*aspect)


def _subject(dataset: Dataset) -> str:
    said = [str(dataset.get(keyword) or "").strip() for keyword in _SUBJECT]
    return hashlib.sha256(repr(said).encode(errors="surrogatepass")).hexdigest()


def _plane(dataset: Dataset) -> tuple[str, ...]:
    """Empty where position or spacing are missing, or the orientation is none: some images name a frame of reference
    all the same."""
    reference = str(dataset.get("FrameOfReferenceUID") or "")
    position, directions = (_numbers(_placed(dataset, what)) for what in ("Position", "Orientation"))
    if not reference or position.shape != (3,) or _spacing(dataset)[0] is None or directions.shape != (6,):
        return ()
    along = directions.reshape(2, 3)
    if not np.allclose(along @ along.T, np.eye(2), atol=1e-3):
        return ()
    return reference, *(f"{number:.4f}" for number in directions)


def _numbers(value: Any) -> NDArray[np.float64]:
    """An element's; none where it is missing, or one of them is no number."""
    try:
        numbers = np.array(value or (), float)
    except (TypeError, ValueError):
        return np.empty(0)
    return numbers if np.isfinite(numbers).all() else np.empty(0)


def _placed(dataset: Dataset, what: Literal["Position", "Orientation"]) -> Any:
    """Position or orientation of the first plane, of a single image or in functional groups; None where it has none."""
    items = [item for group in _groups(dataset) for item in group.get(f"Plane{what}Sequence") or ()]
    return next((found for item in (dataset, *items) if (found := item.get(f"Image{what}Patient"))), None)


def _groups(dataset: Dataset) -> list[Dataset]:
    """Functional groups of all frames, and of the first."""
    shared = list(dataset.get("SharedFunctionalGroupsSequence") or ())
    return shared + list(dataset.get("PerFrameFunctionalGroupsSequence") or ())[:1]


def _positive_pair(value: Any) -> tuple[float, float] | None:
    try:
        first, second = (float(part) for part in value)
    except (TypeError, ValueError):
        return None
    return (first, second) if all(0 < part < math.inf for part in (first, second)) else None


def _not_square(row: float, column: float) -> tuple[str, ...]:
    if math.isclose(row, column, rel_tol=0.01):
        return ()
    return (f"its pixels are not square ({row:g} to {column:g}): taken as if they were",)


def _burned_in(dataset: Dataset) -> tuple[str, ...]:
    """A note where the picture may show who it is of."""
    said = str(dataset.get("BurnedInAnnotation") or "").strip()
    if said == "YES":
        return ("text is burned into the picture, maybe the patient's name: an overlay shows it, too",)
    kind = str(dataset.get("SOPClassUID") or "")
    secondary = kind == _SECONDARY_CAPTURE or kind.startswith(f"{_SECONDARY_CAPTURE}.")
    if secondary and said != "NO":
        return ("a secondary capture that doesn't say whether text is burned into it: an overlay would show it",)
    return ()
