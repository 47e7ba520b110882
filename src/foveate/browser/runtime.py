"""ONNX Runtime Web, which runs a network in a browser: fetched by npm at one version, checked, never committed."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import UsageError

NAME, VERSION = "onnxruntime-web", "1.30.0"
ARCHIVE_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
"""Of the package's archive, as npm has it."""

SCRIPT, GLUE, WASM = (
    f"package/dist/{name}" for name in ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
)
"""What of the archive is used: the CPU alone, without WebGPU."""

LICENCE = f"""{NAME} {VERSION}

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
"""What must stand in every copy; those of the libraries in it are in its repository's ThirdPartyNotices.txt."""

SECONDS = 300
"""As long as npm may take."""

BY_HAND = f"Make {NAME}-{VERSION}.tgz where there is npm (`npm pack {NAME}@{VERSION}`), and give it with --runtime."


@dataclass(frozen=True, slots=True)
class BrowserRuntime:
    """The parts of ONNX Runtime Web that a page needs."""

    script: str
    """Gives the page `ort`."""
    glue: str
    """The module that loads the WebAssembly."""
    wasm: bytes


def browser_runtime(archive: Path | None) -> BrowserRuntime:
    """The runtime out of npm's archive, which npm fetches where none is given.

    Raises UsageError where there is neither archive nor npm, npm fails, or the archive is another than `VERSION`'s.
    """
    content = _fetched() if archive is None else _read(archive)
    found = hashlib.sha256(content).hexdigest()
    if found != ARCHIVE_SHA256:
        raise UsageError(
            f"{archive or NAME}: its SHA-256 is {found[:12]}…, that of {NAME} {VERSION} is {ARCHIVE_SHA256[:12]}…."
            f" {BY_HAND}"
        )
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        script, glue, wasm = (_member(opened, name) for name in (SCRIPT, GLUE, WASM))
    return BrowserRuntime(_without_map(script), _without_map(glue), wasm)


def _read(archive: Path) -> bytes:
    try:
        return archive.read_bytes()
    except OSError as error:
        raise UsageError(f"--runtime {archive}: can't be read ({error.strerror or error}). {BY_HAND}") from error


def _fetched() -> bytes:
    """What `npm pack` brings, from wherever npm is set up to take packages."""
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError(f"the page needs {NAME}, and there is no npm here to fetch it. {BY_HAND}")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{NAME}@{VERSION}", "--pack-destination", folder, "--ignore-scripts"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise UsageError(f"npm did not bring {NAME} within {SECONDS} seconds. {BY_HAND}") from error
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            lines = [line for line in done.stderr.splitlines() if line.startswith("npm error")] or [
                "npm error: no reason"
            ]
            raise UsageError(f"npm can't bring {NAME} ({lines[0].removeprefix('npm error ')}). {BY_HAND}")
        return archives[0].read_bytes()


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise UsageError(f"{NAME}: has no {name}. {BY_HAND}")
    return file.read()


def _without_map(script: bytes) -> str:
    """A script without the address of its source map, which a browser would look for."""
    lines = script.decode("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.startswith("//# sourceMappingURL="))
