"""Nothing that an element says of a person gets into names, lines, records, tables or pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from foveate_command import segment
from made_dicom import CAPTURE, colours, image, saved
from pydicom import Dataset
from pydicom.datadict import DicomDictionary, keyword_for_tag, tag_for_keyword
from pydicom.tag import Tag

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


def test_no_marker_in_any_element_gets_into_any_output(tmp_path: Path) -> None:
    dataset = marked()
    assert sum(MARK in str(element.value) for element in dataset) > 500
    path = saved(tmp_path / "in" / "scan", dataset)
    ran = segment(path, "-o", tmp_path / "out", "--overlay", "--probabilities", "--confidence")
    assert ran.status == 0, ran.err
    assert MARK.encode() in path.read_bytes()
    assert MARK.encode() not in everything(tmp_path / "out")
    assert MARK not in ran.out + ran.err


@pytest.mark.parametrize(
    "element",
    [
        "PhotometricInterpretation",
        "Rows",
        "NumberOfFrames",
        "WindowCenter",
        "PixelSpacing",
        "SOPClassUID",
        "BitsStored",
    ],
)
def test_no_marker_in_an_element_that_is_used_gets_into_an_error(
    element: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "in" / "scan", image(colours(), CAPTURE))
    content = path.read_bytes()
    place = (
        content.index(
            Tag(tag_for_keyword(element) or 0).group.to_bytes(2, "little")
            + int(Tag(tag_for_keyword(element) or 0).element).to_bytes(2, "little")
        )
        if element in image(colours(), CAPTURE)
        else -1
    )
    if place >= 0:
        path.write_bytes(
            content[:place] + content[place : place + 4] + b"LO\x06\0" + MARK.encode() + content[place + 8 :]
        )
    ran = segment(path, "-o", tmp_path / "out")
    assert len(ran.errors) <= 1 or ran.status == 0
    assert MARK not in ran.out + ran.err + "".join(capfd.readouterr())


def test_a_dicom_seg_has_the_patient_and_study_of_its_source_and_no_other_words(tmp_path: Path) -> None:
    from test_dicom_seg import STUDY, made_of

    dataset = marked()
    (made,) = made_of(tmp_path, dataset)
    carried = {keyword_for_tag(element.tag) for element in made if MARK in str(element.value)}
    assert carried <= STUDY
    for keyword in STUDY & {element.keyword for element in dataset}:
        assert made.get(keyword) == dataset.get(keyword), keyword
    assert {"PatientName", "PatientID", "PatientComments", "StudyDescription"} <= carried
    assert not np.any([element.tag.is_private for element in made])
