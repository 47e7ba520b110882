"""SFTP, spoken with OpenSSH's own server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cutting_proxy import CuttingProxy, proxy_to
from PIL import Image as PillowImage

import foveate
from foveate.errors import UsageError
from foveate.inference.remote import faults
from foveate.inference.remote.store import RemoteStore
from foveate.inference.sink import Outcome
from foveate_command import green_model, segment
from stores_on_loopback import PASSWORD, WAIT, SftpServer, photograph

pytest_plugins = ("store_fixtures",)

pytest.importorskip("paramiko")
parquet = pytest.importorskip("pyarrow.parquet")


def fill(sftp: SftpServer, folder: Path, count: int) -> dict[str, bytes]:
    """Photographs on the server and in a folder; the local masks by name."""
    for place in (folder, sftp.folder / "in"):
        place.mkdir()
        for number in range(count):
            (place / f"{number}.png").write_bytes(photograph(number % 3))
    assert segment(folder, "-o", folder / "out").status == 0
    return masks(folder / "out")


def masks(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*_mask.png")}


def test_masks_on_an_ssh_server_are_those_of_the_local_command_and_a_repeated_call_keeps_them(
    sftp: SftpServer, tmp_path: Path
) -> None:
    local = fill(sftp, tmp_path / "local", 3)
    (sftp.folder / "in/broken.png").write_bytes(b"no photograph")
    call = (sftp.address("in"), "-o", sftp.address("out/deep"))
    said = [segment(*call), segment(*call)]
    (sftp.folder / "out/deep/1_mask.png").unlink()
    (sftp.folder / "in/broken.png").write_bytes(photograph(1))
    said.append(segment(*call))
    assert [ran.out.splitlines()[-1].partition(";")[0] for ran in said] == [
        "3 done, 0 kept, 1 failed",
        "0 done, 3 kept, 1 failed",
        "2 done, 2 kept, 0 failed",
    ]
    out = sftp.folder / "out/deep"
    assert masks(out) == {**local, "broken_mask.png": local["1_mask.png"]}
    (part,) = out.glob("segment.record/*/*")
    assert sorted(parquet.read_table(part).column("name").to_pylist()) == ["0", "1", "2", "broken"]
    text = str(parquet.read_table(part).to_pylist()) + "".join(ran.out + ran.err for ran in said)
    text += (out / "segment.failed.csv").read_text("utf-8")
    assert "sftp://127.0.0.1" in text
    assert PASSWORD not in text


def test_a_connection_that_is_cut_in_mid_job_is_made_again(sftp: SftpServer, tmp_path: Path, quick: None) -> None:
    local = fill(sftp, tmp_path / "local", 5)
    with proxy_to(("127.0.0.1", sftp.port)) as proxy:
        sftp.meet_at(proxy.port)

        def cut(outcome: Outcome) -> None:
            proxy.cut_all()

        addresses = (sftp.address(name, proxy.port) for name in ("in", "out"))
        outcomes = foveate.segment(*addresses, model=green_model(), on_image=cut)
    assert [outcome.error for outcome in outcomes] == [""] * 5
    assert masks(sftp.folder / "out") == local


def test_a_server_that_is_gone_is_told_for_each_image(sftp: SftpServer, tmp_path: Path, quick: None) -> None:
    fill(sftp, tmp_path / "local", 8)
    with proxy_to(("127.0.0.1", sftp.port)) as proxy:
        sftp.meet_at(proxy.port)

        def refuse(outcome: Outcome) -> None:
            proxy.refuse()

        address = sftp.address("in", proxy.port)
        outcomes = foveate.segment(address, tmp_path / "out", model=green_model(), threads=1, on_image=refuse)
    said = [outcome.error for outcome in outcomes if outcome.error]
    assert len(outcomes) == 8
    assert said
    assert all(f"in each of {len(faults.WAITS) + 1} tries" in error for error in said)


def test_a_file_appears_under_its_name_when_all_of_it_is_there(sftp: SftpServer) -> None:
    content = bytes(range(256)) * 20_000
    with proxy_to(("127.0.0.1", sftp.port)) as proxy:
        sftp.meet_at(proxy.port)
        store = RemoteStore(sftp.address("", proxy.port))
        path = f"{sftp.folder}/large.png"
        store.look(path)
        proxy.cuts_left = 1
        seen: list[int] = []
        writing = threading.Thread(target=store.put, args=(path, content))
        writing.start()
        until = time.monotonic() + WAIT
        while writing.is_alive() and time.monotonic() < until:
            if (sftp.folder / "large.png").exists():
                seen.append((sftp.folder / "large.png").stat().st_size)
        writing.join(WAIT)
        assert proxy.cut >= 1
    assert set(seen) <= {len(content)}
    assert (sftp.folder / "large.png").read_bytes() == content
    assert [each.name for each in sftp.folder.iterdir()] == ["large.png"]
    with pytest.raises(FileExistsError):
        RemoteStore(sftp.address("")).put(path, b"another")


def test_a_killed_call_leaves_no_half_of_a_result_and_the_next_one_makes_what_is_left(
    sftp: SftpServer, tmp_path: Path
) -> None:
    images, out = tmp_path / "images", sftp.folder / "out"
    images.mkdir()
    for number in (0, 2):
        (images / f"{number}.png").write_bytes(photograph(number))
    # Of noise, whose mask takes many packets.
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    PillowImage.fromarray(noise).save(images / "1.png", compress_level=1)
    assert segment(images, "-o", tmp_path / "local").status == 0
    local = masks(tmp_path / "local")
    with proxy_to(("127.0.0.1", sftp.port)) as proxy:
        sftp.meet_at(proxy.port)
        proxy.holds_after = len(local["1_mask.png"]) // 2
        kill_in_mid_upload(proxy, [str(images), "-o", sftp.address("out", proxy.port)], out)
    assert masks(out) == {"0_mask.png": local["0_mask.png"]}
    before = (out / "0_mask.png").stat().st_mtime_ns
    assert segment(images, "-o", sftp.address("out")).status == 0
    assert masks(out) == local
    assert (out / "0_mask.png").stat().st_mtime_ns == before
    (part,) = out.glob("segment.record/*/*")
    assert sorted(parquet.read_table(part).column("name").to_pylist()) == ["0", "1", "2"]
    # What was half written may still be so by another call; a day later it can't.
    (half,) = out.glob(".*.part")
    assert segment(images, "-o", sftp.address("out")).status == 0
    assert half.exists()
    long_ago = time.time() - 2 * 86_400
    os.utime(half, (long_ago, long_ago))
    assert segment(images, "-o", sftp.address("out")).status == 0
    assert not half.exists()
    assert masks(out) == local


def kill_in_mid_upload(proxy: CuttingProxy, words: list[str], out: Path) -> None:
    """Run the command until the proxy holds back what it sends, and the server has some of that; then kill it."""
    command = [sys.executable, "-m", "foveate", "segment", *words, "--threads", "1", "--model", str(green_model())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        assert proxy.held.wait(WAIT)
        until = time.monotonic() + WAIT
        while not [
            path for path in out.glob("*") if path.name != "0_mask.png" and path.is_file() and path.stat().st_size
        ]:
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)


def test_a_server_that_the_user_has_not_met_gets_nothing(sftp: SftpServer, tmp_path: Path) -> None:
    fill(sftp, tmp_path / "local", 1)
    sftp.known_hosts.write_text("", encoding="utf-8")
    ran = segment(sftp.address("in"), "-o", tmp_path / "out")
    assert ran.status == 2
    assert "is not in ~/.ssh/known_hosts" in ran.err
    with pytest.raises(UsageError, match="known_hosts"):
        foveate.segment(tmp_path / "local", sftp.address("out"), model=green_model())
    assert not (sftp.folder / "out").exists()


def test_a_user_whom_the_server_does_not_know_is_told_so_at_once(sftp: SftpServer, tmp_path: Path) -> None:
    (sftp.known_hosts.parent / "id_ed25519").unlink()
    ran = segment(sftp.address("in"), "-o", tmp_path / "out")
    assert ran.status == 2
    assert "signing in was refused" in ran.err
    assert PASSWORD not in ran.err
