"""A key, an address that others can reach, pages from elsewhere; and what every answer carries."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_refused_requests import check, png

import foveate
from foveate.errors import UsageError
from foveate_command import green_model, run
from running import Running, started

KEY = "a key of the tests, not short"
FRIEND = "https://clinic.example"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with a key, which a page of another origin may call, and which writes names into its log."""
    log = tmp_path_factory.mktemp("locked") / "log"
    with started(log, "--allow-origin", FRIEND, "--log-names", FOVEATE_API_KEY=KEY) as running:
        yield running


@pytest.mark.parametrize("path", ["/v1/models", "/metrics"])
@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "é"]
)
def test_without_the_key_nothing_is_told(locked: Running, path: str, header: str | None) -> None:
    answer = locked.get(path, **({} if header is None else {"Authorization": header}))
    check(answer, "key_missing")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_with_the_key_an_image_is_segmented_and_the_log_has_its_name_and_never_the_key(locked: Running) -> None:
    check(locked.segment(png()), "key_missing")
    assert locked.segment(png(), Authorization=f"Bearer {KEY}", X_File_Name="left.png").status == 200
    assert locked.lines("/v1/segment", status=200, names=["left.png"])
    assert locked.log is not None
    assert KEY not in locked.log.read_text("utf-8")


def test_the_log_has_no_name_unless_it_is_asked_for(service: Running) -> None:
    service.segment(png(), X_File_Name="patient-7.png")
    service.get("/patient-7.png")
    assert service.lines("/v1/segment", status=200, images=1)
    assert service.lines("other", status=404)
    assert service.log is not None
    assert "patient-7" not in service.log.read_text("utf-8")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/", "/docs", "/openapi.json"])
def test_what_tells_nothing_of_images_needs_no_key(locked: Running, path: str) -> None:
    assert locked.get(path).status == 200


def test_a_page_on_the_list_may_call_and_read(locked: Running) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    before = locked.ask("OPTIONS", "/v1/segment", headers={"Origin": FRIEND} | asked)
    assert (before.status, before.headers["access-control-allow-origin"]) == (204, FRIEND)
    assert "authorization" in before.headers["access-control-allow-headers"]
    answer = locked.segment(png(), Authorization=f"Bearer {KEY}", Origin=FRIEND)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, FRIEND)
    assert (
        locked.segment(png(), Origin=FRIEND).headers["access-control-allow-origin"] == FRIEND
    )  # reads the problem, too


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{FRIEND}.evil.example", "http://127.0.0.1:1"])
def test_a_page_from_elsewhere_is_refused(locked: Running, origin: str) -> None:
    answer = locked.segment(png(), Authorization=f"Bearer {KEY}", Origin=origin)
    check(answer, "not_allowed")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["[abc", "[::1", "[127.0.0.1]", "a]b"])
def test_a_host_that_is_none_is_a_bad_request(service: Running, locked: Running, host: str) -> None:
    for each in (service, locked):
        check(each.get("/healthz", Host=host), "bad_request")


@pytest.mark.parametrize("origin", ["http://[abc", "http://]"])
def test_an_origin_that_is_none_is_refused(service: Running, origin: str) -> None:
    check(service.segment(png(), Origin=origin), "not_allowed")


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": "schlüssel-geheim-1234"},
        {"allow_origin": ["https://clinic.example/"]},
        {"allow_origin": ["clinic.example"]},
        {"allow_origin": ["https://Clinic.example"]},
        {"allow_origin": ["http://[abc"]},
    ],
)
def test_a_key_or_an_origin_that_no_client_can_send_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"HTTP has no one way|no browser writes"):
        foveate.serve(port=0, model=green_model(), on_start=lambda _: pytest.fail("it listens"), **options)


def test_the_services_own_page_may_call(service: Running) -> None:
    assert service.segment(png(), Origin=service.address).status == 200


def test_a_service_without_a_key_answers_to_no_name_but_its_own(service: Running) -> None:
    check(service.get("/v1/models", Host="rebound.example"), "not_allowed")
    assert service.get("/v1/models", Host="localhost:1").status == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/nowhere", "/v1/segment"])
def test_every_answer_forbids_a_browser_what_the_page_does_not_need(service: Running, path: str) -> None:
    headers = service.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_without_a_key_others_are_not_listened_to() -> None:
    ran = run("serve", "--host", "0.0.0.0", "--port", 0, "--model", green_model())
    assert ran.status == 2
    assert "--insecure" in ran.errors[0]


@pytest.mark.parametrize("option", ["key", "insecure"])
def test_with_a_key_or_if_one_insists_others_are(tmp_path: Path, option: str) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
    options = ("--api-key-file", str(tmp_path / "key")) if option == "key" else ("--insecure",)
    with started(tmp_path / "log", "--host", "0.0.0.0", *options) as running:
        assert running.get("/v1/models").status == (401 if option == "key" else 200)
        assert running.get("/v1/models", Authorization=f"Bearer {KEY}").status == 200


def test_a_short_key_is_refused() -> None:
    with pytest.raises(UsageError, match="16 or more"):
        foveate.serve(model=green_model(), api_key="secret", port=0)


def test_an_address_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("serve", "--port", port, "--model", green_model())
    assert ran.status == 2
    assert len(ran.errors) == 1
    assert f"port {port}: can't be listened on" in ran.errors[0]
