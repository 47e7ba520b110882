"""Masks, or probabilities, of DICOM images as a DICOM Segmentation (PS3.3, A.51), by highdicom.

Patient and study modules are the source's, character for character; nothing else of its texts goes over.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from highdicom.seg import Segmentation as SegmentationObject
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import SecondaryCaptureImageStorage

from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.dicom.codes import property_of
from foveate.imaging.dicom.parse import opened

_REQUIRED_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("AccessionNumber", "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName"),
)
"""Of the patient and study modules: there, and empty, where the source lacks them (type 2)."""

_CHECKED = ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime")
"""Of these, highdicom refuses values that some devices write."""

_LEFT_OUT = ("EthnicGroup", "OtherPatientIDs")
"""Of the patient module of older editions, which highdicom doesn't copy."""

_NOT_OURS = (
    "ContributingEquipmentSequence",
    *("ContainerIdentifier", "IssuerOfTheContainerIdentifierSequence", "AlternateContainerIdentifierSequence"),
    *("ContainerTypeCodeSequence", "ContainerDescription", "ContainerComponentSequence", "SpecimenDescriptionSequence"),
)
"""Device, institution and specimen, which highdicom copies too: of texts only those of patient and study go over."""

_OPHTHALMIC = ("OP", "OPT", "OAM", "OPM", "OPR", "OPV")
"""Modalities of eyes."""

_TO_SOURCES = ("ReferencedSeriesSequence", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
"""Where an object refers to the images that it is of; other references are the source's own."""

_PLACE = ("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient")
"""What highdicom takes for a place in space, also where it is half of one."""

_BODY = Code("123037004", "SCT", "Body structure")
_SIDES = {"L": codes.SCT.Left, "R": codes.SCT.Right}

_SERIES_NUMBERS = 1000
"""Added to the source's series number."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """What made the masks."""

    name: str
    version: str
    """That of the model: its SHA-256."""
    software: str
    """That of foveate."""
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """A frame of a source image."""

    elements: Path | bytes
    """Of its file, at least those before the pixels."""
    frame: int
    """From 0."""
    frames: int
    """That the file has."""


def encode_segmentation(
    sources: Sequence[SourceFrame],
    planes: NDArray[Any],
    names: Sequence[str],
    algorithm: Algorithm,
    *,
    in_space: bool,
) -> bytes:
    """A DICOM SEG of N planes and K classes as the bytes of a file.

    `planes` is N×K×H×W: bool for a binary object, floats from 0 to 1 for a fractional one of probabilities, which has
    255 steps. `in_space`: the sources, all of one series, have places in a frame of reference; where they have none, N
    is 1, as the standard has it. Raises ImageError for sources that no such object can refer to.
    """
    with calling_reader("no DICOM SEG can refer to this image, as it lacks what identifies one (DICOM)"):
        datasets, ordered = _arranged(sources, planes, in_space=in_space)
        made = SegmentationObject(
            source_images=datasets,
            pixel_array=np.moveaxis(ordered, 1, -1),
            segmentation_type=SegmentationTypeValues.BINARY
            if planes.dtype == bool
            else SegmentationTypeValues.FRACTIONAL,
            segment_descriptions=[_segment(number, name, algorithm) for number, name in enumerate(names, start=1)],
            series_instance_uid=highdicom.UID(),
            series_number=_SERIES_NUMBERS + _series_number(datasets[0]),
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer="foveate",
            manufacturer_model_name="foveate",
            software_versions=algorithm.software,
            device_serial_number=algorithm.version[:16],
            content_label="SEGMENTATION",
            content_description=f"{algorithm.name}, for research"[:64],
            series_description=f"{algorithm.name}, for research"[:64],
            max_fractional_value=255,
            omit_empty_frames=False,
        )
        with opened(sources[0].elements) as file:
            _finish(made, file.dataset, sources[0], in_space=in_space)
        content = io.BytesIO()
        made.save_as(content)
        return content.getvalue()


def _series_number(dataset: Dataset) -> int:
    """Of the source; 0 where it says none that is a number from 0 on."""
    try:
        return max(0, int(dataset.get("SeriesNumber") or 0))
    except (TypeError, ValueError, OverflowError):
        return 0


def _arranged(
    sources: Sequence[SourceFrame], planes: NDArray[Any], *, in_space: bool
) -> tuple[list[Dataset], NDArray[Any]]:
    """The sources' elements and the planes as highdicom takes them: a frame for each file, or all frames of one."""
    first = sources[0]
    if first.frames == 1 and in_space:
        return [_elements(source.elements) for source in sources], planes
    dataset = _elements(first.elements)
    if not in_space:
        # Of classes that may have frames, highdicom asks for functional groups, which photographs and films have not.
        dataset.SOPClassUID, dataset.NumberOfFrames = SecondaryCaptureImageStorage, 1
        for keyword in _PLACE:
            if keyword in dataset:
                delattr(dataset, keyword)
        return [dataset], planes
    ordered = np.zeros((first.frames, *planes.shape[1:]), planes.dtype)
    for source, plane in zip(sources, planes, strict=True):
        ordered[source.frame] = plane
    return [dataset], ordered


def _elements(source: Path | bytes) -> Dataset:
    with opened(source) as file:
        dataset = copy(file.dataset)
        character_set = dataset.get("SpecificCharacterSet", "ISO_IR 6")
        if not (character_set and isinstance(character_set, str)):
            # highdicom takes one set alone; Unicode has the characters of all of them.
            dataset.decode()
            dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _REQUIRED_EMPTY:
        if keyword not in dataset or keyword in _CHECKED:
            setattr(dataset, keyword, "")
    return dataset


def _segment(number: int, name: str, algorithm: Algorithm) -> SegmentDescription:
    meaning = property_of(name)
    return SegmentDescription(
        segment_number=number,
        segment_label=name,
        segmented_property_category=meaning.category,
        segmented_property_type=meaning.kind,
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=algorithm.name,
            family=codes.DCM.ArtificialIntelligence,
            version=algorithm.version,
            source="foveate",
            parameters=algorithm.parameters,
        ),
    )


