"""What can't be done is said with a code, the reason and what to do; the next request is answered."""

from __future__ import annotations

import gzip
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from foveate.inference import Segmentation, Segmenter
from foveate.records import Photograph
from foveate.service.limits import ServiceLimits
from foveate.service.problems import KINDS
from foveate_command import pixels
from running import BOUNDARY, FORM, Answer, Running, form_of, in_a_thread, started

LIMITS = ServiceLimits()


def png(seed: int = 0) -> bytes:
    file = io.BytesIO()
    PillowImage.fromarray(pixels(seed)).save(file, "PNG")
    return file.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small file that claims a large image."""
    file = png()
    header = b"IHDR" + struct.pack(">II", width, height) + file[24:29]
    return file[:12] + header + struct.pack(">I", zlib.crc32(header)) + file[33:]


def check(answer: Answer, code: str) -> None:
    """The answer is that problem, in its form, and tells nothing of the code behind it."""
    told = answer.json
    assert (told["code"], answer.status) == (code, KINDS[code].status), told
    assert set(told) == {"code", "message", "hint"}
    assert told["hint"] == KINDS[code].hint
    assert "Traceback" not in answer.body.decode()
    assert ".py" not in answer.body.decode()
    assert answer.headers["content-type"] == "application/json"


REFUSED: dict[str, tuple[str, Callable[[Running], Answer]]] = {
    "an empty body": ("no_image", lambda s: s.segment(b"")),
    "no image": ("not_an_image", lambda s: s.segment(b"text")),
    "a cut image": ("not_an_image", lambda s: s.segment(png()[:400])),
    "a page's type": ("wrong_type", lambda s: s.segment(png(), Content_Type="text/html")),
    "what curl says by itself": (
        "wrong_type",
        lambda s: s.segment(png(), Content_Type="application/x-www-form-urlencoded"),
    ),
    "a compressed body": ("wrong_type", lambda s: s.segment(gzip.compress(png()), Content_Encoding="gzip")),
    "an unknown model": ("bad_parameter", lambda s: s.segment(png(), "model=arteries")),
    "an unknown output": ("bad_parameter", lambda s: s.segment(png(), "outputs=mask,json")),
    "an unknown picture": ("bad_parameter", lambda s: s.segment(png(), "outputs=json&include=heat")),
    "a class that it hasn't": ("bad_parameter", lambda s: s.segment(png(), "class=lesion")),
    "a threshold above 1": ("bad_parameter", lambda s: s.segment(png(), "threshold=1.5")),
    "no number": ("bad_parameter", lambda s: s.segment(png(), "threshold=nan")),
    "a threshold too many": ("bad_parameter", lambda s: s.segment(png(), "threshold=.5&threshold=.6")),
    "two images for one mask": ("bad_parameter", lambda s: s.form([("a", png()), ("b", png())])),
    "an unknown field": (
        "bad_parameter",
        lambda s: s.ask("POST", "/v1/segment", form_of([("a", png())], "image"), FORM),
    ),
    "a form without a field": ("no_image", lambda s: s.form([])),
    "a form that ends early": (
        "cut_short",
        lambda s: s.ask("POST", "/v1/segment", form_of([("a", png())])[:-20], FORM),
    ),
    "a form that is none": ("bad_request", lambda s: s.ask("POST", "/v1/segment", b"x" * 1000, FORM)),
    "a form without a boundary": (
        "bad_request",
        lambda s: s.ask("POST", "/v1/segment", b"x", {"Content-Type": "multipart/form-data"}),
    ),
    "a part with a header too long": (
        "bad_request",
        lambda s: s.ask("POST", "/v1/segment", f"--{BOUNDARY}\r\nX: {'a' * 9999}\r\n\r\n".encode(), FORM),
    ),
    "images too many": (
        "too_large",
        lambda s: s.form([(str(n), b"x") for n in range(LIMITS.max_images + 1)], "outputs=zip"),
    ),
    "an image of many zeros": ("too_many_pixels", lambda s: s.segment(bomb(10_000, 10_000))),
    "one that no decoder takes": ("not_an_image", lambda s: s.segment(bomb(30_000, 30_000))),
    "gzipped zeros": (
        "not_an_image",
        lambda s: s.segment(gzip.compress(b"P6 4000 4000 255\n" + bytes(3 * LIMITS.max_pixels + 9999), 1)),
    ),
    "another address": ("not_found", lambda s: s.get("/v2/segment")),
    "a file that isn't the page's": ("not_found", lambda s: s.get("/static/../../../etc/passwd")),
    "another method": ("wrong_method", lambda s: s.ask("DELETE", "/v1/segment")),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_its_code_and_the_next_request_is_answered(service: Running, what: str) -> None:
    code, send = REFUSED[what]
    check(send(service), code)
    assert service.segment(png()).status == 200


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(service: Running) -> None:
    with service.connect() as connection:
        head = f"POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-Length: {LIMITS.max_bytes + 1}\r\n\r\n"
        connection.sendall(head.encode())
        answer = b""
        while b'"too_large"' not in answer and (more := connection.recv(65536)):
            answer += more
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"too_large"' in answer


def test_a_body_that_does_not_say_how_large_it_is_is_refused_while_it_comes(service: Running) -> None:
    idle, block = service.memory(), bytes(1 << 20)
    blocks = (block for _ in range(200))  # 200 MB of zeros
    check(
        service.ask("POST", "/v1/segment", blocks, {"Content-Type": "image/png"}),
        "too_large",
    )
    assert service.segment(png()).status == 200
    assert service.memory() - idle < LIMITS.max_bytes  # of which nothing is kept


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd.png",
        "C:\\Windows\\a.png",
        "..",
        "a\u202eb.png",
        "con:.png",
        "x" * 5000,
        "\x00.png",
    ],
)
def test_a_clients_name_is_a_word_and_never_a_path(service: Running, name: str) -> None:
    answer = service.form([(name.replace("x" * 5000, "x" * 1900), png()), (name[:100], png(1))], "outputs=zip")
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        names = archive.namelist()
    assert len(set(names)) == 3
    for each in names:
        assert not set(each) & set("/\\:\u202e\0")
        assert not each.startswith(".")
        assert len(each.encode()) < 255


def test_the_limits_on_images_are_those_of_the_options(tmp_path: Path) -> None:
    options = ("--max-bytes", "100000", "--max-pixels", "20000", "--max-images", "1")
    with started(tmp_path / "log", *options) as running:
        limits = running.get("/readyz").json["limits"]
        assert [limits[name]["value"] for name in ("max_bytes", "max_pixels", "max_images")] == [100_000, 20_000, 1]
        check(running.segment(bytes(100_001)), "too_large")
        check(running.segment(png()), "too_many_pixels")
        check(running.form([("a", b"x"), ("b", b"y")], "outputs=zip"), "too_large")


def test_an_answer_that_takes_too_long_is_given_up_and_its_place_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segmenter.segment_photograph

    def slowly(segmenter: Segmenter, photograph: Photograph) -> Segmentation:
        time.sleep(2)
        return segment(segmenter, photograph)

    with in_a_thread(max_seconds=1) as running:
        with monkeypatch.context() as patched:
            patched.setattr(Segmenter, "segment_photograph", slowly)
            check(running.segment(png()), "took_too_long")
            until = time.monotonic() + 60
            while running.get("/readyz").json["in_use"] != {"queue": 0, "held_bytes": 0}:
                assert time.monotonic() < until
                time.sleep(0.1)
        assert running.segment(png()).status == 200


def test_a_head_that_comes_at_once_is_counted_too(service: Running) -> None:
    check(service.get("/healthz", X_Long="a" * LIMITS.head_bytes), "bad_request")
    check(service.get("/" + "a" * LIMITS.head_bytes), "bad_request")
    assert service.get("/healthz", X_Long="a" * (LIMITS.head_bytes // 2)).status == 200


def test_another_method_is_told_which_there_are(service: Running) -> None:
    answer = service.ask("PUT", "/healthz")
    check(answer, "wrong_method")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["/", "/healthz", "/docs"])
def test_what_can_be_had_can_be_asked_after(service: Running, path: str) -> None:
    whole, head = service.get(path), service.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))


def test_a_client_that_sends_all_before_it_reads_is_told_that_it_was_too_much(service: Running) -> None:
    """As urllib does, which asks for the connection to be closed, too."""
    content = bytes(LIMITS.max_bytes + 10_000_000)
    answer = service.segment(content, Connection="close")
    check(answer, "too_large")
    assert service.get("/healthz").status == 200
