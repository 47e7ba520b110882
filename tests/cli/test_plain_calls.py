"""A plain call of `foveate segment` is read without Typer: as Typer would, and with little imported."""

from __future__ import annotations

import json
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from foveate.cli import commands
from foveate.cli import segment as segment_module
from foveate.cli.plain import plain_arguments
from foveate.cli.quiet import with_quiet
from foveate_command import save

RUN = """
import json, sys
from foveate.cli import main
try:
    main()
except SystemExit:
    print(json.dumps(sorted(sys.modules)))
"""

PLAIN = [
    "a.png -o out",
    "a.png b.png --out=out --overlay -q",
    "-o out --tta 4 --hysteresis 0.2 a.png --fill-holes=3",
    "a.png -o out --overlay --overlay-style fill --overlay-opacity 0.5 --threads 2 --model vessels",
]

LEFT_TO_TYPER = [
    "-h",
    "a.png",
    "-o out",
    "a.png -o",
    "a.png -o out --tta 3",
    "a.png -o out --overlay-opacity 2",
    "a.png -o out --threads=-1",
    "a.png -o out --threads one",
    "a.png -o out --over",
    "a.png -o out --overlay=yes",
    "a.png -qo out",
    "a.png -o out -o other",
    "-o out -- a.png",
]


def by_typer(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> dict[str, Any]:
    """The arguments with which Typer calls the command."""
    heard: dict[str, Any] = {}
    own = segment_module.segment

    def listening(**arguments: Any) -> None:
        heard.update(arguments)

    listening.__signature__ = signature(own, eval_str=True)  # type: ignore[attr-defined]
    monkeypatch.setitem(commands.COMMANDS, "segment", listening)
    assert CliRunner().invoke(commands.app(), ["segment", *words]).exit_code == 0
    return heard


@pytest.mark.parametrize("call", PLAIN)
def test_a_plain_call_is_read_as_typer_reads_it(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    words = call.split()
    arguments = plain_arguments(with_quiet(segment_module.segment), words)
    assert arguments is not None
    del arguments["quiet"]
    assert arguments == by_typer(monkeypatch, words)


@pytest.mark.parametrize("call", LEFT_TO_TYPER)
def test_what_is_not_plainly_right_is_left_to_typer(call: str) -> None:
    assert plain_arguments(with_quiet(segment_module.segment), call.split()) is None


def test_the_command_segments_without_what_it_has_no_use_for(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "photo.png"), tmp_path / "out"
    command = [sys.executable, "-c", RUN, "segment", str(photo), "-o", str(out)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    loaded = set(json.loads(ended.stdout.splitlines()[-1]))
    assert {"numpy", "onnxruntime", "foveate.inference.engine"} <= loaded
    spared = {"typer", "pydantic", "rich", "numpy.ma", "numpy.random", "statistics", "argparse"}
    assert not loaded & {*spared, "foveate.metrics.areas", "foveate.cli.train", "foveate.evaluation"}
