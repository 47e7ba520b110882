"""Pretrained weights by name: what is asked of the hub, kept in its cache, and refused.

No test leaves this machine: the hub is a server on 127.0.0.1, asked by processes of their own, because the hub's
client reads its environment when it is imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from safetensors.torch import load_file

import checkpoint_files
from checkpoint_files import sha256_of
from foveate.recipes.read import read_recipe

FILE = "model.safetensors"
COMMIT = "0123456789abcdef" * 2 + "01234567"
"""What the server below calls its only revision."""

WORKER = """
import json, sys
from foveate.errors import FoveateError
from foveate.networks import resnet
from foveate.networks.built.pretrained import load_encoder_weights

encoder = resnet(18)
print(json.dumps("huggingface_hub" in sys.modules), flush=True)
for line in sys.stdin:
    try:
        sha256 = load_encoder_weights(encoder, "resnet18", **json.loads(line))
        answer = {"sha256": sha256, "sum": float(encoder.conv1.weight.double().sum())}
    except FoveateError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    print(json.dumps(answer), flush=True)
"""
"""Loads resnet18 once for each line that it is sent."""

Ask = Callable[..., dict[str, Any]]

# Fixtures, which pytest finds by these names.
file, tidy, weights = checkpoint_files.file, checkpoint_files.tidy, checkpoint_files.weights


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the hub's client; emptied before each test that asks for `cache`."""
    folder = tmp_path_factory.mktemp("hub")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def cache(home: Path) -> Path:
    """Where the cached repository will be."""
    for each in home.iterdir():
        shutil.rmtree(each)
    return home / "hub" / "models--timm--resnet18.tv_in1k"


@pytest.fixture
def served(hub: ThreadingHTTPServer, file: Path) -> dict[str, Any]:
    """What the server below gives, and the requests it had; a test may change the first two."""
    state = {"content": file.read_bytes(), "etag": sha256_of(file), "status": 200, "requests": []}
    hub.served = state  # type: ignore[attr-defined]  # for its handler
    return state


@pytest.fixture(scope="module")
def hub() -> Iterator[ThreadingHTTPServer]:
    """A server on this machine that has one file, and speaks of the hub's language what one download needs."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.respond(with_body=False)

        def do_GET(self) -> None:
            self.respond(with_body=True)

        def respond(self, *, with_body: bool) -> None:
            served = self.server.served  # type: ignore[attr-defined]
            served["requests"].append(f"{self.command} {self.path}")
            status = served["status"] if self.path.startswith("/timm/") else 404
            content = served["content"] if status == 200 else b""
            self.send_response(status)
            for name, value in [
                ("X-Repo-Commit", COMMIT),
                ("ETag", f'"{served["etag"]}"'),
                ("Content-Length", len(content)),
            ]:
                self.send_header(name, str(value))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def worker(home: Path, **environment: str) -> Iterator[Ask]:
    """A process that loads resnet18 whenever it is asked to, with the hub's client in that environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    clean |= {"HF_HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} | environment
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        env=clean,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    to, answers = process.stdin, process.stdout

    def ask(**options: str) -> dict[str, Any]:
        to.write(json.dumps(options) + "\n")
        to.flush()
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    assert json.loads(answers.readline()) is False  # the hub's client isn't imported before it is needed
    yield ask
    process.communicate()


@pytest.fixture(scope="module")
def online(home: Path, hub: ThreadingHTTPServer) -> Iterator[Ask]:
    with worker(home, HF_ENDPOINT=f"http://127.0.0.1:{hub.server_port}") as ask:
        yield ask


@pytest.fixture(scope="module")
def offline(home: Path) -> Iterator[Ask]:
    with worker(home, HF_HUB_OFFLINE="1") as ask:
        yield ask


@pytest.fixture(scope="module")
def unreachable(home: Path) -> Iterator[Ask]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # not listening: whoever connects is turned away
        with worker(home, HF_ENDPOINT=f"http://127.0.0.1:{free.getsockname()[1]}") as ask:
            yield ask


def is_loaded(answer: dict[str, Any], file: Path) -> bool:
    total = float(load_file(file)["conv1.weight"].double().sum())
    return answer == {"sha256": sha256_of(file), "sum": total}


def test_a_name_is_fetched_into_the_cache_under_its_hash(
    online: Ask, served: dict[str, Any], cache: Path, file: Path
) -> None:
    assert is_loaded(online(), file)
    address = f"/timm/resnet18.tv_in1k/resolve/main/{FILE}"
    # The client may ask for matters of its own beside the file.
    assert {f"HEAD {address}", f"GET {address}"} == {each for each in served["requests"] if "/timm/" in each}
    assert (cache / "snapshots" / COMMIT / FILE).resolve() == cache / "blobs" / sha256_of(file)


