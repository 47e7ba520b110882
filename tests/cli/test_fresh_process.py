"""What a process loads and touches: the command line must be quick, offline, and free of training's packages."""

import json
import os
import subprocess
import sys
from pathlib import Path

from foveate_command import RECORD, names, save

NOT_INSTALLED_WITH_FOVEATE = {
    "kornia",
    "lightning",
    "lightning_fabric",
    "monai",
    "onnx",
    "onnxscript",
    "pytorch_lightning",
    "scipy",
    "sklearn",
    "torch",
}

RUN_COMMAND = """
import json, sys
from foveate.cli import main
sys.argv[0] = "foveate"
try:
    main()
except SystemExit as ended:
    print(json.dumps([ended.code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""

WITHOUT_NETWORK = """
import socket
def refuse(*arguments, **options):
    raise OSError("the network was touched")
socket.socket = socket.create_connection = socket.getaddrinfo = refuse
"""


def last_line(script: str, *arguments: object) -> tuple[int, set[str]]:
    """The exit status and the modules that a script in a process of its own prints at its end."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    assert ended.returncode == 0, ended.stderr
    status, modules = json.loads(ended.stdout.splitlines()[-1])
    return status, set(modules)


def test_segmenting_leaves_no_telemetry_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    command = [
        sys.executable,
        "-m",
        "foveate",
        "segment",
        str(save(tmp_path / "photo.png")),
        "-o",
        str(tmp_path / "out"),
    ]
    silenced = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in silenced} | {"HOME": str(home)}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert names(tmp_path / "out") == {"photo_mask.png", *RECORD}
    assert list(home.rglob("*")) == []


def test_segmenting_needs_no_network_and_no_package_of_training(tmp_path: Path) -> None:
    out = tmp_path / "out"
    status, modules = last_line(
        WITHOUT_NETWORK + RUN_COMMAND, "segment", save(tmp_path / "photo.png"), "-o", out, "--overlay"
    )
    assert status == 0
    assert names(out) == {"photo_mask.png", "photo_overlay.png", *RECORD}
    assert {"numpy", "onnxruntime"} <= modules
    assert not modules & NOT_INSTALLED_WITH_FOVEATE
