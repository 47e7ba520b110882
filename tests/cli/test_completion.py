"""The tab key in bash offers what there is: commands, options, and the names that their values can have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from inspect import signature
from pathlib import Path

import pytest

from foveate.cli.commands import COMMANDS
from foveate.cli.completion import NAMES, completion_of
from foveate.datasets import SETS
from foveate.models import shipped as models
from foveate.networks.registry import NETWORKS
from foveate.recipes.read import shipped as recipes

ASKED = {
    "foveate seg": ["segment"],
    "foveate segment --overl": ["--overlay", "--overlay-style", "--overlay-opacity"],
    "foveate segment --model ": list(models()),
    "foveate segment --backend o": ["onnxruntime", "openvino"],
    "foveate recipes sh": ["show"],
    "foveate recipes show region-guided-vessels": ["region-guided-vessels", "region-guided-vessels-fine"],
    "foveate networks conv": [name for name in NETWORKS if name.startswith("conv")],
    "foveate train convl": [name for name in recipes() if name.startswith("convl")],
    "foveate data info hrf": [name for name in SETS if name.startswith("hrf")],
}
"""A line with the cursor at its end, and what is offered."""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `foveate --show-completion` prints, as bash sees it, with a `foveate` on the path."""
    folder = tmp_path_factory.mktemp("bash")
    command = folder / "foveate"
    command.write_text(f"#!{sys.executable}\nfrom foveate.cli.process import run\n\nrun()\n", encoding="utf-8")
    command.chmod(0o755)
    environment = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    shown = in_bash(f"foveate --show-completion bash > {folder}/script", folder, environment)
    assert shown == ""
    return folder / "script"


def in_bash(line: str, folder: Path, environment: dict[str, str] | None = None) -> str:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash here")
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", "--norc", "-c", line],
        capture_output=True,
        encoding="utf-8",
        env=dict(os.environ) | path | (environment or {}),
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout


def test_bash_offers_commands_options_and_names_where_the_tab_key_is_pressed(script: Path) -> None:
    lines = [f"source {script}"]
    for line in ASKED:
        words = [f"'{word}'" for word in line.split(" ")]
        lines.append(f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; COMPREPLY=()")
        lines.append("_foveate_completion foveate; echo ${COMPREPLY[*]}")
    offered = in_bash("\n".join(lines), script.parent).splitlines()
    assert [sorted(words.split()) for words in offered] == [sorted(expected) for expected in ASKED.values()]


def test_every_completed_name_is_of_a_parameter_that_there_is() -> None:
    for place in NAMES:
        command, _, parameter = place.rpartition(" ")
        assert parameter in signature(COMMANDS[command]).parameters
        assert completion_of(command, parameter) is not None