def test_a_cached_file_is_loaded_without_any_request(
    online: Ask, offline: Ask, hub: ThreadingHTTPServer, served: dict[str, Any], cache: Path, tmp_path: Path, file: Path
) -> None:
    online()
    shutil.copytree(cache, tmp_path / "hub" / cache.name, symlinks=True)
    served["requests"].clear()
    with worker(tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{hub.server_port}") as another_process:
        assert is_loaded(another_process(), file)
    assert is_loaded(offline(), file)
    assert served["requests"] == []


@pytest.mark.usefixtures("served")
def test_a_named_file_must_have_the_hash_that_the_caller_gives(online: Ask, cache: Path, file: Path) -> None:
    assert is_loaded(online(sha256=sha256_of(file)), file)
    wrong = hashlib.sha256(b"something else").hexdigest()
    answer = online(sha256=wrong)
    assert answer["error"] == "ModelError"
    assert all(part in answer["message"] for part in (str(cache), wrong, sha256_of(file)))


@pytest.mark.parametrize("reason", ["offline", "unreachable"])
def test_without_the_hub_the_error_says_which_file_and_where_to_put_it(
    reason: str, request: pytest.FixtureRequest, cache: Path
) -> None:
    answer = request.getfixturevalue(reason)()
    assert answer["error"] == "ModelError"
    message = answer["message"]
    assert "\n" not in message
    assert message.startswith(f"timm/resnet18.tv_in1k, {FILE}: ")
    assert f"/timm/resnet18.tv_in1k/resolve/main/{FILE}" in message
    assert "give its path for 'resnet18'" in message
    assert all(part in message for part in (str(cache), "HF_HOME", "HF_HUB_OFFLINE"))


def test_the_cached_folder_of_another_machine_serves_one_that_is_offline(
    online: Ask, offline: Ask, served: dict[str, Any], cache: Path, file: Path, tmp_path: Path
) -> None:
    online()
    shutil.copytree(cache, tmp_path / "copy", symlinks=True)
    shutil.rmtree(cache)
    assert offline()["error"] == "ModelError"
    place = re.search(r" to (\S+); or train", offline()["message"])
    assert place is not None
    shutil.copytree(tmp_path / "copy", place[1], symlinks=True)
    served["requests"].clear()
    assert is_loaded(offline(), file)


def test_without_the_hub_the_error_says_what_stands_in_for_the_weights(offline: Ask, cache: Path) -> None:
    message = offline()["message"]
    assert not cache.exists()
    given = re.search(r"from random weights that all learn: (.+?)\. HF_HOME", message)
    assert given is not None
    recipe = read_recipe("dual-attention-unet-lgg", shlex.split(given[1]))
    assert (recipe.training.encoder_weights, recipe.training.freeze) == ("", ())
    assert "\n" not in message


@pytest.mark.parametrize("status", [401, 404])
def test_a_file_that_the_hub_does_not_have_is_one_line_too(
    status: int, online: Ask, served: dict[str, Any], cache: Path
) -> None:
    served["status"] = status
    answer = online()
    assert answer["error"] == "ModelError"
    assert str(status) in answer["message"]
    assert "\n" not in answer["message"]
    assert not (cache / "snapshots").exists()


@pytest.mark.usefixtures("served")
def test_a_cached_file_that_was_changed_is_refused_until_it_is_deleted_and_fetched_again(
    online: Ask, offline: Ask, cache: Path, file: Path
) -> None:
    online()
    blob = cache / "blobs" / sha256_of(file)
    changed = bytearray(blob.read_bytes())
    changed[-1] ^= 1  # in the last tensor: only the hash can tell
    blob.chmod(0o644)
    blob.write_bytes(changed)
    for ask in (online, offline):
        answer = ask()
        assert answer["error"] == "ModelError"
        expected = (str(cache / "snapshots" / COMMIT / FILE), sha256_of(file), hashlib.sha256(changed).hexdigest())
        assert all(part in answer["message"] for part in expected)
    named = re.search(r"Delete (\S+) and fetch it again", answer["message"])
    assert named is not None
    Path(named[1]).unlink()
    assert is_loaded(online(), file)


def test_a_hub_that_sends_another_file_than_it_states_is_refused(
    online: Ask, served: dict[str, Any], cache: Path, file: Path
) -> None:
    served["etag"] = hashlib.sha256(b"something else").hexdigest()
    answer = online()
    assert answer["error"] == "ModelError"
    assert all(part in answer["message"] for part in (str(cache), served["etag"], sha256_of(file)))


@pytest.mark.usefixtures("cache")
def test_a_hub_that_states_no_sha256_is_refused(online: Ask, served: dict[str, Any]) -> None:
    served["etag"] = hashlib.sha1(served["content"]).hexdigest()
    for _ in ("fetched", "cached"):
        answer = online()
        assert answer["error"] == "ModelError"
        assert f"states '{served['etag']}', no SHA-256" in answer["message"]


def test_a_cache_without_links_is_checked_by_asking_the_hub(
    online: Ask, offline: Ask, served: dict[str, Any], cache: Path, file: Path
) -> None:
    online()
    link = cache / "snapshots" / COMMIT / FILE
    content = link.read_bytes()
    link.unlink()
    link.write_bytes(content)
    served["requests"].clear()
    assert is_loaded(online(), file)
    assert {each.split()[0] for each in served["requests"]} == {"HEAD"}
    answer = offline()
    assert answer["error"] == "ModelError"
    assert f"if you trust {link}, of which no SHA-256 is known here, give that path" in answer["message"]
    link.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is expected" in online()["message"]
