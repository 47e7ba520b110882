"""Calls that can't go to a cluster end with a sentence, before one is started; others don't know of Ray at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import foveate
from foveate.errors import ServerError, UsageError
from foveate_command import green_model, save, segment
from stores_on_loopback import free_port


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"dicom_seg": "binary"}, "--dicom-seg and --store need whole series"),
        ({"backend": "torch"}, "runs model files"),
        ({"address": "ray://127.0.0.1:10001"}, "doesn't go through Ray's client"),
        ({"out": "s3://me:planted@eyes/masks"}, "its password or signature isn't sent"),
        ({"out": "s3://eyes/masks?token=planted"}, "its password or signature isn't sent"),
        ({"hysteresis": 0.9}, "hysteresis"),
        ({"engine": "spark"}, "unknown engine 'spark'"),
        ({"engine": "local", "address": "auto"}, "Add --engine ray"),
    ],
)
def test_what_ray_does_not_take_is_refused(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    photo = save(tmp_path / "photo.png")
    words: dict[str, Any] = {"out": tmp_path / "out", "model": green_model(), "engine": "ray"} | options
    with pytest.raises(UsageError, match=reason) as refused:
        foveate.segment(photo, **words)
    assert "planted" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_items_that_are_no_files_of_their_own_are_refused(tmp_path: Path) -> None:
    from foveate.inference.source import BytesItem

    item = BytesItem(save(tmp_path / "photo.png").read_bytes(), "photo", "photo")
    with pytest.raises(UsageError, match="photo: --engine ray takes images that are a file each"):
        foveate.segment([item], tmp_path / "out", model=green_model(), engine="ray")


def test_volumes_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("nibabel")
    from made_nifti import head, saved, volume

    saved(volume(head()), tmp_path / "scan.nii")
    with pytest.raises(UsageError, match="volumes"):
        foveate.segment(tmp_path / "scan.nii", tmp_path / "out", model=green_model(), engine="ray")


def test_a_model_that_is_opened_already_is_refused(tmp_path: Path) -> None:
    photo, model = save(tmp_path / "photo.png"), foveate.load(green_model())
    with pytest.raises(UsageError, match="opens the model on each machine"):
        foveate.segment(photo, tmp_path / "out", model=model, engine="ray")


def test_where_no_cluster_answers_that_is_said_at_once(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    photo, address = save(tmp_path / "photo.png"), f"127.0.0.2:{free_port()}"
    with pytest.raises(ServerError, match=f"--address {address}: no Ray cluster answers there"):
        foveate.segment(photo, tmp_path / "out", model=green_model(), engine="ray", address=address)
    ran = segment(photo, "-o", tmp_path / "out", "--engine", "ray", "--address", address)
    assert ran.status == 1
    assert "no Ray cluster answers there" in ran.err
    assert "Traceback" not in ran.err


def test_a_local_call_does_not_import_ray(tmp_path: Path) -> None:
    photo = save(tmp_path / "photo.png")
    script = (
        "import sys, foveate\n"
        f"foveate.segment({str(photo)!r}, {str(tmp_path / 'out')!r}, model={str(green_model())!r})\n"
        "sys.exit('ray' in sys.modules or 'foveate.inference.cluster' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=300)


def test_a_cluster_that_has_no_place_for_a_session_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 2.0}}, {"Alive": False}])
    photo = save(tmp_path / "photo.png")
    with pytest.raises(UsageError, match="no machine of the cluster has 3 cores, which a session needs"):
        foveate.segment(photo, tmp_path / "out", model=green_model(), engine="ray", threads=3)
    with pytest.raises(UsageError, match="has 1 cores and a GPU"):
        foveate.segment(photo, tmp_path / "out", model=green_model(), engine="ray", device="cuda")
