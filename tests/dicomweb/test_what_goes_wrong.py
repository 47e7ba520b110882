"""Servers that fail: for a moment, for one image, or altogether. Each is one line, and says no UID and no token."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from foveate.inference.dicomweb import connection
from foveate_command import images_in_record, segment
from made_dicom import ROOT, image, packed
from orthanc import Archive, Between, Plan, Said, between, free_port, orthanc, study_of

TOKEN = "a-secret-of-the-tests"
JSON = "application/dicom+json"
AGAIN = {"Retry-After": "0"}


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOVEATE_DICOMWEB_TOKEN", TOKEN)
    monkeypatch.setattr(connection, "FIRST_WAIT", 0.01)


def slices(count: int) -> list[Dataset]:
    planes = [np.random.default_rng(number).integers(60, 120, (48, 64), dtype=np.uint8) for number in range(count)]
    return [image(plane, number=number) for number, plane in enumerate(planes, start=1)]


def described(dataset: Dataset) -> dict[str, Any]:
    """As a server says it, which leaves the pixels out."""
    found: dict[str, Any] = dataset.to_json_dict(bulk_data_threshold=0, bulk_data_element_handler=lambda element: "x")
    return found


class Small:
    """A DICOMweb server of one series, in a few lines, whose answers a test may replace."""

    def __init__(self, datasets: list[Dataset], instead: Plan = lambda method, path, before: None) -> None:
        self.datasets, self.instead, self.stored = datasets, instead, 0

    def __call__(self, method: str, path: str, before: int) -> Said:
        return self.instead(method, path, before) or self.own(method, path)

    def own(self, method: str, path: str) -> Said:
        if method == "POST":
            self.stored += 1
            return Said(200, b"{}", JSON)
        if path.endswith("/series?offset=0"):
            series = {"0020000E": {"vr": "UI", "Value": [self.datasets[0].SeriesInstanceUID]}}
            return Said(200, json.dumps([series]).encode(), JSON)
        if path.endswith("/metadata"):
            return Said(200, json.dumps([described(each) for each in self.datasets]).encode(), JSON)
        for each in self.datasets:
            if path.endswith(f"/instances/{each.SOPInstanceUID}"):
                content = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + packed(each) + b"\r\n--b--"
                return Said(200, content, "multipart/related; type=application/dicom; boundary=b")
        return Said(200, b"[]", JSON)


def ends_in(number: int) -> str:
    """The path of an instance."""
    return f"/instances/{ROOT}3.{number}"


def segmented(tmp_path: Path, plan: Plan, *options: str) -> tuple[Any, Between]:
    with between(plan=plan) as heard:
        ran = segment(study_of(heard.address, slices(1)), "-o", tmp_path / "out", *options)
    said = ran.out + ran.err + "".join(path.read_text("utf-8") for path in (tmp_path / "out").glob("segment.*"))
    assert TOKEN not in said
    assert ROOT not in said
    return ran, heard


ONCE: dict[str, Said] = {
    "503": Said(503, headers=AGAIN),
    "429": Said(429, headers=AGAIN),
    "a body that is cut": Said(200, bytes(1000), "multipart/related; boundary=b", cut=True),
}


@pytest.mark.parametrize("what", ONCE)
def test_what_fails_once_is_asked_again(what: str, tmp_path: Path) -> None:
    def plan(method: str, path: str, before: int) -> Said | None:
        return ONCE[what] if path.endswith(ends_in(2)) and before == 0 else None

    ran, heard = segmented(tmp_path, Small(slices(3), plan))
    assert (ran.status, ran.errors) == (0, [])
    assert len(heard.retrieved()) == 4
    assert heard.tokens == {f"Bearer {TOKEN}"}


ALWAYS: dict[str, tuple[Said, str]] = {
    "503": (Said(503, headers=AGAIN), "it answers 503 (Service Unavailable), 4 times"),
    "a body that is cut": (Said(200, bytes(1000), "multipart/related; boundary=b", cut=True), "the connection was cut"),
    "HTML": (Said(200, b"<html>Log in, Jane Doe"), "it answers with text/html, not multipart/related"),
    "401": (Said(401, b"Jane Doe"), "it wants another token (401)"),
    "403": (Said(403), "the token does not allow that (403)"),
    "404": (Said(404), "it has nothing there (404)"),
    "500": (Said(500, b"Jane Doe"), "it answers 500 (Internal Server Error)"),
    "302": (Said(302, headers={"Location": "http://127.0.0.1:1/"}), "it answers from elsewhere (302)"),
    "half a part": (Said(200, b"--b\r\n\r\nDICM", "multipart/related; boundary=b"), "cut short"),
    "another form": (Said(200, b"--b\r\n\r\nno file\r\n--b--", "multipart/related; boundary=b"), "DICOM file"),
}


@pytest.mark.parametrize("what", ALWAYS)
def test_an_image_that_cannot_be_had_is_one_line_and_the_others_are_made(what: str, tmp_path: Path) -> None:
    said, words = ALWAYS[what]
    ran, heard = segmented(
        tmp_path, Small(slices(3), lambda method, path, before: said if path.endswith(ends_in(2)) else None), "--store"
    )
    assert (ran.status, len(ran.errors)) == (1, 2)
    assert words in ran.errors[0]
    assert "Jane" not in ran.err
    assert sorted(each["status"] for each in images_in_record(tmp_path / "out").values()) == ["done", "done", "failed"]
    # An object that lacks a slice does not go where it stays.
    assert "its DICOM SEG is not stored: 1 images of its series failed" in ran.errors[1]
    assert heard.stored() == 0


@pytest.mark.parametrize("what", [name for name in ALWAYS if name not in ("half a part", "another form")])
def test_a_search_that_fails_is_one_line(what: str, tmp_path: Path) -> None:
    said, words = ALWAYS[what]
    ran, _ = segmented(tmp_path, lambda method, path, before: said)
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert words.replace("multipart/related", JSON) in ran.errors[0] or what == "a body that is cut"


NONSENSE = [b"null", b"3", b'{"a": 1}', b"[1, [2]]", b"{", b"[" * 100_000, b'[{"0020000E": {"Value": ["../../x"]}}]']


@pytest.mark.parametrize("content", NONSENSE, ids=range(len(NONSENSE)))
def test_json_that_is_no_dicomweb_is_one_line(content: bytes, tmp_path: Path) -> None:
    ran, _ = segmented(tmp_path, lambda method, path, before: Said(200, content, JSON))
    assert (ran.status in (1, 2), len(ran.errors)) == (True, 1)


def test_a_server_that_knows_no_pages_and_one_of_too_many_bytes_come_to_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Small(slices(1))

    def plan(method: str, path: str, before: int) -> Said | None:
        return server.own(method, "/series?offset=0") if "/series?offset" in path else None

    server.instead = plan
    ran, _ = segmented(tmp_path, server)
    assert ran.status == 0, ran.err
    monkeypatch.setattr(connection, "MOST_OBJECT", 1000)
    (tmp_path / "out").rename(tmp_path / "before")
    ran, _ = segmented(tmp_path, server)
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "it answers with more than 1000 bytes" in ran.errors[0]


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    ran = segment(f"dicomweb+http://127.0.0.1:{free_port()}/dicom-web/studies/{ROOT}1", "-o", tmp_path / "out")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "it can't be reached, 4 times" in ran.errors[0]
    assert ROOT not in ran.err


def test_what_a_server_does_not_say_to_have_stored_is_not_stored(tmp_path: Path) -> None:
    server = Small(slices(2))
    ran, _ = segmented(tmp_path, server, "--store")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "its DICOM SEG is not stored: it does not say that it has taken the DICOM SEG" in ran.errors[0]
    (record,) = [each for each in images_in_record(tmp_path / "out").values() if "seg" in each["outputs"]]
    assert "stored" not in record["outputs"]["seg"]
    assert record["status"] == "done"


def test_slices_are_not_shown_by_a_window_that_lacks_one_which_could_not_be_had(tmp_path: Path) -> None:
    deep = [image(np.full((48, 64), 100 * number, np.uint16), number=number) for number in (1, 2, 3)]
    failing = Small(deep, lambda method, path, before: Said(500) if path.endswith(ends_in(3)) else None)
    ran, _ = segmented(tmp_path, failing)
    assert (ran.status, len(ran.errors)) == (1, 3)
    assert "needs all images of its series, which give no window" in ran.errors[0]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        running.upload(*slices(3))
        yield running


def test_slices_that_failed_are_made_by_the_next_call_which_stores_one_whole_object(
    archive: Archive, tmp_path: Path
) -> None:
    failing = True

    def plan(method: str, path: str, before: int) -> Said | None:
        return Said(500) if failing and path.endswith(ends_in(1)) else None

    with between(archive, plan) as heard:
        address = study_of(heard.address, slices(1))
        assert segment(address, "-o", tmp_path / "out", "--store").status == 1
        assert archive.segmentations() == []
        failing = False
        ran = segment(address, "-o", tmp_path / "out", "--store")
        assert (ran.status, ran.errors) == (0, [])
        assert heard.retrieved().count(heard.retrieved()[0]) == 2  # the failed one, and of the others none again
    (made,) = archive.segmentations()
    assert pydicom.dcmread(io.BytesIO(made)).NumberOfFrames == 3


def test_an_object_whose_answer_is_lost_is_sent_again_and_is_there_once(archive: Archive, tmp_path: Path) -> None:
    def plan(method: str, path: str, before: int) -> Said | None:
        return Said(200, bytes(100), JSON, cut=True, after=True) if method == "POST" and before == 0 else None

    there = len(archive.segmentations())
    with between(archive, plan) as heard:
        ran = segment(f"{study_of(heard.address, slices(1))}/series/{ROOT}2", "-o", tmp_path / "out", "--store")
        assert (ran.status, ran.errors) == (0, [])
        assert heard.stored() == 2
    assert len(archive.segmentations()) == there + 1


def test_another_machine_is_asked_without_encryption_where_that_is_said(tmp_path: Path) -> None:
    ran = segment("dicomweb+http://archive.invalid/dicom-web/studies/1.2.3", "-o", tmp_path / "out", "--plain-http")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "it can't be reached" in ran.errors[0]


def certificate(folder: Path) -> Path:
    """Self-signed, for this machine; with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", path],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + (folder / "key.pem").read_bytes())
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path)
    with between(plan=Small(slices(1)), certificate=path) as heard:
        address = study_of(heard.address, slices(1))
        ran = segment(address, "-o", tmp_path / "out")
        assert (ran.status, len(ran.errors)) == (1, 1)
        assert "its certificate is not trusted (self-signed certificate)" in ran.errors[0]
        assert heard.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        assert segment(address, "-o", tmp_path / "out").status == 0


