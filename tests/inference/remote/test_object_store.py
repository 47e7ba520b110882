"""S3, spoken with a server of moto's: masks as the local ones, a record that holds, and no work done twice."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cutting_proxy import CuttingProxy, proxy_to

import foveate
from foveate.errors import OutputError
from foveate.inference.remote import record
from foveate.inference.sink import Outcome
from foveate_command import green_model, images_in_record, run, segment
from stores_on_loopback import PLANTED, WAIT, Bucket, photograph

pytest_plugins = ("store_fixtures",)

pytest.importorskip("s3fs")
parquet = pytest.importorskip("pyarrow.parquet")


def fill(bucket: Bucket, folder: Path, count: int, *, broken: bool = False) -> dict[str, bytes]:
    """Photographs in the bucket's `in/` and in a folder; the local masks by the names of their objects."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.png").write_bytes(photograph(number % 3))
        bucket.put(f"in/{number}.png", photograph(number % 3))
    assert segment(folder, "-o", folder / "out").status == 0
    if broken:
        bucket.put("in/broken.png", b"no photograph")
    return {f"out/{path.name}": path.read_bytes() for path in (folder / "out").glob("*.png")}


def masks(bucket: Bucket) -> dict[str, bytes]:
    return bucket.content("out/", "_mask.png")


def rows(bucket: Bucket, part: str = "all") -> list[dict[str, Any]]:
    """All that the record says, in whatever part."""
    tables = bucket.content(f"out/segment.record/{part}/", ".parquet")
    return [row for each in tables.values() for row in parquet.read_table(io.BytesIO(each)).to_pylist()]


def test_masks_at_an_address_are_those_of_the_local_command_and_the_record_vouches_for_them(
    bucket: Bucket, tmp_path: Path
) -> None:
    local = fill(bucket, tmp_path / "local", 2, broken=True)
    ran = segment(bucket.address("in"), "-o", bucket.address("out"), "--confidence")
    assert ran.status == 1
    (error,) = ran.errors
    assert f"s3://{bucket.name}/in/broken.png: is not an image" in error
    assert masks(bucket) == local
    recorded = images_in_record(tmp_path / "local/out")
    for name in ("0", "1"):
        (row,) = [row for row in rows(bucket) if row["name"] == name]
        vouched = recorded[name]["outputs"]["mask"]
        assert (row["outputs"], row["output_sha256"]) == ([vouched["file"]], [vouched["sha256"]])
        assert (row["input_sha256"], row["model_sha256"]) == (
            recorded[name]["sha256"],
            recorded[name]["model"]["sha256"],
        )
        assert row["status"] == "done"
        assert row["seconds"] > 0
        assert 0 < dict(row["expected_f1"])["vessel"] <= 1
    (row,) = [row for row in rows(bucket) if row["name"] == "broken"]
    assert row["status"] == "failed"
    assert "is not an image" in row["error"]
    failed = bucket.of("out/segment.failed.csv").decode().splitlines()
    assert failed[0] == "image,error"
    assert failed[1].startswith(f"s3://{bucket.name}/in/broken.png,")


def test_a_repeated_call_makes_only_what_is_missing_failed_or_changed(bucket: Bucket, tmp_path: Path) -> None:
    fill(bucket, tmp_path / "local", 3, broken=True)
    call = (bucket.address("in"), "-o", bucket.address("out"))
    assert segment(*call).status == 1
    before = bucket.states("out/")
    bucket.client.delete_object(Bucket=bucket.name, Key="out/1_mask.png")
    bucket.put("in/2.png", photograph(7))
    bucket.put("in/broken.png", photograph(1))

    ran = segment(*call)
    assert ran.status == 0
    assert "3 done, 1 kept, 0 failed" in ran.out
    after = bucket.states("out/")
    put = [key for key in before if key.endswith("_mask.png") and after[key] != before[key]]
    assert not {"out/0_mask.png"} & set(put)
    assert masks(bucket)["out/broken_mask.png"] == masks(bucket)["out/1_mask.png"]
    assert sorted((row["name"], row["status"]) for row in rows(bucket)) == [
        (name, "done") for name in ("0", "1", "2", "broken")
    ]
    assert bucket.of("out/segment.failed.csv") == b"image,error\n"


