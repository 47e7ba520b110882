"""docs/serving.md and the OpenAPI document: their examples run, and their tables are true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.service.limits import ServiceLimits, rows
from foveate.service.problems import KINDS
from foveate_command import pixels, run
from running import Running, started

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"
KEY = "the key of this test"
NOT_RUN = {
    "pip install": "needs a package index",
    "foveate serve": "is what the other steps are sent to",
    "podman": "needs podman",
}
"""What commands begin with that aren't run, and why."""

STEPS = re.findall(r"^```(console|python|js)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def page_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with started(tmp_path_factory.mktemp("page") / "log") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the photographs that the page sends."""
    PillowImage.fromarray(pixels()).save(tmp_path / "photo.jpg")
    PillowImage.fromarray(pixels(1)).save(tmp_path / "other.tif")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(command: str, folder: Path) -> str:
    if shutil.which("curl") is None:
        pytest.skip("curl isn't installed")
    command = command.replace("curl ", "curl --fail --silent --show-error ")
    done = subprocess.run(
        command, shell=True, cwd=folder, check=True, capture_output=True, env={**os.environ, "FOVEATE_API_KEY": KEY}
    )
    return done.stdout.decode("utf-8", "replace")


COMMANDS = [line[2:] for kind, text in STEPS if kind == "console" for line in text.replace("\\\n", "").splitlines()]
SNIPPETS = {kind: [text for each, text in STEPS if each == kind] for kind in ("python", "js")}


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith(tuple(NOT_RUN))])
def test_a_command_of_the_page_runs(page_service: Running, folder: Path, command: str) -> None:
    shell(command.replace(ADDRESS, page_service.address), folder)
    for name in re.findall(r"-o (\S+)", command):
        if name.endswith(".zip"):
            assert "photo_overlay.png" in zipfile.ZipFile(folder / name).namelist()
        else:
            assert np.asarray(PillowImage.open(folder / name)).shape[:2] == pixels().shape[:2]


@pytest.mark.parametrize("text", SNIPPETS["python"])
def test_the_python_of_the_page_runs(page_service: Running, folder: Path, text: str) -> None:
    given: dict[str, object] = {}
    exec(compile(text.replace(ADDRESS, page_service.address), "<page>", "exec"), given)
    assert isinstance(given["result"], dict)
    assert given["result"]["name"] == "photo.jpg"


@pytest.mark.parametrize("text", SNIPPETS["js"])
def test_the_javascript_of_the_page_runs(page_service: Running, folder: Path, text: str) -> None:
    if shutil.which("node") is None:
        pytest.skip("node isn't installed")
    text = text.replace(ADDRESS, page_service.address)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", text], cwd=folder, check=True, capture_output=True, encoding="utf-8"
    )
    assert "vessel" in done.stdout


def test_the_page_has_an_example_in_each_language_and_names_no_command_that_is_left_out_in_vain() -> None:
    assert all(SNIPPETS.values())
    assert [each for each in NOT_RUN if not any(command.startswith(each) for command in COMMANDS)] == []


def test_the_examples_of_the_openapi_document_run(page_service: Running, folder: Path) -> None:
    examples = page_service.get("/openapi.json").json["paths"]["/v1/segment"]["post"]["x-codeSamples"]
    for example in examples:
        shell(example["source"].replace("{address}", page_service.address), folder)
    assert (folder / "photo_mask.png").is_file()
    assert zipfile.ZipFile(folder / "masks.zip").testzip() is None
    for example in examples:
        assert example["source"].split("'")[0] in page_service.get("/docs").body.decode()


def test_the_limits_of_the_page_the_command_and_the_service_are_one_table(page_service: Running) -> None:
    table = re.findall(r"^\| `(\w+)` \| (\d+) \| (\w+) (.*) \|$", PAGE, re.MULTILINE)
    expected = [(row.name, str(row.value), row.unit, row.meaning) for row in rows(ServiceLimits())]
    assert table == expected
    assert run("serve", "--limits").out.splitlines() == [f"{name}  {' '.join(rest)}" for name, *rest in expected]
    told = page_service.get("/readyz").json["limits"]
    assert [(name, str(each["value"]), each["unit"], each["meaning"]) for name, each in told.items()] == expected


def test_the_page_has_every_code_beside_its_status() -> None:
    table = dict(re.findall(r"^\| ([\d, ]+) \| (.*) \|$", PAGE, re.MULTILINE))
    named = {code: status for status, codes in table.items() for code in re.findall(r"`(\w+)`", codes) if code in KINDS}
    assert {code for code, kind in KINDS.items() if str(kind.status) in named.get(code, "")} == set(KINDS)


@pytest.mark.slow
def test_whatever_the_openapi_document_allows_is_answered_as_it_says(page_service: Running, tmp_path: Path) -> None:
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    call = [sys.executable, "-m", "schemathesis.cli", "run", f"{page_service.address}/openapi.json"]
    options = ["--checks", checks, "--max-examples", "15", "--seed", "1", "--phases", "examples,coverage,fuzzing"]
    done = subprocess.run(
        [*call, *options], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:]
