"""Nothing that an element says of a person gets into names, lines, records, tables or pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag
from test_dicom_seg import PERSONAL, made_of

from foveate_command import segment
from made_dicom import CAPTURE, MARK, colours, everything, image, marked, saved


def test_no_marker_in_any_element_gets_into_any_output(tmp_path: Path) -> None:
    dataset = marked()
    assert sum(MARK in str(element.value) for element in dataset) > 500
    path = saved(tmp_path / "in" / "scan", dataset)
    ran = segment(path, "-o", tmp_path / "out", "--overlay", "--probabilities", "--confidence")
    assert ran.status == 0, ran.err
    assert MARK.encode() in path.read_bytes()
    assert MARK.encode() not in everything(tmp_path / "out")
    assert MARK not in ran.out + ran.err


@pytest.mark.parametrize("element", ["PhotometricInterpretation", "PixelSpacing", "SOPClassUID", "BitsStored", "Rows"])
def test_a_marker_in_an_element_that_is_used_gets_into_no_error(
    element: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = image(colours(), CAPTURE, PixelSpacing=[1, 1])
    path = saved(tmp_path / "scan", dataset)
    tag = Tag(tag_for_keyword(element) or 0)
    content, head = path.read_bytes(), tag.group.to_bytes(2, "little") + tag.elem.to_bytes(2, "little")
    before = content.index(head)
    after = before + 8 + int.from_bytes(content[before + 6 : before + 8], "little")
    path.write_bytes(content[:before] + head + b"LO\x06\0" + MARK.encode() + content[after:])
    ran = segment(path, "-o", tmp_path / "out")
    assert len(ran.errors) == (element not in ("PixelSpacing", "SOPClassUID"))
    assert MARK not in ran.out + ran.err + "".join(capfd.readouterr())
    assert MARK.encode() not in everything(tmp_path / "out")


def test_a_dicom_seg_has_the_patient_and_study_of_its_source_and_no_other_words(tmp_path: Path) -> None:
    dataset = marked()
    (made,) = made_of(tmp_path, dataset)
    carried = {element.keyword for element in made if MARK in str(element.value)}
    assert carried - PERSONAL == set()
    assert {"PatientName", "PatientID", "PatientComments", "StudyDescription"} <= carried
    for keyword in PERSONAL & {element.keyword for element in dataset}:
        assert made.get(keyword) == dataset.get(keyword), keyword
    assert not any(element.tag.is_private for element in made.iterall())