def test_full_files_of_the_record_stay_as_they_are_and_the_last_word_is_the_one_that_counts(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "ROWS_A_PART", 1)
    monkeypatch.setattr(record, "ROWS_JOINED", 2)
    fill(bucket, tmp_path / "local", 3)
    call = (bucket.address("in"), "-o", bucket.address("out"))
    assert segment(*call).status == 0
    full = {key: state for key, state in bucket.states("out/segment.record/").items() if ".full." in key}
    assert [[row["name"] for row in parquet.read_table(io.BytesIO(bucket.of(key))).to_pylist()] for key in full] == [
        ["0", "1"]
    ]
    assert sorted(row["name"] for row in rows(bucket)) == ["0", "1", "2"]

    bucket.put("in/0.png", photograph(5))
    bucket.put("in/3.png", photograph(6))
    assert "2 done, 2 kept" in segment(*call).out
    states = bucket.states("out/segment.record/")
    assert {key: states[key] for key in full} == full
    said = [(row["name"], row["said"], row["input_version"]) for row in rows(bucket)]
    assert sorted(name for name, *_ in said) == ["0", "0", "1", "2", "3"]
    assert "4 kept" in segment(*call).out
    versions = [version for name, _, version in sorted(said) if name == "0"]
    assert versions[-1] == bucket.client.head_object(Bucket=bucket.name, Key="in/0.png")["ETag"].strip('"')


def test_what_is_not_of_the_record_stays_unless_it_is_to_be_replaced(bucket: Bucket, tmp_path: Path) -> None:
    local = fill(bucket, tmp_path / "local", 2)
    bucket.put("out/0_mask.png", b"somebody's own")
    bucket.put("out/1_mask.png", local["out/1_mask.png"])
    call = (bucket.address("in"), "-o", bucket.address("out"))
    ran = segment(*call)
    assert ran.status == 1
    assert f"s3://{bucket.name}/out/0_mask.png is there already" in ran.err
    assert masks(bucket) == {**local, "out/0_mask.png": b"somebody's own"}
    assert segment(*call, "--overwrite").status == 0
    assert masks(bucket) == local
    bucket.put("in/0_mask.png", photograph(5))
    both = [bucket.address(f"in/{name}.png") for name in ("0", "0_mask")]
    assert "would replace a photograph" in segment(*both, "-o", bucket.address("in"), "--overwrite").err
    assert bucket.of("in/0_mask.png") == photograph(5)
    bucket.client.delete_object(Bucket=bucket.name, Key="in/0_mask.png")
    bucket.put("out/0_mask.png", b"changed since")
    assert "was changed since it was made" in segment(*call).err
    assert "made with other options" in segment(*call[:1], "-o", bucket.address("out"), "--tta", "2").err


def test_two_calls_at_one_address_do_no_harm(bucket: Bucket, tmp_path: Path) -> None:
    local = fill(bucket, tmp_path / "local", 3)
    call = {"images": bucket.address("in"), "out": bucket.address("out"), "model": green_model()}
    within: list[list[Outcome]] = []

    def second(outcome: Outcome) -> None:
        if not within:
            within.append([])
            within[0] += foveate.segment(**call)  # type: ignore[arg-type]

    outcomes = foveate.segment(**call, on_image=second)  # type: ignore[arg-type]
    assert [outcome.error for outcome in [*outcomes, *within[0]]] == [""] * 6
    assert masks(bucket) == local
    assert sorted(row["name"] for row in rows(bucket)) == ["0", "1", "2"]


