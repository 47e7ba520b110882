import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.errors import OutputError
from foveate.imaging import (
    encode_labels,
    encode_mask,
    encode_probability,
    encode_rgb,
    read_mask,
    read_photograph,
    write_bytes,
    write_labels,
    write_mask,
    write_probability,
    write_rgb,
    write_text,
)


def test_a_mask_is_an_8_bit_grey_png_of_0_and_255(tmp_path: Path) -> None:
    mask = np.random.default_rng(1).random((40, 50)) < 0.3
    write_mask(mask, tmp_path / "mask.png")
    with PillowImage.open(tmp_path / "mask.png") as image:
        assert (image.format, image.mode) == ("PNG", "L")
        np.testing.assert_array_equal(np.asarray(image), np.where(mask, 255, 0))
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.png"), mask)


def test_a_probability_map_is_a_16_bit_grey_png_rounded_to_65535_steps(tmp_path: Path) -> None:
    probability = np.random.default_rng(2).random((40, 50)).astype(np.float32)
    # The last two are outside by more than half a step, as after a lossy computation.
    probability[0, :5] = (0, 1, 0.5, 1.0001, -0.0001)
    write_probability(probability, tmp_path / "probability.png")
    with PillowImage.open(tmp_path / "probability.png") as image:
        assert (image.format, image.mode) == ("PNG", "I;16")
        steps = np.asarray(image).astype(np.int64)
    expected = [[min(max(round(float(p) * 65535), 0), 65535) for p in row] for row in probability]
    np.testing.assert_array_equal(steps, expected)


def test_an_rgb_image_is_written_without_loss(tmp_path: Path) -> None:
    image = np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    for given in (image, image[:, ::-1]):
        write_rgb(given, tmp_path / "overlay.png")
        np.testing.assert_array_equal(read_photograph(tmp_path / "overlay.png").pixels, given)


def test_text_is_utf_8_with_its_line_ends_kept(tmp_path: Path) -> None:
    write_text("Gefäß\r\nµm\n", tmp_path / "report.csv")
    assert (tmp_path / "report.csv").read_bytes() == "Gefäß\r\nµm\n".encode()


def test_missing_folders_are_made_and_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "größer" / "result.txt"
    write_text("first", path)
    write_text("second", path)
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


def test_the_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_bytes(b"", tmp_path / "written")
    assert (tmp_path / "written").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".txt")
    write_text("text", path)
    assert path.read_text() == "text"


@pytest.mark.skipif(sys.platform == "win32", reason="the system sets no limit on the size of a file")
def test_a_write_that_breaks_off_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    import resource

    path = tmp_path / "result.bin"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OutputError, match=r"result.bin: can't be written \(File too large\)"):
            write_bytes(bytes(10_000_000), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.mkdir"])
def test_a_full_disk_leaves_nothing_behind_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path, reason = tmp_path / "result.txt", os.strerror(errno.ENOSPC)
    with monkeypatch.context() as patch:
        patch.setattr(call, full)
        with pytest.raises(OutputError) as caught:
            write_text("text", path)
    assert str(caught.value).startswith(f"{path}: can't be written ({reason}); free some space")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text("text", tmp_path / "result.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_content_is_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, seen = tmp_path / "result.txt", []
    synchronise = os.fsync

    def watched(descriptor: int) -> None:
        seen.append((path.exists(), os.fstat(descriptor).st_size))
        assert all(other.name.startswith(".") for other in tmp_path.iterdir())
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_text("text", path)
    assert seen == [(False, 4)]


def test_a_folder_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "result.txt", tmp_path / "file" / "deeper" / "result.txt"):
        with pytest.raises(OutputError, match="its folder is a file; give another folder"):
            write_text("text", path)
    assert (tmp_path / "file").read_bytes() == b""


def test_a_name_that_can_not_be_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / ("x" * 300), tmp_path / "a\0b", tmp_path / "folder", Path("/")):
        with pytest.raises(OutputError, match="can't be written"):
            write_text("text", path)
    assert [path.name for path in tmp_path.rglob("*")] == ["folder"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            write_text("text", tmp_path / "result.txt")
    finally:
        tmp_path.chmod(0o700)


def test_a_name_that_is_too_long_is_told_as_that_and_not_as_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"can't be written \(File name too long\); give the image a shorter name"):
        write_text("text", tmp_path / ("n" * 252 + ".txt"))


def test_a_folder_that_may_not_be_written_to_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("pathlib.Path.replace", denied)
    with pytest.raises(OutputError, match=r"can't be written \(.*\); give a folder where you may write$"):
        write_text("text", tmp_path / "result.txt")


def test_what_is_encoded_is_what_a_file_holds_and_is_read_back_from_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    image, classes = rng.integers(0, 256, (40, 50, 3), np.uint8), rng.integers(0, 3, (40, 50), np.uint8)
    probability = rng.random((40, 50)).astype(np.float32)
    write_rgb(image, tmp_path / "rgb")
    write_mask(classes > 0, tmp_path / "mask")
    write_labels(classes, ("artery", "vein"), tmp_path / "labels")
    write_probability(probability, tmp_path / "probability")
    encoded = {
        "rgb": encode_rgb(image),
        "mask": encode_mask(classes > 0),
        "labels": encode_labels(classes, ("artery", "vein")),
        "probability": encode_probability(probability),
    }
    assert encoded == {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    np.testing.assert_array_equal(read_photograph(encoded["rgb"]).pixels, image)
    np.testing.assert_array_equal(read_photograph(encoded["mask"]).pixels[..., 0] == 255, classes > 0)
