"""From a real archive and back: what Orthanc has after a call, read by hand, is what the call was asked for."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

import foveate
from foveate_command import green_model, images_in_record, opened, segment
from green_model import LEAST_GREEN
from made_dicom import FUNDUS, ROOT, colours, image, saved
from orthanc import WAIT, Archive, between, orthanc, study_of


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


def plane(number: int) -> NDArray[np.uint8]:
    """What a slice shows: without a dark border, so that all of it counts."""
    return np.random.default_rng(number).integers(60, 120, (48, 64), dtype=np.uint8)


def identified(study: int, number: int) -> dict[str, Any]:
    """UIDs of an instance in the one series of a study that no other test has."""
    kinds = {"StudyInstanceUID": "1", "SeriesInstanceUID": "2", "SOPInstanceUID": f"3.{number}"}
    return {keyword: f"{ROOT}{study}.{kind}" for keyword, kind in kinds.items()}


def slices(study: int, count: int, **elements: Any) -> list[Dataset]:
    """The images of a study."""
    numbers = range(1, count + 1)
    return [
        image(plane(number), number=number, BitsStored=8, **identified(study, number), **elements) for number in numbers
    ]


def stored_of(archive: Archive, sources: list[Dataset]) -> list[Dataset]:
    """The DICOM SEG that the archive has in the study of the sources."""
    found = [pydicom.dcmread(io.BytesIO(content)) for content in archive.segmentations()]
    return [each for each in found if each.StudyInstanceUID == sources[0].StudyInstanceUID]


def frames_of(made: Dataset) -> dict[str, NDArray[Any]]:
    """Each frame by the instance that it is of: bits, the least significant first (PS3.5, 8.1.1), or bytes."""
    content = np.frombuffer(made.PixelData, np.uint8)
    bits = np.unpackbits(content, bitorder="little") if made.BitsAllocated == 1 else content
    shape = int(made.NumberOfFrames), made.Rows, made.Columns
    frames = bits[: np.prod(shape)].reshape(shape)
    references = [
        group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for group in made.PerFrameFunctionalGroupsSequence
    ]
    return dict(zip(references, frames, strict=True))


def test_a_series_of_thirty_slices_comes_back_as_one_object_of_thirty_frames(archive: Archive, tmp_path: Path) -> None:
    sources = slices(1, 30, PatientName="Äöü^Jane", SpecificCharacterSet="ISO_IR 100", PatientWeight="070.50")
    archive.upload(*random.Random(1).sample(sources, 30))
    ran = segment(study_of(archive.address, sources), "-o", tmp_path / "out", "--store")
    assert (ran.status, ran.errors) == (0, [])
    (made,) = stored_of(archive, sources)
    frames = frames_of(made)
    assert len(frames) == 30
    for number, source in enumerate(sources, start=1):
        assert np.array_equal(frames[source.SOPInstanceUID] > 0, plane(number) >= LEAST_GREEN)
    positions = [group.PlanePositionSequence[0].ImagePositionPatient for group in made.PerFrameFunctionalGroupsSequence]
    assert sorted(map(list, positions)) == sorted(list(source.ImagePositionPatient) for source in sources)
    assert made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == [0.5, 0.5]
    assert made.FrameOfReferenceUID == sources[0].FrameOfReferenceUID
    (series,) = made.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == sources[0].SeriesInstanceUID
    kind = made.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("59820001", "SCT")
    for keyword in ("PatientID", "PatientBirthDate", "StudyDate", "StudyInstanceUID"):
        assert made[keyword].value == sources[0][keyword].value
    assert (str(made.PatientName), made.PatientWeight.original_string) == ("Äöü^Jane", "070.50")


def test_what_an_archive_has_after_a_call_satisfies_the_validator(archive: Archive, tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    sources = slices(2, 3)
    archive.upload(*sources)
    assert segment(study_of(archive.address, sources), "-o", tmp_path / "out", "--store").status == 0
    (made,) = stored_of(archive, sources)
    made.save_as(tmp_path / "made.dcm")
    ended = subprocess.run(["dciodvfy", tmp_path / "made.dcm"], capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in (ended.stdout + ended.stderr).splitlines() if line.startswith("Error")] == []


def test_fractions_come_back_as_the_probabilities_within_a_step_of_255(archive: Archive, tmp_path: Path) -> None:
    sources = slices(3, 2)
    archive.upload(*sources)
    address = study_of(archive.address, sources)
    assert segment(address, "-o", tmp_path / "out", "--store", "--dicom-seg", "fractional").status == 0
    (made,) = stored_of(archive, sources)
    for number, source in enumerate(sources, start=1):
        difference = frames_of(made)[source.SOPInstanceUID] / 255 - plane(number) / 255
        assert np.abs(difference).max() <= 1 / 255


def test_the_same_call_again_retrieves_and_stores_nothing(archive: Archive, tmp_path: Path) -> None:
    sources = slices(4, 3)
    archive.upload(*sources)
    with between(archive) as heard:
        first = segment(study_of(heard.address, sources), "-o", tmp_path / "out", "--store")
        assert (len(heard.retrieved()), heard.stored()) == (3, 1)
        again = segment(study_of(heard.address, sources), "-o", tmp_path / "out", "--store")
        assert (len(heard.retrieved()), heard.stored()) == (3, 1)
    assert "3 done" in first.out
    assert "3 kept" in again.out
    assert len(stored_of(archive, sources)) == 1


def test_a_killed_call_goes_on_where_it_was(archive: Archive, tmp_path: Path) -> None:
    sources = slices(5, 6)
    archive.upload(*sources)
    reached, open_again = threading.Event(), threading.Event()

    def plan(method: str, path: str, before: int) -> None:
        if path.endswith(f"/instances/{sources[4].SOPInstanceUID}"):
            reached.set()
            open_again.wait(WAIT)

    with between(archive, plan) as heard:
        command = ["segment", study_of(heard.address, sources), "-o", tmp_path / "out", "--store"]
        process = subprocess.Popen(
            [sys.executable, "-m", "foveate", *map(str, command), "--model", str(green_model())],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert reached.wait(WAIT)
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)
        open_again.set()
        (part,) = (tmp_path / "out" / "segment.record").glob("*.jsonl")
        done = part.read_text("utf-8").count('"status":"done"')
        heard.asked.clear()
        assert segment(*command[1:]).status == 0
        assert 2 <= done < 5
        assert len(heard.retrieved()) == len(set(heard.retrieved()))
        assert len(heard.retrieved()) <= 6 - done + 1  # one more: whose patient and study the object has
    (object_,) = stored_of(archive, sources)
    for number, source in enumerate(sources, start=1):
        assert np.array_equal(frames_of(object_)[source.SOPInstanceUID] > 0, plane(number) >= LEAST_GREEN)


def test_a_call_killed_before_it_stored_stores_what_it_had_made(archive: Archive, tmp_path: Path) -> None:
    sources = slices(6, 2)
    archive.upload(*sources)
    address = study_of(archive.address, sources)
    assert segment(address, "-o", tmp_path / "out", "--dicom-seg", "binary").status == 0
    assert stored_of(archive, sources) == []
    ran = segment(address, "-o", tmp_path / "out", "--store")
    assert ran.status == 0, ran.err
    (made,) = stored_of(archive, sources)
    (file,) = (tmp_path / "out").rglob("*_seg.dcm")
    assert made.SOPInstanceUID == pydicom.dcmread(file).SOPInstanceUID


def test_a_study_a_series_an_instance_and_a_query_mean_what_they_name(archive: Archive, tmp_path: Path) -> None:
    eyes = [
        image(colours(seed=number), FUNDUS, number=number, PatientID="DICOMWEB7", **identified(7, number) | series)
        for number, series in ((1, {}), (2, {}), (3, {"SeriesInstanceUID": f"{ROOT}7.2.1"}))
    ]
    archive.upload(*eyes)
    study = study_of(archive.address, eyes)
    series = f"{study}/series/{eyes[0].SeriesInstanceUID}"
    addresses = {
        study: 3,
        series: 2,
        f"{series}/instances/{eyes[0].SOPInstanceUID}": 1,
        f"{archive.address}/studies?PatientID=DICOMWEB7": 3,
    }
    for number, (address, images) in enumerate(addresses.items()):
        ran = segment(address, "-o", tmp_path / str(number))
        assert (ran.status, ran.errors) == (0, [])
        assert len(images_in_record(tmp_path / str(number))) == images
    nobody = segment(f"{archive.address}/studies?PatientID=NOBODY", "-o", tmp_path / "nobody")
    assert (nobody.status, len(nobody.errors)) == (2, 1)
    assert "NOBODY" not in nobody.err


def test_photographs_have_an_object_each_and_python_takes_the_commands_words(archive: Archive, tmp_path: Path) -> None:
    eyes = [
        image(colours(seed=number), FUNDUS, number=number, ImageLaterality=side, **identified(8, number))
        for number, side in ((1, "R"), (2, "L"))
    ]
    archive.upload(*eyes)
    with between(archive) as heard:
        address = study_of(heard.address, eyes)
        outcomes = foveate.segment(address, tmp_path / "out", store=True, token="secret", model=green_model())
        assert len(heard.retrieved()) == 2
    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert heard.tokens == {"Bearer secret"}
    sides = {next(iter(frames_of(each))): each for each in stored_of(archive, eyes)}
    for eye, side in zip(eyes, ("Right", "Left"), strict=True):
        region = sides[eye.SOPInstanceUID].SegmentSequence[0].AnatomicRegionSequence[0]
        assert region.AnatomicRegionModifierSequence[0].CodeMeaning == side


def test_a_file_of_several_frames_is_retrieved_once(archive: Archive, tmp_path: Path) -> None:
    film = image(np.stack([colours(seed=seed) for seed in range(4)]), FUNDUS, **identified(11, 1))
    archive.upload(film)
    with between(archive) as heard:
        ran = segment(study_of(heard.address, [film]), "-o", tmp_path / "out", "--store")
        assert (ran.status, ran.errors) == (0, [])
        assert (len(heard.retrieved()), heard.stored()) == (1, 4)
    numbers = {
        each.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        for each in stored_of(archive, [film])
    }
    assert numbers == {1, 2, 3, 4}


def test_slices_without_a_window_are_shown_as_the_same_slices_from_files(archive: Archive, tmp_path: Path) -> None:
    deep = [
        image(plane(number).astype(np.uint16) * 20 * number, number=number, **identified(9, number))
        for number in (1, 2)
    ]
    archive.upload(*deep)
    for number, source in enumerate(deep):
        saved(tmp_path / "in" / str(number), source)
    assert segment(study_of(archive.address, deep), "-o", tmp_path / "web").status == 0
    assert segment(tmp_path / "in", "-o", tmp_path / "files").status == 0
    by_web, by_files = (
        sorted(path.read_bytes() for path in (tmp_path / place).rglob("*_mask.png")) for place in ("web", "files")
    )
    assert by_web == by_files
    assert "the range of its series" in json.dumps(images_in_record(tmp_path / "web"))


def test_a_table_that_the_server_only_names_is_read_from_the_file(archive: Archive, tmp_path: Path) -> None:
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4096, 0, 8], np.minimum(np.arange(4096) // 8, 255).astype("<u2").tobytes()
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    pixels = plane(1).astype(np.uint16) * 8
    source = image(pixels, BitsStored=12, HighBit=11, VOILUTSequence=[table], **identified(10, 1))
    archive.upload(source)
    assert segment(study_of(archive.address, [source]), "-o", tmp_path / "out").status == 0
    (mask,) = (tmp_path / "out").rglob("*_mask.png")
    assert np.array_equal(opened(mask) > 0, plane(1) >= LEAST_GREEN)
