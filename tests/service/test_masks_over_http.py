"""What the service makes of an image is what the command and the library make of it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import foveate
from foveate_command import green_model, pixels, run, segment
from green_model import LEAST_GREEN
from known_model import known_model
from made_dicom import FUNDUS, colours, image, saved
from running import Running, started

NAMES = ("photo.jpg", "scan.tif", "grey.png", "small.ppm")


def encoded(name: str, seed: int = 0) -> bytes:
    """A drawn photograph in the format that its name says."""
    image, file = PillowImage.fromarray(pixels(seed)), io.BytesIO()
    image = image.convert("L") if name.startswith("grey") else image
    image.save(file, {"jpg": "JPEG", "tif": "TIFF", "png": "PNG", "ppm": "PPM"}[name[-3:]])
    return file.getvalue()


@pytest.fixture(scope="module")
def commands_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `foveate segment` writes of them all."""
    folder = tmp_path_factory.mktemp("commands")
    for seed, name in enumerate(NAMES):
        (folder / name).write_bytes(encoded(name, seed))
    ran = segment(
        *(folder / name for name in NAMES), "-o", folder / "out", "--probabilities", "--overlay", "--confidence"
    )
    assert ran.status == 0
    return folder / "out"


@pytest.mark.parametrize("outputs", ["mask", "probability", "overlay"])
@pytest.mark.parametrize(("seed", "name"), [*enumerate(NAMES)])
def test_an_image_is_the_commands_file_byte_for_byte(
    service: Running, commands_files: Path, seed: int, name: str, outputs: str
) -> None:
    answer = service.segment(encoded(name, seed), f"outputs={outputs}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.body == (commands_files / f"{Path(name).stem}_{outputs}.png").read_bytes()


def test_a_form_is_answered_as_a_body_is(service: Running) -> None:
    content = encoded("photo.jpg")
    assert service.form([("photo.jpg", content)]).body == service.segment(content).body


def test_numbers_are_those_of_the_library(service: Running) -> None:
    content = encoded("photo.jpg")
    told = service.segment(content, "outputs=json&include=mask,fov", X_File_Name="left%20%C3%B6.jpg").json
    result = foveate.load(green_model()).segment(content)
    rows, columns = np.nonzero(result.fov)
    expected = result.expected_f1()["vessel"]
    assert told["name"] == "left ö.jpg"
    assert told["image_sha256"] == hashlib.sha256(content).hexdigest()
    assert (told["height"], told["width"]) == result.mask.shape
    assert told["area_fraction"] == {"vessel": round(float(result.mask.sum() / result.fov.sum()), 6)}
    assert told["expected_f1"] == {"vessel": {"value": expected.value, "low": expected.low, "high": expected.high}}
    assert told["fov"]["diameter"] == round(result.fov_diameter, 2)
    assert told["fov"]["box"] == {
        "left": columns.min(),
        "top": rows.min(),
        "width": np.ptp(columns) + 1,
        "height": np.ptp(rows) + 1,
    }
    pictures = {kind: base64.b64decode(text) for kind, text in told["images"].items()}
    assert pictures["mask"] == result.png("mask")
    np.testing.assert_array_equal(np.asarray(PillowImage.open(io.BytesIO(pictures["fov"]))) > 0, result.fov)
    assert set(pictures) == {"mask", "fov"}


def test_a_threshold_of_the_request_decides_for_it_alone(service: Running) -> None:
    content = encoded("small.ppm")
    green, least = pixels()[..., 1], LEAST_GREEN + 30
    fov = foveate.load(green_model()).segment(content).fov
    before = service.segment(content).body
    answer = service.segment(content, f"threshold={(least - 0.5) / 255}")
    mask = np.asarray(PillowImage.open(io.BytesIO(answer.body))) > 0
    np.testing.assert_array_equal(mask, (green >= least) & fov)
    assert service.segment(content).body == before


def test_a_zip_file_has_the_commands_files_and_its_table(service: Running, commands_files: Path) -> None:
    files = [(name, encoded(name, seed)) for seed, name in enumerate(NAMES)]
    answer = service.form([*files, ("broken.png", b"\x89PNG\r\n\x1a\n")], "outputs=zip&include=overlay,probability")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        table = archive.read("segment.csv").decode("utf-8-sig")
        held = {name: archive.read(name) for name in archive.namelist() if name != "segment.csv"}
    assert held == {path.name: path.read_bytes() for path in commands_files.glob("*.png")}
    rows, commands = list(csv.DictReader(io.StringIO(table))), _table(commands_files / "segment.csv")
    assert list(rows[0]) == list(commands[0])
    for row, other in zip(rows, commands, strict=False):
        same = [key for key in row if key not in ("image", "seconds")]
        assert [row[key] for key in same] == [other[key] for key in same]
    assert (rows[-1]["image"], rows[-1]["status"]) == ("broken.png", "failed")


def _table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def test_images_of_one_form_that_fail_are_told_in_the_commands_words_while_others_are_made(
    service: Running, tmp_path: Path
) -> None:
    broken = encoded("photo.jpg")[:40]
    (tmp_path / "broken.jpg").write_bytes(broken)
    said = segment(tmp_path / "broken.jpg", "-o", tmp_path / "out").err.partition(f"{tmp_path}/")[2].strip()
    first, second = service.form([("broken.jpg", broken), ("b.png", encoded("b.png"))], "outputs=json").json["images"]
    assert (first["name"], first["error"]["code"], first["error"]["message"]) == ("broken.jpg", "not_an_image", said)
    assert (second["name"], set(second["area_fraction"])) == ("b.png", {"vessel"})


def test_a_real_photograph_by_the_shipped_model_is_the_commands_file(shared_data: Path, tmp_path: Path) -> None:
    photograph = shared_data / "DRIVE/test/images/01_test.tif"
    assert run("segment", photograph, "-o", tmp_path / "out").status == 0
    with started(tmp_path / "log", model="vessels") as running:
        body = running.segment(photograph.read_bytes()).body
    assert body == (tmp_path / "out/01_test_mask.png").read_bytes()


def test_an_answer_says_of_how_many_pixels_a_part_is_at_least(tmp_path: Path) -> None:
    model = known_model(tmp_path / "model", min_size=9)
    with started(tmp_path / "log", model=model) as running:
        (listed,) = running.get("/v1/models").json
        answer = running.segment(encoded("photo.png"), "outputs=json").json
    own = foveate.load(model).card.preparation.scale(answer["fov"]["diameter"])
    assert (listed["min_size"], own, answer["min_size"]) == (9, 1.0, 9)


def test_models_are_listed_with_what_their_cards_say(service: Running) -> None:
    card = foveate.load(green_model()).card
    (told,) = service.get("/v1/models").json
    assert (told["name"], told["sha256"], told["classes"]) == (card.name, card.sha256, list(card.classes))
    assert (told["thresholds"], told["notice"]) == (list(card.thresholds), card.notice)
    assert told["preparation"]["working_maximum"] == card.preparation.working_maximum


def test_a_large_image_holds_up_no_small_one(service: Running) -> None:
    file = io.BytesIO()
    PillowImage.fromarray(np.resize(pixels(), (2000, 2100, 3))).save(file, "PNG", compress_level=1)
    ended: list[str] = []

    def send(content: bytes, name: str) -> None:
        assert service.segment(content).status == 200
        ended.append(name)

    threads = [threading.Thread(target=send, args=(file.getvalue(), "large")) for _ in range(2)]
    threads += [threading.Thread(target=send, args=(encoded("small.ppm"), "small")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended[:3] == ["small"] * 3


@pytest.mark.parametrize("content_type", ["application/dicom", "application/octet-stream"])
def test_dicom_is_read_as_by_the_command_in_the_commands_words(
    service: Running, tmp_path: Path, content_type: str
) -> None:
    path = saved(tmp_path / "eye.dcm", image(colours(), FUNDUS))
    answer = service.segment(path.read_bytes(), Content_Type=content_type)
    assert answer.status == 200, answer.body
    segment(path, "-o", tmp_path / "out")
    assert answer.body == (tmp_path / "out/eye_mask.png").read_bytes()
    cut = service.segment(path.read_bytes()[:400], X_File_Name="eye.dcm")
    assert (cut.status, cut.json["code"]) == (422, "not_an_image")
    assert "DICOM" in cut.json["message"]