def _finish(made: Dataset, original: Dataset, source: SourceFrame, *, in_space: bool) -> None:
    """What highdicom leaves to whoever calls it, or would have otherwise."""
    for keyword in _NOT_OURS:
        if keyword in made:
            delattr(made, keyword)
    if made.get("LossyImageCompression") not in ("00", "01", None):
        del made.LossyImageCompression
    for keyword in (*_CHECKED, *_LEFT_OUT):
        if keyword in original:
            made[keyword] = original[keyword]
    side = _SIDES.get(original.get("ImageLaterality") or original.get("Laterality") or "")
    if side is not None:
        for segment in made.SegmentSequence:
            segment.AnatomicRegionSequence = [_region(original, side)]
    if not in_space:
        made.PatientOrientation = ""
        _refer_to(made, original.SOPClassUID, source)


def _region(original: Dataset, side: Code) -> Dataset:
    """Where in the body, and on which side (PS3.16, CID 244); in an object the series' own Laterality can't be."""
    eye = original.get("Modality") in _OPHTHALMIC
    region: Dataset = highdicom.sr.CodedConcept.from_code(codes.SCT.Eye if eye else _BODY)
    region.AnatomicRegionModifierSequence = [highdicom.sr.CodedConcept.from_code(side)]
    return region


def _refer_to(made: Dataset, kind: str, source: SourceFrame) -> None:
    """Give references the class that the source has, and its frame where it has several."""
    for item in (item for keyword in _TO_SOURCES for item in made.get(keyword) or ()):
        for element in item.iterall():
            if element.keyword == "ReferencedSOPClassUID":
                element.value = kind
    groups = made.PerFrameFunctionalGroupsSequence if source.frames > 1 else ()
    for derivation in (each for group in groups for each in group.get("DerivationImageSequence") or ()):
        for reference in derivation.SourceImageSequence:
            reference.ReferencedFrameNumber = source.frame + 1
