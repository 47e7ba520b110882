"""Packages of npm that a test needs, kept between runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def archive(config: pytest.Config, name: str, version: str) -> Path:
    """The package's archive; skips where npm isn't there or can't bring it."""
    folder = Path(config.cache.mkdir("npm")) if config.cache else Path()
    file = folder / f"{name}-{version}.tgz"
    if file.is_file():
        return file
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    command = [npm, "pack", f"{name}@{version}", "--pack-destination", str(folder), "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=300)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(f"npm can't bring {name} {version}")
    return file
