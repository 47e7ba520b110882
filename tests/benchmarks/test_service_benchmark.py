"""A short form of the load on the service: nothing is lost or mixed up. How fast is for a quiet machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from foveate_command import green_model

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "service.py"
CLIENTS, REQUESTS, BROKEN = 8, 60, 6
MOST = 600
"""MiB above what the idle service has."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of another process")
def test_clients_that_come_all_at_once_get_each_their_own_masks(tmp_path: Path) -> None:
    call = [sys.executable, str(SCRIPT), f"--clients={CLIENTS}", f"--requests={REQUESTS}", f"--model={green_model()}"]
    subprocess.run([*call, f"--json={tmp_path / 'found.json'}"], check=True, capture_output=True)
    service = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["service"]
    assert (service["lost"], service["mixed_up"]) == (0, 0)
    assert service["statuses"] == {"200": REQUESTS - BROKEN, "422": BROKEN}
    assert service["mib"]["most"] - service["mib"]["idle"] < MOST
    assert service["exit_status"] == 0