def test_a_connection_that_is_cut_is_tried_again_and_one_that_stays_away_is_told_for_each_image(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    local = fill(bucket, tmp_path / "local", 8)
    with proxy_to(bucket.server) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")

        def cut(outcome: Outcome) -> None:
            if outcome.key.endswith("0.png"):
                proxy.cuts_left = 4

        model = green_model()
        outcomes = foveate.segment(bucket.address("in"), bucket.address("out"), model=model, on_image=cut)
        assert proxy.cut == 4
        assert [outcome.error for outcome in outcomes] == [""] * 8
        assert masks(bucket) == local

        def refuse(outcome: Outcome) -> None:
            proxy.refuse()

        outcomes = foveate.segment(bucket.address("in"), tmp_path / "here", model=model, threads=1, on_image=refuse)
    said = [outcome.error for outcome in outcomes if outcome.error]
    assert said
    assert all("the connection was cut or could not be made, in each of 6 tries" in error for error in said)
    recorded = images_in_record(tmp_path / "here")
    assert sum(image["status"] == "failed" for image in recorded.values()) == len(said)


def test_a_store_that_can_no_longer_be_written_to_is_told_and_the_next_call_makes_the_rest(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    local = fill(bucket, tmp_path / "local", 8)
    with proxy_to(bucket.server) as proxy, monkeypatch.context() as patched:
        patched.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        outcomes: list[Outcome] = []

        def refuse(outcome: Outcome) -> None:
            outcomes.append(outcome)
            proxy.refuse()

        with pytest.raises(OutputError, match="can't be written"):
            foveate.segment(tmp_path / "local", bucket.address("out"), model=green_model(), threads=1, on_image=refuse)
    assert len(outcomes) == 8
    assert any("can't be written" in outcome.error for outcome in outcomes)
    assert segment(tmp_path / "local", "-o", bucket.address("out")).status == 0
    assert masks(bucket) == local


def test_a_killed_call_leaves_whole_objects_alone_and_the_next_one_ends_its_work(
    bucket: Bucket, tmp_path: Path
) -> None:
    local = fill(bucket, tmp_path / "local", 6, broken=True)
    with proxy_to(bucket.server) as proxy:
        kill_at(proxy, b"out/4_mask.png", bucket)
    left = masks(bucket)
    assert "out/0_mask.png" in left
    assert left.items() <= local.items()
    assert "out/4_mask.png" not in left
    before = bucket.states("out/")
    assert segment(bucket.address("in"), "-o", bucket.address("out")).status == 1
    assert masks(bucket) == local
    assert {key: state for key, state in bucket.states("out/").items() if key in left} == {
        key: before[key] for key in left
    }
    assert sorted((row["name"], row["status"]) for row in rows(bucket)) == [
        *((str(number), "done") for number in range(6)),
        ("broken", "failed"),
    ]


def kill_at(proxy: CuttingProxy, word: bytes, bucket: Bucket) -> None:
    """Run the command until it puts what is called so, of which the store gets the beginning; then kill it."""
    proxy.holds_back_from = word
    environment = {**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{proxy.port}"}
    words = [
        "segment",
        bucket.address("in"),
        "-o",
        bucket.address("out"),
        "--threads",
        "1",
        "--model",
        str(green_model()),
    ]
    process = subprocess.Popen([sys.executable, "-m", "foveate", *words], env=environment, stdout=subprocess.DEVNULL)
    try:
        assert proxy.held.wait(WAIT)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)


def test_credentials_are_in_no_object_no_line_and_no_error(
    bucket: Bucket, tmp_path: Path, caplog: pytest.LogCaptureFixture, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(bucket, tmp_path / "local", 1, broken=True)
    signed = f"s3://{PLANTED[0]}:{PLANTED[2]}@{bucket.name}/in"
    with caplog.at_level("DEBUG", logger="foveate"):
        said = [segment(bucket.address("in"), "-o", bucket.address("out")), segment(signed, "-o", tmp_path / "out")]
        said.append(segment(tmp_path / "local", "-o", signed))
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        said.append(segment(bucket.address("in"), "-o", tmp_path / "out"))
    assert [ran.status for ran in said] == [1, 2, 1, 2]
    text = " ".join([*(ran.out + ran.err for ran in said), caplog.text, str(rows(bucket))])
    text += b" ".join(bucket.content().values()).decode("latin-1")
    assert [word for word in PLANTED if word in text] == []


def test_shards_part_the_images_once_for_all_and_share_one_address(bucket: Bucket, tmp_path: Path) -> None:
    local = fill(bucket, tmp_path / "local", 4)
    for number in (1, 2):
        ran = segment(bucket.address("in"), "-o", bucket.address("out"), "--shard", f"{number}/2")
        assert ran.status == 0
        assert " 0 kept, 0 failed" in ran.out
    assert masks(bucket) == local
    said = {row["name"]: number for number in (1, 2) for row in rows(bucket, f"{number}-of-2")}
    assert sorted(said) == list("0123")
    assert "0 done, 4 kept" in segment(bucket.address("in"), "-o", bucket.address("out")).out


def test_a_list_in_a_store_names_images_here_and_there_and_what_their_results_are_called(
    bucket: Bucket, tmp_path: Path
) -> None:
    local = fill(bucket, tmp_path / "local", 2)
    here = tmp_path / "local/1.png"

    bucket.put("in/0.png", photograph(0))
    bucket.put("lists/a.csv", f"path,id\n{bucket.address('in/0.png')},p1/left\nfile://{here},p1/right\n".encode())
    assert segment(bucket.address("lists/a.csv"), "-o", tmp_path / "out").status == 0
    assert (tmp_path / "out/p1/left_mask.png").read_bytes() == local["out/0_mask.png"]
    assert (tmp_path / "out/p1/right_mask.png").read_bytes() == local["out/1_mask.png"]


def test_patterns_and_sub_folders_of_a_store_are_as_those_of_a_folder(bucket: Bucket, tmp_path: Path) -> None:
    for key in ("in/left.png", "in/deep/left.png", "in/deep/right.png", "in/notes.txt", "in/left_mask.png"):
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photograph(0))
        bucket.put(key, photograph(0))
    for number, words in enumerate((["in", "--recursive"], ["in"], ["in/*/l*.png"])):
        stored, found = tmp_path / f"stored-{number}", tmp_path / f"found-{number}"
        assert segment(bucket.address(words[0]), "-o", stored, *words[1:]).status == 0
        assert segment(tmp_path / words[0], "-o", found, *words[1:]).status == 0
        made, expected = (
            sorted(path.relative_to(place) for path in place.rglob("*_mask.png")) for place in (stored, found)
        )
        assert made == expected != []
    assert run("segment", bucket.address("nothing"), "-o", tmp_path / "x").status == 2
