"""What commands print, found by running them on drawn photographs; kept beside the site until the program changes."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shlex
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest.mock import patch

from foveate.cli import main
from foveate.drawn import draw
from foveate.imaging import write_mask, write_rgb, write_text
from site_pages.places import ROOT

COLUMNS = "100"
"""Width of a help text."""

SWEEP = """\
recipe = "attention-unet-isic2018"

[fixed]
network.widths = [4, 8]
training.epochs = 1
training.samples_per_epoch = 4
training.batch = 2
training.crop = 64
training.warm_up = 0
preparation.fov = "find"
preparation.working_minimum = 128

[search]
training.learning_rate = [1e-3, 1e-2]
"""


class FailedCommandError(Exception):
    """A command of the documentation ended with an error."""


def outputs(calls: Iterable[str], kept: Path) -> dict[str, str]:
    """Call to what it prints, one after the other in one folder of drawn photographs.

    Nothing is run where `kept` holds the same calls by the same program. Raises FailedCommandError.
    """
    wanted = list(calls)
    key = fingerprint(wanted)
    if kept.is_file() and (known := json.loads(kept.read_text(encoding="utf-8")))["key"] == key:
        return dict(known["outputs"])
    with _drawn_folder():
        found = {call: printed(call) for call in wanted}
    write_text(json.dumps({"key": key, "outputs": found}, indent=1, ensure_ascii=False) + "\n", kept)
    return found


def fingerprint(calls: Iterable[str]) -> str:
    """Of the calls, and of every file of the program that may change what they print."""
    whole = hashlib.sha256("\n".join(calls).encode())
    folder = ROOT / "src" / "foveate"
    for path in [*sorted(folder.rglob("*")), Path(__file__)]:
        if path.is_file() and "__pycache__" not in path.parts:
            whole.update(f"{path.name}\n".encode() + path.read_bytes())
    return whole.hexdigest()


def printed(call: str) -> str:
    """What a call says on stdout and stderr, in order. Raises FailedCommandError."""
    said = io.StringIO()
    streams = contextlib.redirect_stdout(said), contextlib.redirect_stderr(said)
    with streams[0], streams[1], patch.object(sys, "argv", shlex.split(call)):
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise FailedCommandError(f"{call}: ended with {end.code}: {said.getvalue()}") from end
    return "\n".join(line.rstrip() for line in said.getvalue().splitlines())


@contextlib.contextmanager
def _drawn_folder() -> Iterator[None]:
    """Work in a folder with photographs to segment, and with a data set to train on."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), patch.dict(os.environ, COLUMNS=COLUMNS):
        for seed, name in enumerate(("photo", "folder/left", "folder/right")):
            write_rgb(draw(seed, height=300, width=320).image, Path(f"{name}.png"))
        for seed in range(4):
            drawn = draw(seed + 10, height=150, width=160)
            write_rgb(drawn.image, Path(f"mine/images/{seed}.png"))
            write_mask(drawn.mask, Path(f"mine/masks/{seed}.png"))
        Path("mine.toml").write_text(SWEEP, encoding="utf-8")
        yield
