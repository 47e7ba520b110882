"""DICOM files made for tests, by pydicom: an image of a person who is nobody, with one thing or another about it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    OphthalmicPhotography8BitImageStorage,
    SecondaryCaptureImageStorage,
    generate_uid,
)

FUNDUS, SLICE, CAPTURE = OphthalmicPhotography8BitImageStorage, MRImageStorage, SecondaryCaptureImageStorage
ROOT = "1.2.826.0.1.3680043.10.1."


def ramp(height: int = 48, width: int = 64, largest: int = 4095) -> NDArray[np.uint16]:
    """Every level from 0 to about `largest`, in order."""
    return np.linspace(0, largest, height * width).reshape(height, width).astype(np.uint16)


def colours(height: int = 48, width: int = 64, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def image(pixels: NDArray[Any], kind: UID = SLICE, number: int = 1, **elements: Any) -> Dataset:
    """The elements of an image: (frames×)H×W grey or (frames×)H×W×3 colour; `elements` by keyword, None: without."""
    colour = pixels.shape[-1] == 3
    frames = pixels.shape[0] if pixels.ndim == 3 + colour else 0
    rows, columns = pixels.shape[-3:-1] if colour else pixels.shape[-2:]
    found = Dataset()
    given: dict[str, Any] = {
        "SOPClassUID": kind,
        "SOPInstanceUID": f"{ROOT}3.{number}",
        "StudyInstanceUID": f"{ROOT}1",
        "SeriesInstanceUID": f"{ROOT}2",
        "Modality": "OP" if kind == FUNDUS else "MR" if kind == SLICE else "OT",
        "PatientName": "Doe^Jane",
        "PatientID": "4711",
        "PatientBirthDate": "19700101",
        "PatientSex": "F",
        "AccessionNumber": "",
        "StudyID": "1",
        "StudyDate": "20200101",
        "StudyTime": "120000",
        "ReferringPhysicianName": "",
        "Manufacturer": "Nobody",
        "SeriesNumber": 3,
        "InstanceNumber": number,
        "BurnedInAnnotation": "NO",
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "PlanarConfiguration": 0 if colour else None,
        "NumberOfFrames": frames or None,
        "BitsAllocated": pixels.dtype.itemsize * 8,
        "BitsStored": pixels.dtype.itemsize * 8,
        "HighBit": pixels.dtype.itemsize * 8 - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        **(in_space(number) if kind == SLICE else {}),
    }
    for keyword, value in (given | elements).items():
        if value is not None:
            setattr(found, keyword, value)
    if "PixelData" not in found:
        content = pixels.tobytes()
        found.PixelData = content + b"\0" * (len(content) % 2)
    found["PixelData"].VR = "OW" if found.BitsAllocated > 8 else "OB"
    return found


def in_space(number: int) -> dict[str, Any]:
    """Where a slice lies: three millimetres from the next."""
    return {
        "FrameOfReferenceUID": f"{ROOT}4",
        "ImagePositionPatient": [-10, -20, 3 * number],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [0.5, 0.5],
        "SliceThickness": 3,
    }


def packed(
    dataset: Dataset, syntax: UID = ExplicitVRLittleEndian, *, preamble: bool = True, meta: bool = True
) -> bytes:
    """The bytes of a file, with or without what stands before its elements."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.ImplementationClassUID = generate_uid()
    file = io.BytesIO()
    if meta:
        dataset.save_as(file, enforce_file_format=True)
        return file.getvalue() if preamble else file.getvalue()[132:]
    del dataset.file_meta
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dataset.save_as(file, implicit_vr=implicit, little_endian=little)
    return file.getvalue()


def saved(path: Path, dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(dataset, syntax))
    return path


TEXTS = {"LO": 64, "LT": 400, "PN": 64, "SH": 16, "ST": 400, "UC": 400, "UT": 400, "CS": 16, "AE": 16}
"""Representations that hold words, with how many characters."""

MARK = "MARKER"
STRUCTURE = {"PhotometricInterpretation", "SpecificCharacterSet", "BurnedInAnnotation"}
"""What says how the picture is stored."""


def marked() -> Dataset:
    """A picture in which every element of words, in groups of the data set, holds a marker, and private ones do."""
    dataset = image(colours(), CAPTURE)
    for number, (representation, _, _, retired, keyword) in DicomDictionary.items():
        if (
            representation in TEXTS
            and keyword
            and not retired
            and keyword not in STRUCTURE
            and 8 <= number >> 16 < 0x70
        ):
            setattr(dataset, keyword, f"{MARK}{number:08X}"[: TEXTS[representation]])
    block = dataset.private_block(0x0099, f"{MARK} MAKER", create=True)
    for number, representation in enumerate(TEXTS):
        block.add_new(number, representation, f"{MARK}PRIVATE{number}"[: TEXTS[representation]])
    item = Dataset()
    item.PatientName = f"{MARK}^NESTED"
    dataset.OtherPatientIDsSequence = [item]
    return dataset


def everything(folder: Path) -> bytes:
    """Names and contents of all files below a folder."""
    return b"".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in sorted(folder.rglob("*.*")))
