"""What is waited for, and what is said."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from foveate.errors import ImageError
from foveate.inference.remote.faults import WAITS, StoreError, fault_of, patiently, reason_of
from foveate.inference.remote.store import RemoteStore
from stores_on_loopback import PASSWORD, SECRET


class Answers(http.server.BaseHTTPRequestHandler):
    """Every request gets the next status of the list."""

    statuses: list[int]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        status = self.statuses.pop(0) if self.statuses else 200
        self.send_response(status)
        self.send_header("Content-Length", "4" if self.command == "GET" else "0")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"eyes")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited."""
    slept: list[float] = []
    monkeypatch.setattr("foveate.inference.remote.faults.time.sleep", slept.append)
    return slept


@pytest.fixture
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    Answers.statuses = []
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_a_busy_server_is_asked_again_with_longer_and_longer_pauses(
    server: http.server.ThreadingHTTPServer, waits: list[float], status: int
) -> None:
    pytest.importorskip("aiohttp")
    Answers.statuses = [status] * 3
    address = f"http://127.0.0.1:{server.server_port}/photo.png"
    store = RemoteStore(address)
    assert store.fetch(store.path_of(address)) == b"eyes"
    assert len(waits) == 3
    assert all(wait / 2 <= waited <= wait * 1.5 for wait, waited in zip(WAITS, waits, strict=False))


def test_a_server_that_stays_busy_is_given_up_after_the_last_pause(
    server: http.server.ThreadingHTTPServer, waits: list[float]
) -> None:
    pytest.importorskip("aiohttp")
    Answers.statuses = [503] * 20
    address = f"http://me:{PASSWORD}@127.0.0.1:{server.server_port}/photo.png?signature={SECRET}"
    store = RemoteStore(address)
    with pytest.raises(ImageError, match=r"busy or out of order, in each of 6 tries") as told:
        store.fetch(store.path_of(address))
    assert len(waits) == len(WAITS)
    assert f"http://127.0.0.1:{server.server_port}/photo.png: " in str(told.value)
    assert not {PASSWORD, SECRET} & set(str(told.value).replace("=", " ").split())


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_will_not_pass_by_is_told_at_once(
    server: http.server.ThreadingHTTPServer, waits: list[float], status: int
) -> None:
    pytest.importorskip("aiohttp")
    Answers.statuses = [status] * 20
    address = f"http://127.0.0.1:{server.server_port}/photo.png"
    with pytest.raises(ImageError):
        RemoteStore(address).fetch(address)
    assert waits == []


@pytest.mark.parametrize(
    "error", [TimeoutError(), ConnectionResetError(), BrokenPipeError(), EOFError(), OSError("Socket is closed")]
)
def test_faults_of_the_connection_pass_by_also_where_another_error_covers_them(error: Exception) -> None:
    covering = RuntimeError("a library's own")
    covering.__cause__ = error
    assert fault_of(error) is not None
    assert fault_of(covering) is fault_of(error)
    assert fault_of(RuntimeError("a library's own")) is None


def test_a_librarys_own_words_are_not_repeated(waits: list[float]) -> None:
    def fails() -> None:
        raise ValueError(f"could not sign with {SECRET}")

    with pytest.raises(StoreError) as told:
        patiently(fails, lambda: None)
    assert SECRET not in str(told.value)
    assert SECRET not in reason_of(PermissionError(SECRET))
