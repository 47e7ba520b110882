"""Nothing that an element says of a person, no UID and no token gets out on the way to and from a server."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pydicom
import pytest

from foveate_command import images_in_record, segment
from made_dicom import MARK, ROOT, everything, marked
from orthanc import between, orthanc, study_of

TOKEN = "a-secret-of-the-tests"


def test_no_marker_no_uid_and_no_token_gets_into_any_output_log_or_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOVEATE_DICOMWEB_TOKEN", TOKEN)
    caplog.set_level(logging.DEBUG)
    dataset = marked()
    with orthanc(tmp_path / "orthanc") as archive, between(archive) as heard:
        archive.upload(dataset)
        ran = segment(
            study_of(heard.address, [dataset]), "-o", tmp_path / "out", "--overlay", "--confidence", "--store"
        )
        assert (ran.status, ran.errors) == (0, [])
        assert heard.tokens == {f"Bearer {TOKEN}"}
        (made,) = archive.segmentations()
        described = json.dumps(archive.ask("GET", f"/dicom-web/studies/{dataset.StudyInstanceUID}/instances"))
        assert MARK in described
    # What the call leaves, but for the DICOM SEG, which is of its patient.
    (object_,) = (tmp_path / "out").rglob("*_seg.dcm")
    object_.rename(tmp_path / "object")
    left = everything(tmp_path / "out") + (ran.out + ran.err + caplog.text + "".join(capfd.readouterr())).encode()
    for kept_in in (MARK, ROOT, TOKEN):
        assert kept_in.encode() not in left
    assert TOKEN.encode() not in made
    assert MARK in str(pydicom.dcmread(io.BytesIO(made)).PatientComments)


def test_what_fails_says_none_either(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    dataset = marked()
    dataset.PhotometricInterpretation = MARK
    with orthanc(tmp_path / "orthanc") as archive:
        archive.upload(dataset)
        ran = segment(study_of(archive.address, [dataset]), "-o", tmp_path / "out", "--store")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "photometric interpretation that isn't read" in ran.errors[0]
    assert [each["status"] for each in images_in_record(tmp_path / "out").values()] == ["failed"]
    left = everything(tmp_path / "out") + (ran.out + ran.err + caplog.text + "".join(capfd.readouterr())).encode()
    for kept_in in (MARK, ROOT):
        assert kept_in.encode() not in left
