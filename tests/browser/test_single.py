"""`foveate page` without a browser: what it refuses, and what stands in the file."""

from __future__ import annotations

import importlib.util
import io
import re
import tarfile
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

import foveate
from foveate.browser import runtime
from foveate.browser.runtime import GLUE, SCRIPT, WASM, BrowserRuntime, browser_runtime
from foveate.browser.single import single_page
from foveate.errors import ModelError, OutputError, UsageError
from foveate.models import open_model

RUNTIME = BrowserRuntime("globalThis.ort = '</script>';", "export default 1;", b"\0asm")
ROOT = Path(__file__).parents[2]


def archive_of(*names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()


def test_another_archive_than_the_pinned_one_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "other.tgz").write_bytes(archive_of(SCRIPT, GLUE, WASM))
    with pytest.raises(UsageError, match=r"other\.tgz: its SHA-256 is .*npm pack") as refused:
        foveate.page(tmp_path / "page.html", runtime=tmp_path / "other.tgz")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "page.html").exists()


def test_an_archive_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        browser_runtime(tmp_path / "none.tgz")


def test_where_npm_is_missing_or_fails_the_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="there is no npm here"):
        browser_runtime(None)
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network is down' >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    with pytest.raises(UsageError, match=r"\(network is down\).*--runtime"):
        browser_runtime(None)


def test_what_npm_brings_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\necho stranger > "$4/some.tgz"\n', encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=runtime.NAME + ": its SHA-256 is"):
        browser_runtime(None)


def test_a_file_that_is_there_stays_and_one_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="is there already"):
        foveate.page(tmp_path / "page.html")
    with pytest.raises(UsageError, match=r"\.html"):
        foveate.page(tmp_path / "page.pdf")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "mine"


def test_a_model_that_sees_enhanced_images_is_refused() -> None:
    model = open_model("vessels")
    preparation = replace(model.card.preparation, channels="green")
    other = replace(model, card=msgspec.structs.replace(model.card, preparation=preparation))
    with pytest.raises(ModelError, match="enhanced"):
        single_page(other, RUNTIME)


def test_the_page_holds_everything_and_names_no_address() -> None:
    page = single_page(open_model("vessels"), RUNTIME)
    assert "connect-src 'none'" in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.count("</script>") == page.count("<script")
    folder = files("foveate.browser")
    modules = {each.name for part in ("static", "inside") for each in (folder / part).iterdir()}
    for name in modules:
        assert name in page or not name.endswith(".js") or name in ("served.js", "server.js")


def test_modules_import_what_is_there_and_are_short_enough_to_read() -> None:
    folder = ROOT / "src" / "foveate" / "browser"
    scripts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*/*.js")}
    assert len(scripts) > 20
    for name, text in scripts.items():
        assert len(text.splitlines()) < 250, name
        for names, place in re.findall(r'^import \{([^}]*)\} from "\./([\w-]+\.js)"', text, re.MULTILINE):
            for each in names.split(","):
                exported = rf"^export (?:async )?(?:function|class|const) {each.strip()}\b"
                assert not each.strip() or re.search(exported, scripts[place], re.MULTILINE), (name, place, each)
    served = (folder / "static").glob("*.js")
    wanted = [place for path in served for place in re.findall(r' from "\./([\w-]+\.js)"', scripts[path.name])]
    assert {path.name for path in (folder / "static").iterdir()} >= set(wanted)


def test_the_sample_is_what_the_script_draws_and_small() -> None:
    spec = importlib.util.spec_from_file_location("write_sample", ROOT / "scripts" / "write_sample.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    content = script.FILE.read_bytes()
    assert content == script.sample()
    assert len(content) < 60_000


def test_the_page_carries_the_licence_of_the_runtime_that_it_gives_on() -> None:
    page = single_page(open_model("vessels"), RUNTIME)
    (comment,) = (text for text in re.findall("<!--(.*?)-->", page, flags=re.DOTALL) if runtime.NAME in text)
    assert f"{runtime.NAME} {runtime.VERSION}" in comment
    assert "MIT License" in comment
    assert "Copyright (c) Microsoft Corporation" in comment
    assert "shall be included in all copies" in comment
