"""Call the command line as a user types it, in this process or in one of its own."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from os import environ
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.cli import main
from foveate.drawn import draw
from green_model import write_green_model

drawn = cache(draw)

RECORD = {"segment.json", "segment.csv"}
"""What lies in an output folder beside the results."""


@dataclass(frozen=True)
class Ran:
    """A finished call."""

    status: Any
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self.err.splitlines()


def run(*arguments: object) -> Ran:
    """`foveate ARGUMENTS` in this process; whatever but SystemExit comes out of it is a traceback to a user."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["foveate", *map(str, arguments)]
    with (
        mock.patch.object(sys, "argv", argv),
        redirect_stdout(out),
        redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    return Ran(ended.value.code, out.getvalue(), err.getvalue())


def segment(*arguments: object) -> Ran:
    """`foveate segment` by the model whose answer is known."""
    return run("segment", *arguments, "--model", green_model())


def run_apart(*arguments: object, environment: Mapping[str, str] | None = None) -> Ran:
    """The installed console script in a process of its own; output as UTF-8 unless the environment differs."""
    command = [str(Path(sys.executable).with_name("foveate")), *map(str, arguments)]
    variables = {**environ, "PYTHONIOENCODING": "utf-8", **(environment or {})}
    ended = subprocess.run(command, capture_output=True, env=variables, timeout=600, check=False)
    return Ran(ended.returncode, ended.stdout.decode("utf-8", "replace"), ended.stderr.decode("utf-8", "replace"))


def green_model() -> Path:
    """The model file of `segment`."""
    return Path(_model_folder().name) / "green.onnx"


def pixels(seed: int = 0) -> NDArray[np.uint8]:
    """A drawn photograph, 150×160×3; not to be changed, as others get the same one."""
    return drawn(seed, height=150, width=160).image


def save(path: Path, seed: int = 0) -> Path:
    """A drawn photograph as a file, in a folder that is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(pixels(seed)).save(path)
    return path


def opened(path: Path) -> NDArray[Any]:
    """The values of an image file as stored."""
    with PillowImage.open(path) as image:
        return np.array(image)


def images_in_record(folder: Path) -> dict[str, Any]:
    """What an output folder's record says of each image, by name."""
    images: dict[str, Any] = json.loads((folder / "segment.json").read_text(encoding="utf-8"))["images"]
    return images


def files_in_record(folder: Path, name: str) -> dict[str, str]:
    """The outputs that an output folder's record vouches for of an image, by kind."""
    return {kind: output["file"] for kind, output in images_in_record(folder)[name]["outputs"].items()}


def names(folder: Path) -> set[str]:
    """Names of all that lies directly in a folder; empty where there is none."""
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def states(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of change of every file in a folder, by name."""
    files = [path for path in folder.iterdir() if path.is_file()]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@cache
def _model_folder() -> TemporaryDirectory[str]:
    folder = TemporaryDirectory(prefix="foveate-test-", ignore_cleanup_errors=True)
    write_green_model(Path(folder.name))
    return folder
