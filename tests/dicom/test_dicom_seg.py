"""DICOM SEG, read by unpacking its bits by hand, and by dicom3tools' validator."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from foveate.imaging.dicom.header import header_at
from foveate_command import names, opened, segment
from green_model import LEAST_GREEN
from made_dicom import CAPTURE, FUNDUS, SLICE, colours, image, saved


def plane(number: int) -> NDArray[np.uint8]:
    """What a slice shows: without a dark border, so that all of it counts."""
    return np.random.default_rng(number).integers(60, 120, (48, 64), dtype=np.uint8)


PATIENT = """
PatientName PatientID IssuerOfPatientID TypeOfPatientID PatientSex PatientBirthDate QualityControlSubject
EthnicGroup OtherPatientIDs
OtherPatientNames OtherPatientIDsSequence PatientComments PatientAlternativeCalendar
PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar PatientSpeciesDescription
PatientBreedDescription StrainDescription
StrainNomenclature StrainAdditionalInformation ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization
PatientIdentityRemoved DeidentificationMethod
ClinicalTrialSponsorName ClinicalTrialProtocolID IssuerOfClinicalTrialProtocolID ClinicalTrialProtocolName
ClinicalTrialSiteID IssuerOfClinicalTrialSiteID ClinicalTrialSiteName ClinicalTrialSubjectID
IssuerOfClinicalTrialSubjectID ClinicalTrialSubjectReadingID IssuerOfClinicalTrialSubjectReadingID
ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolEthicsCommitteeApprovalNumber
"""
"""Modules Patient and Clinical Trial Subject (PS3.3, C.7.1.1 and C.7.1.3)."""

STUDY = """
StudyInstanceUID StudyDate StudyTime ReferringPhysicianName ConsultingPhysicianName StudyID AccessionNumber
StudyDescription PhysiciansOfRecord NameOfPhysiciansReadingStudy RequestingService
AdmittingDiagnosesDescription PatientAge PatientSize PatientWeight PatientState MedicalAlerts Allergies SmokingStatus
Occupation AdditionalPatientHistory AdmissionID ServiceEpisodeID ServiceEpisodeDescription ReasonForVisit
PatientSexNeutered
ClinicalTrialTimePointID ClinicalTrialTimePointDescription
IssuerOfClinicalTrialTimePointID LongitudinalTemporalEventType
"""
"""Modules General Study, Patient Study and Clinical Trial Study (C.7.2.1 to C.7.2.3)."""

PERSONAL = frozenset((PATIENT + STUDY).split())


def planes_of(made: Dataset) -> NDArray[Any]:
    """Frames×H×W: the least significant bit first (PS3.5, 8.1.1), or a byte for each pixel."""
    content = np.frombuffer(made.PixelData, np.uint8)
    shape = int(made.NumberOfFrames), made.Rows, made.Columns
    if made.BitsAllocated == 1:
        content = np.unpackbits(content, bitorder="little")
    return content[: np.prod(shape)].reshape(shape)


def by_source(made: Dataset) -> dict[str, tuple[NDArray[Any], Any]]:
    """Frame and position for each source image."""
    found = {}
    for frame, group in zip(planes_of(made), made.PerFrameFunctionalGroupsSequence, strict=True):
        (reference,) = group.DerivationImageSequence[0].SourceImageSequence
        found[reference.ReferencedSOPInstanceUID] = frame, group.PlanePositionSequence[0].ImagePositionPatient
    return found


def made_of(folder: Path, *datasets: Dataset, form: str = "binary") -> list[Dataset]:
    """The objects that a call makes of images, by name."""
    for number, dataset in enumerate(datasets):
        saved(folder / "in" / f"image{number:02d}", dataset)
    ran = segment(folder / "in", "-o", folder / "out", "--dicom-seg", form)
    assert ran.status == 0, ran.err
    return [pydicom.dcmread(path) for path in sorted((folder / "out").glob("*_seg.dcm"))]


def slices(count: int, **elements: Any) -> list[Dataset]:
    return [image(plane(number), number=number, BitsStored=8, **elements) for number in range(1, count + 1)]


def test_a_series_in_space_is_one_object_with_a_frame_for_each_slice(tmp_path: Path) -> None:
    sources = slices(30)
    (made,) = made_of(tmp_path, *sources)
    assert names(tmp_path / "out") >= {"image29_seg.dcm"}
    frames = planes_of(made)
    assert len(frames) == len(sources)
    for number, source in enumerate(sources):
        frame, position = by_source(made)[source.SOPInstanceUID]
        assert np.array_equal(frame, opened(tmp_path / "out" / f"image{number:02d}_mask.png") > 0)
        assert np.array_equal(frame > 0, plane(number + 1) >= LEAST_GREEN)
        assert position == source.ImagePositionPatient


def test_an_object_says_what_where_and_by_what(tmp_path: Path) -> None:
    sources = slices(2)
    (made,) = made_of(tmp_path, *sources)
    (segment_of_vessels,) = made.SegmentSequence
    kind = segment_of_vessels.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("59820001", "SCT")  # Blood vessel
    category = segment_of_vessels.SegmentedPropertyCategoryCodeSequence[0]
    assert (category.CodeValue, category.CodingSchemeDesignator) == ("91723000", "SCT")  # Anatomical structure
    algorithm = segment_of_vessels.SegmentationAlgorithmIdentificationSequence[0]
    assert (algorithm.AlgorithmName, segment_of_vessels.SegmentAlgorithmType) == ("green", "AUTOMATIC")
    assert len(algorithm.AlgorithmVersion) == 64
    (series,) = made.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == sources[0].SeriesInstanceUID
    referenced = {instance.ReferencedSOPInstanceUID for instance in series.ReferencedInstanceSequence}
    assert referenced == {source.SOPInstanceUID for source in sources}
    shared = made.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].PixelSpacing == sources[0].PixelSpacing
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == sources[0].ImageOrientationPatient
    assert made.FrameOfReferenceUID == sources[0].FrameOfReferenceUID
    assert made.SeriesInstanceUID != sources[0].SeriesInstanceUID
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
        assert made[keyword].value == sources[0][keyword].value


def test_fractions_are_the_probabilities_to_half_a_step_of_255(tmp_path: Path) -> None:
    (made,) = made_of(tmp_path, *slices(2), form="fractional")
    assert (made.SegmentationFractionalType, made.MaximumFractionalValue) == ("PROBABILITY", 255)
    written = [opened(path) / 65535 for path in sorted((tmp_path / "out").glob("*_probability.png"))]
    assert written
    for source, probability in zip(slices(2), written, strict=True):
        frame, _ = by_source(made)[source.SOPInstanceUID]
        assert np.abs(frame / 255 - probability).max() <= 0.5 / 255 + 1e-5  # a step of the 16-bit map


def test_photographs_have_an_object_each_that_keeps_the_laterality(tmp_path: Path) -> None:
    sides = ("R", "L")
    eyes = [
        image(colours(seed=number), FUNDUS, number=number, ImageLaterality=side, PixelSpacing=[0.01, 0.01])
        for number, side in enumerate(sides, start=1)
    ]
    made = made_of(tmp_path, *eyes)
    regions = [each.SegmentSequence[0].AnatomicRegionSequence[0] for each in made]
    modifiers = [region.AnatomicRegionModifierSequence[0].CodeMeaning for region in regions]
    assert [region.CodeMeaning for region in regions] == ["Eye", "Eye"]
    assert modifiers == ["Right", "Left"]
    for each, eye in zip(made, eyes, strict=True):
        assert np.array_equal(
            planes_of(each)[0] > 0, np.frombuffer(eye.PixelData, np.uint8)[1::3].reshape(48, 64) >= 90
        )
        (instance,) = each.ReferencedSeriesSequence[0].ReferencedInstanceSequence
        assert instance.ReferencedSOPInstanceUID == eye.SOPInstanceUID
        assert instance.ReferencedSOPClassUID == FUNDUS
        assert "FrameOfReferenceUID" not in each


def test_frames_without_a_place_have_an_object_each_that_names_the_frame(tmp_path: Path) -> None:
    film = image(np.stack([colours(seed=seed) for seed in range(3)]), FUNDUS)
    made = made_of(tmp_path, film)
    assert len(made) == 3
    for number, each in enumerate(made, start=1):
        (reference,) = each.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence
        assert reference.ReferencedFrameNumber == number
        assert reference.ReferencedSOPInstanceUID == film.SOPInstanceUID


@pytest.mark.parametrize("form", ["binary", "fractional"])
@pytest.mark.parametrize("kind", [SLICE, FUNDUS, CAPTURE])
def test_the_validator_of_dicom3tools_finds_no_error(tmp_path: Path, kind: Any, form: str) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    sources = slices(3) if kind == SLICE else [image(colours(), kind, ImageLaterality="L" if kind == FUNDUS else None)]
    made_of(tmp_path, *sources, form=form)
    for path in (tmp_path / "out").glob("*_seg.dcm"):
        ended = subprocess.run(["dciodvfy", path], capture_output=True, text=True, timeout=60, check=False)
        assert [line for line in (ended.stdout + ended.stderr).splitlines() if line.startswith("Error")] == []


def test_an_object_is_kept_and_made_again_when_one_of_its_slices_is(tmp_path: Path) -> None:
    made_of(tmp_path, *slices(3))
    place = tmp_path / "out" / "image02_seg.dcm"
    before = place.read_bytes()
    again = segment(tmp_path / "in", "-o", tmp_path / "out", "--dicom-seg", "binary")
    assert "0 done, 3 kept" in again.out + again.err
    assert place.read_bytes() == before
    (tmp_path / "out" / "image00_mask.png").unlink()
    again = segment(tmp_path / "in", "-o", tmp_path / "out", "--dicom-seg", "binary")
    assert again.status == 0, again.err
    assert place.read_bytes() != before
    frame, _ = by_source(pydicom.dcmread(place))[slices(1)[0].SOPInstanceUID]
    assert np.array_equal(frame > 0, opened(tmp_path / "out" / "image00_mask.png") > 0)


def test_slices_that_failed_are_said_not_to_be_in_the_object(tmp_path: Path) -> None:
    for number, dataset in enumerate(slices(3)):
        saved(tmp_path / "in" / f"image{number}", dataset)
    broken = tmp_path / "in" / "image1"
    broken.write_bytes(broken.read_bytes()[:-200])
    ran = segment(tmp_path / "in", "-o", tmp_path / "out", "--dicom-seg", "binary")
    assert ran.status == 1
    assert len(planes_of(pydicom.dcmread(tmp_path / "out" / "image2_seg.dcm"))) == 2


def test_an_object_takes_in_a_slice_that_a_call_without_objects_has_made_since(tmp_path: Path) -> None:
    for number, dataset in enumerate(slices(3)):
        saved(tmp_path / "in" / f"image{number}", dataset)
    path, out = tmp_path / "in" / "image1", tmp_path / "out"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    assert segment(tmp_path / "in", "-o", out, "--dicom-seg", "binary").status == 1
    path.write_bytes(whole)
    assert segment(path, "-o", out).status == 0
    assert segment(tmp_path / "in", "-o", out, "--dicom-seg", "binary").status == 0
    assert len(planes_of(pydicom.dcmread(out / "image2_seg.dcm"))) == 3


def test_a_dicom_seg_of_anything_but_dicom_is_refused_in_one_line(tmp_path: Path) -> None:
    from foveate_command import save

    ran = segment(save(tmp_path / "photo.png"), "-o", tmp_path / "out", "--dicom-seg", "binary")
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert "photo.png: is no DICOM file" in ran.errors[-1]
    assert names(tmp_path / "out") == set()


@pytest.mark.parametrize("keyword", ["PatientID", "IssuerOfPatientID", "PatientName", "StudyInstanceUID"])
def test_slices_of_two_patients_or_studies_in_one_series_are_objects_of_their_own(keyword: str, tmp_path: Path) -> None:
    sources = slices(4)
    for number, source in enumerate(sources):
        setattr(source, keyword, f"1.2.{number // 2}")
    made = made_of(tmp_path, *sources)
    assert len(made) == 2
    for each, members in zip(made, (sources[:2], sources[2:]), strict=True):
        assert each.get(keyword, members[0][keyword].value) == members[0][keyword].value
        assert set(by_source(each)) == {source.SOPInstanceUID for source in members}


def test_a_photograph_is_not_taken_for_a_secondary_capture_that_says_nothing_of_burned_in_text(tmp_path: Path) -> None:
    for kind, noted in ((FUNDUS, False), (CAPTURE, True)):
        path = saved(tmp_path / f"{kind}.dcm", image(colours(), kind, BurnedInAnnotation=None))
        header = header_at(path)
        assert header is not None
        assert any("secondary capture" in note for note in header.notes) is noted


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        (["", "ISO 2022 IR 100"], "Müller^Jörg"),
        ("", "Miller^George"),
    ],
)
def test_names_in_characters_of_several_sets_are_the_same_in_the_object(
    character_set: str | list[str], name: str, tmp_path: Path
) -> None:
    source = image(colours(), FUNDUS, SpecificCharacterSet=character_set)
    source.PatientName = name
    (made,) = made_of(tmp_path, source)
    assert str(made.PatientName) == name


def test_references_of_the_study_stay_as_they_are(tmp_path: Path) -> None:
    other = Dataset()
    other.ReferencedSOPClassUID, other.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", "1.2.3"
    source = image(colours(), FUNDUS, ReferencedStudySequence=[other])
    (made,) = made_of(tmp_path, source)
    assert made.ReferencedStudySequence[0].ReferencedSOPClassUID == other.ReferencedSOPClassUID
    (reference,) = made.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert reference.ReferencedSOPClassUID == FUNDUS


def test_slices_of_other_spacing_are_objects_of_their_own(tmp_path: Path) -> None:
    sources = slices(3)
    for source, spacing in zip(sources, (0.5, 0.5, 0.7), strict=True):
        source.PixelSpacing = [spacing, spacing]
    made = made_of(tmp_path, *sources)
    measured = [each.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing for each in made]
    assert sorted(float(spacing[0]) for spacing in measured) == [0.5, 0.7]


def test_a_file_that_is_empty_or_no_image_stops_no_other(tmp_path: Path) -> None:
    saved(tmp_path / "in/eye.dcm", image(colours(), FUNDUS))
    for name, content in (("empty.dcm", b""), ("preamble.dcm", bytes(128) + b"DICM"), ("text.dcm", b"no image")):
        (tmp_path / "in" / name).write_bytes(content)
    ran = segment(*sorted((tmp_path / "in").iterdir()), "-o", tmp_path / "out", "--dicom-seg", "binary")
    assert (ran.status, len(ran.errors)) == (1, 3)
    assert {"eye_mask.png", "eye_seg.dcm"} <= names(tmp_path / "out")


@pytest.mark.parametrize("orientation", [[0] * 6, [1, 0, 0, 1, 0, 0], [2, 0, 0, 0, 2, 0], None])
def test_an_orientation_that_is_none_gives_an_object_without_a_place(
    orientation: list[float] | None, tmp_path: Path
) -> None:
    sources = slices(2)
    for source in sources:
        source.ImageOrientationPatient = orientation
    made = made_of(tmp_path, *sources)
    assert len(made) == 2
    assert all("PlaneOrientationSequence" not in each.SharedFunctionalGroupsSequence[0] for each in made)


def test_a_series_number_that_is_none_counts_as_nothing(tmp_path: Path) -> None:
    source = image(colours(), FUNDUS)
    source.add_new("SeriesNumber", "IS", "")
    source["SeriesNumber"]._value = "seven"
    (made,) = made_of(tmp_path, source)
    assert made.SeriesNumber == 1000


def test_elements_of_older_patient_modules_are_the_sources_too(tmp_path: Path) -> None:
    source = image(colours(), FUNDUS, EthnicGroup="of the test", OtherPatientIDs=["A1", "B2"])
    (made,) = made_of(tmp_path, source)
    assert (made.EthnicGroup, list(made.OtherPatientIDs)) == (source.EthnicGroup, list(source.OtherPatientIDs))


def test_parts_of_one_slice_side_by_side_are_objects_of_their_own(tmp_path: Path) -> None:
    sources = slices(3)
    for number, source in enumerate(sources):
        source.ImagePositionPatient = [10.0 * number, 0.0, 5.0]
    made = made_of(tmp_path, *sources)
    planes = [each.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0] for each in made]
    assert [float(plane.ImagePositionPatient[0]) for plane in planes] == [0.0, 10.0, 20.0]


@pytest.mark.parametrize("position", [["a", "b", "c"], ["1", "2"], ["nan", "0", "0"]])
def test_a_position_that_is_none_gives_an_object_without_a_place(position: list[str], tmp_path: Path) -> None:
    source = slices(1)[0]
    source["ImagePositionPatient"]._value = position
    (made,) = made_of(tmp_path, source)
    assert "PlanePositionSequence" not in made.PerFrameFunctionalGroupsSequence[0]
