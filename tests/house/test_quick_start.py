"""The quick start, word for word, from the built wheel in an empty environment and far from the repository."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from pages import FENCED
from source_tree import ROOT
from test_wheel import call, link_package, with_what_they_require

PAGE = ROOT / "docs" / "start.md"

OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_CACHE_DIR": "1"}
"""For the page's `pip install`: what the wheel requires is there."""


def script() -> str:
    """The page's blocks, one after the other, as a shell runs them."""
    parts = []
    for kind, block in FENCED.findall(PAGE.read_text(encoding="utf-8")):
        assert kind in ("console", "python"), kind
        lines = [line.removeprefix("$ ") for line in block.splitlines()]
        parts.append("\n".join(lines) if kind == "console" else f"python <<'END OF PYTHON'\n{block}END OF PYTHON")
    return "set -e\n" + "\n".join(parts) + "\n"


def empty_environment(folder: Path) -> Path:
    """Programs of an environment that has pip and what the wheel requires, and no foveate."""
    venv, packages = folder / "venv", folder / "packages"
    packages.mkdir()
    call(sys.executable, "-m", "venv", "--without-pip", venv)
    for name in with_what_they_require("foveate") - {"foveate"}:
        link_package(name, packages)
    (site_packages,) = venv.glob("lib/python*/site-packages")
    (site_packages / "base.pth").write_text(f"{packages}\n", encoding="utf-8")
    pip = shlex.join([sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python")])
    (venv / "bin" / "pip").write_text(f'#!/bin/sh\nexec {pip} "$@"\n', encoding="utf-8")
    (venv / "bin" / "pip").chmod(0o755)
    return venv / "bin"


@pytest.mark.slow
def test_the_quick_start_runs_word_for_word_from_the_wheel_alone(tmp_path: Path) -> None:
    programs, folder = empty_environment(tmp_path), tmp_path / "folder"
    call(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder / "dist", ROOT)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP", "VIRTUAL_ENV"))}
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash"],
        input=script(),
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        env=kept | OFFLINE | {"PATH": path},
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (folder / "masks" / "synthetic_13_mask.png").is_file()
    assert (folder / "masks" / "segment.csv").is_file()
    assert "% of the field of view are vessels" in ended.stdout
