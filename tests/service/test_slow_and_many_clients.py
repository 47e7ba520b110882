"""Clients that take their time, come in crowds, or go away: each has an end, and the others are served."""

from __future__ import annotations

import socket
import threading
import time

from test_refused_requests import check, png

from running import WAIT, Running, in_a_thread

HEAD = "POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n"


def left(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    received = b""
    try:
        while block := connection.recv(65536):
            received += block
    except ConnectionResetError:
        pass
    return received


def test_a_head_that_comes_a_byte_at_a_time_ends_with_its_connection() -> None:
    with in_a_thread(head_seconds=1) as running, running.connect() as slow:
        begun, dripped = time.monotonic(), iter(HEAD.encode())
        slow.settimeout(0.1)
        while time.monotonic() - begun < WAIT:
            try:
                slow.sendall(bytes([next(dripped)]))
                if not slow.recv(1):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert time.monotonic() - begun < 8
        assert running.segment(png()).status == 200


def test_a_connection_that_says_nothing_is_closed() -> None:
    with in_a_thread(head_seconds=1) as running, running.connect() as silent:
        assert left(silent) == b""


def test_a_body_that_comes_too_slowly_is_answered_408_and_holds_no_place() -> None:
    with in_a_thread(body_seconds=1) as running, running.connect() as slow:
        slow.sendall(HEAD.encode() + b"some of it")
        answer = left(slow)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"too_slow"' in answer
        assert running.get("/readyz").json["in_use"]["queue"] == 0


def test_who_goes_away_within_a_body_holds_no_place() -> None:
    with in_a_thread() as running:
        for _ in range(5):
            with running.connect() as connection:
                connection.sendall(HEAD.encode() + b"some of it")
        until = time.monotonic() + 10
        while running.get("/readyz").json["in_use"]["queue"]:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_a_flood_of_headers_is_refused_and_no_more_of_it_is_held(service: Running) -> None:
    with service.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        try:
            for number in range(2000):
                connection.sendall(b"X-%d: %s\r\n" % (number, b"a" * 100))
        except OSError:
            pass
        else:
            assert left(connection).startswith(b"HTTP/1.1 400")
    assert service.get("/healthz").status == 200


def test_what_is_no_http_is_refused(service: Running) -> None:
    with service.connect() as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert left(connection).startswith(b"HTTP/1.1 400")
    assert service.get("/healthz").status == 200


def test_a_full_queue_is_answered_503_with_the_seconds_to_wait() -> None:
    with in_a_thread(queue=2) as running:
        slow = [running.connect() for _ in range(2)]
        for connection in slow:
            connection.sendall(HEAD.encode())
        until = time.monotonic() + 10
        while running.get("/readyz").json["in_use"]["queue"] < 2:
            assert time.monotonic() < until
        answer = running.segment(png())
        check(answer, "busy")
        assert int(answer.headers["retry-after"]) >= 1
        for connection in slow:
            connection.close()


def test_uploads_that_are_held_have_a_limit_together() -> None:
    with in_a_thread(held_bytes=50_000) as running:
        answer = running.segment(bytes(60_000))
        check(answer, "busy")
        assert "retry-after" in answer.headers
        assert running.get("/readyz").json["in_use"] == {"queue": 0, "held_bytes": 0}


def test_connections_beyond_their_limit_are_told_so() -> None:
    with in_a_thread(connections=3) as running:
        held = [running.connect() for _ in range(3)]
        time.sleep(0.2)
        with running.connect() as fourth:
            answer = left(fourth)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"Retry-After" in answer
        for connection in held:
            connection.close()
        time.sleep(0.2)
        assert running.get("/healthz").status == 200


def test_an_answer_that_nobody_takes_ends_with_its_connection() -> None:
    with in_a_thread(send_buffer=4096, body_seconds=1) as running:
        deaf = running.connect()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 40)
        threading.Event().wait(2.5)
        received = left(deaf)
        assert 0 < received.count(b"HTTP/1.1 200") < 40
        deaf.close()
        assert running.get("/healthz").status == 200
