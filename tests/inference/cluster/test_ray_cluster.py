"""A Ray cluster of processes of their own: masks as the local engine's, whoever is killed."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_on_loopback import called, check_complete, draw_small_images, ray_cluster

import foveate
from foveate_command import green_model, segment
from stores_on_loopback import KEY, PLANTED, SECRET, TOKEN, photograph

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")

GOOD, BROKEN = 60, 4

STATE = Path(f"/tmp/foveate-ray-{os.getpid()}")
"""Of the cluster. Sockets lie in it, whose names must be short."""


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An object store whose credentials the cluster finds in the environment."""
    boto3 = pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with pytest.MonkeyPatch.context() as patched:
        for name, value in {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_SESSION_TOKEN": TOKEN,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": "http://{}:{}".format(*server.get_host_and_port()),
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patched.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="eyes")
        yield client
    server.stop()


@pytest.fixture(scope="module")
def cluster(s3: Any) -> Iterator[str]:
    with ray_cluster(STATE) as address:
        yield address
    shutil.rmtree(STATE, ignore_errors=True)


def test_what_is_killed_in_mid_job_is_made_up_for_and_every_image_is_made_once(cluster: str, tmp_path: Path) -> None:
    images, local, out = tmp_path / "images", tmp_path / "local", tmp_path / "out"
    draw_small_images(images, GOOD, BROKEN)
    assert segment(images, "-o", local).status == 1

    first = called(images, out, cluster, tmp_path / "first")
    first.awaited(GOOD // 4)
    first.process.kill()
    assert first.ended() == -signal.SIGKILL
    made = {path.name: path.stat().st_ino for path in out.glob("*_mask.png")}
    assert len(made) >= GOOD // 4

    second = called(images, out, cluster, tmp_path / "second")
    second.kill_a_worker()
    assert second.ended() == 1  # as some are broken
    check_complete(out, local, GOOD, BROKEN)
    # What the first call had said of as done was left as it was; of each process one image may have been in the making.
    again = [name for name, number in made.items() if (out / name).stat().st_ino != number]
    assert len(again) <= 4
    log = (tmp_path / "second").read_text("utf-8")
    assert f"{BROKEN} failed" in log
    assert re.search(r"[\d.]+ images/s, \d failed, about \d+ s left", log)
    assert "Ray: 3 machines, 2 cores" in log
    assert "INFO" not in log


def test_addresses_are_read_and_written_by_the_machines_with_credentials_of_their_own_and_what_kills_them_is_told(
    cluster: str, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet

    from foveate.inference.cluster import engine
    from foveate.inference.cluster.worker import Worker

    class Dying(Worker):  # sent as it is, as the cluster can't import this file
        def _made(self, rows: Any) -> Any:
            if any(item.name == "deadly" for _, item, reason in rows if not reason):
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            return super()._made(rows)

    monkeypatch.setattr(engine, "Worker", Dying)
    monkeypatch.setattr(engine, "RETRIES", 0)
    monkeypatch.setattr(engine, "BATCHES_EACH", 1)
    contents = {**{str(number): photograph(number) for number in range(3)}, "deadly": photograph(3), "no": b"no image"}
    for name, content in contents.items():
        s3.put_object(Bucket="eyes", Key=f"in/{name}.png", Body=content)
    said: list[str] = []
    outcomes = foveate.segment(
        "s3://eyes/in", "s3://eyes/out", model=green_model(), engine="ray", address=cluster, on_start=said.append
    )
    assert [outcome.key for outcome in outcomes] == [f"s3://eyes/in/{name}.png" for name in contents]
    assert [bool(outcome.error) for outcome in outcomes] == [False, False, False, True, True]
    assert "deadly.png: the process that was at it ended" in outcomes[3].error
    assert "Ray: 3 machines, 2 cores" in said[0]
    assert not ray.is_initialized()

    local = foveate.segment("s3://eyes/in", tmp_path / "local", model=green_model())
    listed = s3.list_objects_v2(Bucket="eyes", Prefix="out/")["Contents"]
    there = {each["Key"]: s3.get_object(Bucket="eyes", Key=each["Key"])["Body"].read() for each in listed}
    masks = {f"out/{mask.name}": mask.read_bytes() for each in local[:3] for mask in each.outputs.values()}
    assert {key: content for key, content in there.items() if key.endswith(".png")} == masks
    (part,) = [key for key in there if key.endswith(".parquet")]
    rows = [(row["name"], row["error"]) for row in parquet.read_table(io.BytesIO(there[part])).to_pylist()]
    assert rows == [("0", ""), ("1", ""), ("2", ""), ("deadly", outcomes[3].error), ("no", outcomes[4].error)]
    failed = list(csv.reader(there["out/segment.failed.csv"].decode().splitlines()))
    assert failed[1:] == [[each.key, each.error] for each in outcomes[3:]]

    logs = b"".join(path.read_bytes() for path in STATE.rglob("*") if path.is_file())
    assert logs
    assert [secret for secret in PLANTED if secret.encode() in logs] == []
