import errno
import os
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from foveate.inference import engine
from foveate_command import (
    RECORD,
    files_in_record,
    images_in_record,
    names,
    opened,
    pixels,
    run,
    run_apart,
    save,
    segment,
    states,
)
from green_model import write_green_model

BAD = ("cut.jpg", "empty.png", "words.png", "tiny.png", "vast.png", "letter")


def save_bad_files(folder: Path) -> list[Path]:
    folder.mkdir()
    whole = save(folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "words.png").write_text("These are words.\n")
    PillowImage.fromarray(pixels()[:4, :4]).save(folder / "tiny.png")
    (folder / "vast.png").write_bytes(png_of_size(60_000, 60_000))
    (folder / "letter").write_bytes(b"%PDF-1.7\n")
    return [folder / name for name in BAD]


def png_of_size(width: int, height: int) -> bytes:
    """An RGB PNG that claims a size, with the pixels of its first row only."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(1 + 3 * width))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def test_every_bad_file_is_one_line_and_the_others_are_done(tmp_path: Path) -> None:
    bad = save_bad_files(tmp_path / "bad")
    out = tmp_path / "out"
    first, last = save(tmp_path / "first.png", 0), save(tmp_path / "last.png", 1)
    ran = segment(first, *bad, last, "-o", out, "--overlay")
    assert ran.status == 1
    assert len(ran.errors) == len(bad)
    for path, line in zip(bad, ran.errors, strict=True):
        assert line.startswith("foveate: ")
        assert str(path) in line
    assert "60000×60000" in ran.errors[BAD.index("vast.png")]
    assert "4×4" in ran.errors[BAD.index("tiny.png")]
    done = {f"{name}_{kind}.png" for name in ("first", "last") for kind in ("mask", "overlay")}
    assert names(out) == {*RECORD, *done}
    recorded = images_in_record(out)
    failed = {image["input"]: image["error"] for image in recorded.values() if image["status"] == "failed"}
    assert set(failed) == {str(path) for path in bad}
    assert all(error in ran.err for error in failed.values())
    assert {name for name, image in recorded.items() if image["status"] == "done"} == {"first", "last"}


def test_a_bad_file_ends_the_process_with_status_1_and_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("These are words.\n")
    ran = run_apart("segment", tmp_path / "words.png", "-o", tmp_path / "out")
    assert ran.status == 1
    (line,) = ran.errors
    assert "words.png" in line


def test_a_bad_file_that_was_mended_is_done_and_no_longer_told_as_failed(tmp_path: Path) -> None:
    photograph, out = tmp_path / "photo.png", tmp_path / "out"
    photograph.write_bytes(b"")
    assert segment(photograph, "-o", out).status == 1
    save(photograph)
    assert segment(photograph, "-o", out).status == 0
    assert {name: image["status"] for name, image in images_in_record(out).items()} == {"photo": "done"}


def fail_at(monkeypatch: pytest.MonkeyPatch, *calls: int) -> None:
    """Let the disk be full when what is written as number `calls` (from 0; all if none is given) reaches it.

    Of every image these are the announcement in the record, then each result; at the end `segment.json`, `segment.csv`.
    """
    numbers = iter(range(10_000))
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if not calls or next(numbers) in calls:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)


def test_a_full_disk_fails_the_image_at_hand_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    inputs = [save(tmp_path / f"photo{seed}.png", seed) for seed in range(3)]
    with monkeypatch.context() as patch:
        # So that the writes have an order.
        patch.setattr(engine, "abreast", lambda *images, threads: engine.serial(*images))
        fail_at(patch, 3)
        ran = segment(*inputs, "-o", out)
    assert ran.status == 1
    (line,) = ran.errors
    assert "photo1_mask.png" in line
    assert os.strerror(errno.ENOSPC) in line
    assert names(out) == {"photo0_mask.png", "photo2_mask.png", *RECORD}
    assert segment(*inputs, "-o", out).status == 0
    assert opened(out / "photo1_mask.png").shape == pixels().shape[:2]


def test_a_disk_that_fills_between_two_results_of_an_image_fails_it_and_the_next_call_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    photograph = save(tmp_path / "photo.png")
    with monkeypatch.context() as patch:
        fail_at(patch, 2)
        assert segment(photograph, "-o", out, "--probabilities").status == 1
    assert names(out) == {"photo_mask.png", *RECORD}
    assert files_in_record(out, "photo") == {}
    assert segment(photograph, "-o", out, "--probabilities").status == 0
    assert files_in_record(out, "photo") == {"mask": "photo_mask.png", "probability": "photo_probability.png"}


def test_a_disk_that_is_full_from_the_start_gives_lines_and_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        fail_at(patch)
        ran = segment(save(tmp_path / "a.png", 0), save(tmp_path / "b.png", 1), "-o", out)
    assert ran.status == 1
    assert all(name in line for name, line in zip(("a.png", "b.png"), ran.errors, strict=True))
    assert all(os.strerror(errno.ENOSPC) in line for line in ran.errors)
    assert names(out) == set()


def test_a_record_that_can_not_be_written_at_the_end_is_written_by_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    inputs = [save(tmp_path / f"photo{seed}.png", seed) for seed in range(2)]
    with monkeypatch.context() as patch:
        fail_at(patch, 4)
        ran = segment(*inputs, "-o", out)
    assert ran.status == 1
    (line,) = ran.errors
    assert str(out / "segment.json") in line
    before = {name: state for name, state in states(out).items() if name.endswith(".png")}
    ran = segment(*inputs, "-o", out)
    assert (ran.status, ran.err) == (0, "")
    assert "0 done, 2 kept" in ran.out
    assert names(out) == {"photo0_mask.png", "photo1_mask.png", *RECORD}
    assert set(images_in_record(out)) == {"photo0", "photo1"}
    assert {name: state for name, state in states(out).items() if name.endswith(".png")} == before


@pytest.mark.skipif(os.name == "nt", reason="Windows limits the length of the whole path")
@pytest.mark.parametrize("out_is_there", [False, True])
def test_a_name_too_long_for_its_results_fails_that_image_only(out_is_there: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if out_is_there:
        out.mkdir()
    # 255 bytes is what file systems take; the photograph's own name fits, with '_mask' it doesn't.
    long = save(tmp_path / ("x" * 251 + ".png"))
    ran = segment(long, save(tmp_path / "photo.png"), "-o", out)
    assert ran.status == 1
    (line,) = ran.errors
    too_many = len("x" * 251 + "_mask.png") - 255
    assert str(long) in line
    assert line.endswith(f"shorter by {too_many}.")
    assert names(out) == {"photo_mask.png", *RECORD}
    short = save(tmp_path / ("x" * (251 - too_many) + ".png"))
    assert segment(short, "-o", out).status == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root and Windows write all the same")
def test_an_output_folder_without_permission_is_told_and_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    ran = segment(save(tmp_path / "photo.png"), "-o", out)
    assert ran.status in (1, 2)
    assert ran.errors
    assert all(str(out) in line for line in ran.errors)
    assert names(out) == set()


def test_an_output_folder_below_a_file_is_told_and_the_file_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    ran = segment(save(tmp_path / "photo.png"), "-o", tmp_path / "file" / "out")
    assert ran.status in (1, 2)
    assert ran.errors
    assert all(str(tmp_path / "file") in line for line in ran.errors)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_model_is_told_in_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    photograph = save(tmp_path / "photo.png")
    model = write_green_model(tmp_path)
    model.write_bytes(model.read_bytes()[:-1])
    ran = run("segment", photograph, "-o", tmp_path / "out", "--model", model)
    assert ran.status in (1, 2)
    (line,) = ran.errors
    assert str(model) in line
    assert "SHA-256" in line
    assert names(tmp_path / "out") == set()


def test_a_photograph_without_permission_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good, closed = save(tmp_path / "good.png"), save(tmp_path / "closed.png", 1)
    read_bytes, access = Path.read_bytes, os.access

    def refused(path: Path) -> bytes:
        if path == closed:
            raise PermissionError(errno.EACCES, "Permission denied")
        return read_bytes(path)

    # Permissions don't bind root, whom tests may run as.
    monkeypatch.setattr(Path, "read_bytes", refused)
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(closed) and access(path, mode))
    ran = segment(good, closed, "-o", tmp_path / "out")
    assert ran.status == 1
    (line,) = ran.errors
    assert str(closed) in line
    assert names(tmp_path / "out") == {"good_mask.png", *RECORD}