ADDRESSES = {
    "dicomweb+http://archive.example/dicom-web/studies/1.2.3": "--plain-http",
    "dicomweb+https://jane:secret@archive.example/studies/1.2.3": "no user and no password",
    "dicomweb+https://archive.example/studies": "can't be read",
    "dicomweb+https://archive.example/studies/1.2/../3": "can't be read",
    "dicomweb+https://archive.example/studies/Jane": "can't be read",
    "dicomweb+https://archive.example/studies/1.2?PatientName=Jane": "can't be read",
    "dicomweb+https://archive.example:port/studies/1.2": "can't be read",
    "dicomweb+ftp://archive.example/studies/1.2": "can't be read",
    "dicomweb+https://archive.example/studies?Jane=1": "keywords of DICOM",
    "dicomweb+https://archive.example/studies?PatientID=": "keywords of DICOM",
    "dicomweb+https:/archive.example/studies/1.2": "can't be read",
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_is_one_line_that_does_not_repeat_it(address: str, tmp_path: Path) -> None:
    ran = segment(address, "-o", tmp_path / "out")
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert ADDRESSES[address] in ran.errors[0]
    assert not re.search("Jane|jane|secret|1\\.2", ran.err)


@pytest.mark.parametrize("wrong", ["", "two words", "line\nbreak", "ünüsual"])
def test_a_token_that_no_header_can_hold_is_one_line_that_does_not_repeat_it(
    wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOVEATE_DICOMWEB_TOKEN", wrong)
    ran = segment("dicomweb+https://archive.example/studies/1.2.3", "-o", tmp_path / "out")
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert "the token for DICOMweb" in ran.errors[0]
    assert not wrong or wrong not in ran.err


def test_storing_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scan").write_bytes(packed(slices(1)[0]))
    ran = segment(tmp_path / "scan", "-o", tmp_path / "out", "--store")
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert "is on no server" in ran.errors[0]
