"""A Ray cluster of processes of their own: masks as the local engine's, whoever is killed."""

from __future__ import annotations

import csv
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_on_loopback import called, check_complete, draw_small_images, masks_in, ray_cluster

import foveate
from foveate_command import green_model, images_in_record, segment
from stores_on_loopback import KEY, PLANTED, SECRET, TOKEN, photograph

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra ray)")

GOOD, BROKEN = 60, 4


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
def cluster(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    # Sockets lie in it, whose names must be short.
    folder = Path(f"/tmp/foveate-ray-{os.getpid()}")
    with ray_cluster(folder) as address:
        yield address


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


def test_an_image_at_which_processes_die_is_found_out_and_gets_its_reason(
    cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from foveate.inference.cluster import engine
    from foveate.inference.cluster.worker import Worker

    class Dying(Worker):  # sent as it is, as the cluster can't import this file
        def _made(self, rows: Any) -> Any:
            if any(item.name == "good00003" for _, item, reason in rows if not reason):
                import os
                import signal

                os.kill(os.getpid(), signal.SIGKILL)
            return super()._made(rows)

    monkeypatch.setattr(engine, "Worker", Dying)
    monkeypatch.setattr(engine, "RETRIES", 0)
    monkeypatch.setattr(engine, "BATCHES_EACH", 1)
    draw_small_images(tmp_path / "images", 8, 0)
    monkeypatch.chdir(tmp_path)
    outcomes = foveate.segment("images", "out", model=green_model(), engine="ray", address=cluster)
    assert [outcome.key for outcome in outcomes] == [f"images/good{number:05}.png" for number in range(8)]
    (failed,) = [outcome for outcome in outcomes if outcome.error]
    assert failed.key == "images/good00003.png"
    assert "the process that was at it ended" in failed.error
    record = images_in_record(tmp_path / "out")
    assert record["good00003"]["error"] == failed.error
    assert [image["status"] for image in record.values()].count("done") == len(masks_in(tmp_path / "out")) == 7


def test_addresses_are_read_and_written_by_the_machines_with_credentials_of_their_own(
    cluster: str, s3: Any, tmp_path: Path
) -> None:
    import io

    from pyarrow import parquet

    for number in range(3):
        s3.put_object(Bucket="eyes", Key=f"in/{number}.png", Body=photograph(number))
    s3.put_object(Bucket="eyes", Key="in/broken.png", Body=b"no image")
    options = {"model": green_model(), "engine": "ray", "address": cluster}
    said: list[str] = []
    first = foveate.segment("s3://eyes/in", "s3://eyes/out", **options, on_start=said.append)  # type: ignore[arg-type]
    again = foveate.segment("s3://eyes/in", "s3://eyes/out", **options)  # type: ignore[arg-type]
    assert [bool(each.error) for each in first] == [False, False, False, True]
    assert [each.kept for each in again] == [True, True, True, False]
    local = foveate.segment("s3://eyes/in", tmp_path / "local", model=green_model())
    there = {each["Key"]: each for each in s3.list_objects_v2(Bucket="eyes", Prefix="out/")["Contents"]}
    content = {key: s3.get_object(Bucket="eyes", Key=key)["Body"].read() for key in there}
    for outcome in local[:3]:
        mask = outcome.outputs["mask"]
        assert content[f"out/{mask.name}"] == mask.read_bytes()
    (part,) = [key for key in content if key.endswith(".parquet")]
    rows = parquet.read_table(io.BytesIO(content[part])).to_pylist()
    assert sorted((row["name"], row["status"]) for row in rows) == [
        ("0", "done"),
        ("1", "done"),
        ("2", "done"),
        ("broken", "failed"),
    ]
    failed = list(csv.reader(content["out/segment.failed.csv"].decode().splitlines()))
    assert [row[0] for row in failed] == ["image", "s3://eyes/in/broken.png"]
    logs = b"".join(path.read_bytes() for path in Path(f"/tmp/foveate-ray-{os.getpid()}").rglob("*") if path.is_file())
    assert logs
    assert [secret for secret in PLANTED if secret.encode() in logs] == []
    (line,) = said
    assert "Ray: 3 machines, 2 cores" in line
    assert not ray.is_initialized()
