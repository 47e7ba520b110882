"""What `foveate doctor` says is so, and tells nobody who runs it, or where."""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest

import foveate
from foveate.models import open_model, store
from foveate.runtime import open_session
from foveate.runtime.here import executions_here
from foveate_command import run


def test_versions_and_models_are_those_that_are_installed() -> None:
    findings = {(finding.about, finding.name): finding.text for finding in foveate.doctor()}
    assert findings["system", "Python"].startswith(platform.python_version())
    for package in ("numpy", "onnxruntime", "pillow"):
        assert f"{package} {importlib.metadata.version(package)}" in findings["package", "base"]
    assert open_model("vessels").card.sha256 in findings["model", "vessels"]


def test_every_backend_that_it_names_runs_the_shipped_model() -> None:
    model, image = open_model("vessels"), np.full((1, 3, 32, 32), 90, np.float32)
    said = {finding.name for finding in foveate.doctor() if finding.about == "backend"}
    for execution in executions_here():
        assert str(execution) in said
        session = open_session(model.content, source="vessels", execution=execution)
        assert session.run(image).shape == (1, 1, 32, 32)


def test_it_tells_nothing_of_who_and_where_somebody_is() -> None:
    ran = run("doctor")
    assert ran.status == 0
    for personal in (str(Path.home()), str(Path.cwd()), str(Path(foveate.__file__).parent), platform.node()):
        assert personal not in ran.out
    assert getpass.getuser() not in ran.out.split()


def test_a_damaged_model_and_a_missing_package_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(store.SHIPPED / "vessels", tmp_path / "vessels")
    (tmp_path / "vessels" / "model.onnx").write_bytes(b"damaged")
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    monkeypatch.setattr(
        importlib.metadata, "requires", lambda name: ["numpy>=2", "not-there>=1", "torch; extra == 'x'"]
    )
    ran = run("doctor", "--json")
    assert ran.status == 1
    findings = {(entry["about"], entry["name"]): entry for entry in json.loads(ran.out)}
    assert findings["model", "vessels"]["wrong"]
    assert findings["package", "base"]["wrong"]
    assert "not-there" in findings["package", "base"]["text"]
    assert len(ran.errors) == 2
    assert any("SHA-256" in line for line in ran.errors)
