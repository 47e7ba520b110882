"""Prepared images in memory or in one file: alike, whole or not there, and of the data as they are now."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from foveate.arrays.prepare import Preparation
from foveate.cli import app
from foveate.datasets import DataSet, open_set
from foveate.datasets.files import ReadFiles
from foveate.errors import OutputError
from foveate.imaging import Label, write_mask, write_rgb
from foveate.records import CaseEntry
from foveate.training.data.cache import Cache, Prepared, key_of
from foveate.training.run.folder import CACHE, Storage
from foveate.training.run.progress import Listener
from foveate.training.start import start
from small_run import small_recipe

PREPARATION = Preparation(working_minimum=64, working_maximum=96)


def cases(count: int = 4) -> list[Prepared]:
    chance = torch.Generator().manual_seed(0)
    sizes = [(5, 20 + n, 31) for n in range(count)]
    return [(f"{n:016x}", torch.randint(256, sizes[n], generator=chance, dtype=torch.uint8)) for n in range(count)]


def same(found: tuple[Prepared, ...] | None, expected: list[Prepared]) -> bool:
    assert found is not None
    (contents, tensors), (expected_contents, expected_tensors) = (zip(*each, strict=True) for each in (found, expected))
    return contents == expected_contents and all(map(torch.equal, tensors, expected_tensors))


def test_disk_and_memory_hold_the_same_cases(tmp_path: Path) -> None:
    on_disk, in_memory = Cache(tmp_path / CACHE, "disk"), Cache(tmp_path / "other", "memory")
    assert same(on_disk.keep(iter(cases()), "key"), cases())
    assert same(in_memory.keep(iter(cases()), "key"), cases())
    assert same(on_disk.find("key"), cases())
    assert [path.name for path in tmp_path.iterdir()] == [CACHE]
    assert in_memory.find("key") is None


def test_auto_goes_to_disk_once_the_cases_take_more_than_half_of_the_free_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = sum(case.nbytes for _, case in cases())
    for free, there in ((2 * size, False), (2 * size - 2, True)):
        monkeypatch.setattr("foveate.training.data.cache.free_memory", lambda free=free: free)
        assert same(Cache(tmp_path / CACHE, "auto").keep(iter(cases()), "key"), cases())
        assert (tmp_path / CACHE).is_file() == there


@pytest.mark.parametrize("cut", [0, 1, 8, 60, 5000])
def test_a_file_that_is_not_whole_or_of_another_key_counts_for_nothing(cut: int, tmp_path: Path) -> None:
    cache = Cache(tmp_path / CACHE, "disk")
    cache.keep(iter(cases()), "key")
    assert cache.find("another") is None
    whole = (tmp_path / CACHE).read_bytes()
    for damaged in (whole[: len(whole) - cut - 1], whole[cut + 1 :], bytes(cut + 1) + whole, bytes(len(whole))):
        (tmp_path / CACHE).write_bytes(damaged)
        assert cache.find("key") is None


def small_folder(folder: Path) -> list[CaseEntry]:
    for entry, name in zip(open_set("synthetic:2").split("train"), "ab", strict=True):
        case = entry.load()
        write_rgb(case.image, folder / "images" / f"{name}.png")
        write_mask(case.mask, folder / "masks" / f"{name}.png")
    return list(open_set(f"folder:{folder}").entries)


def with_labels(entry: CaseEntry) -> CaseEntry:
    """The same files, the mask read as a label image."""
    assert isinstance(entry.load, ReadFiles)
    files = replace(entry.load.files, labels=(Label(1, "vessel"),))
    return replace(entry, load=replace(entry.load, files=files))


def test_the_key_changes_with_images_masks_classes_preparation_versions_and_order(tmp_path: Path) -> None:
    entries, versions = small_folder(tmp_path), {"pillow": "1"}
    keys = [key_of(entries, PREPARATION, versions)]
    assert key_of(entries, PREPARATION, versions) == keys[0]
    keys.append(key_of(entries, replace(PREPARATION, clahe=2.0), versions))
    keys.append(key_of(entries, PREPARATION, {"pillow": "2"}))
    keys.append(key_of(entries[::-1], PREPARATION, versions))
    keys.append(key_of([with_labels(entry) for entry in entries], PREPARATION, versions))
    for path in ("images/a.png", "masks/b.png"):
        os.utime(tmp_path / path, ns=(0, 1))
        keys.append(key_of(entries, PREPARATION, versions))
    assert len(set(keys)) == len(keys)


def test_a_full_disk_is_one_line_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"cache\.bin.*No space left.*--cache memory") as caught:
        Cache(tmp_path / CACHE, "disk").keep(iter(cases()), "key")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 100 kB in memory, where the tests may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(place)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_really_is_full_is_one_line_and_leaves_no_file(tiny_disk: Path) -> None:
    with pytest.raises(OutputError, match="No space left"):
        Cache(tiny_disk / CACHE, "disk").keep(iter(cases(200)), "key")
    assert not list(tiny_disk.iterdir())


class PowerLossError(BaseException):
    """Nothing catches it."""


def train(
    folder: Path, data: list[DataSet], storage: Storage, *, stop_at: int = -1, overrides: tuple[str, ...] = ()
) -> list[tuple[int, int]]:
    """How far reading was said to be, each time."""
    read: list[tuple[int, int]] = []

    def on_step(epoch: int, step: int, loss: float) -> None:
        if epoch == stop_at:
            raise PowerLossError

    listener = Listener(lambda _: None, on_step, lambda _: None, lambda done, total: read.append((done, total)))
    with suppress(PowerLossError):
        start(
            small_recipe("training.epochs=2", *overrides),
            data,
            folder=folder,
            resume=(folder / "state.safetensors").is_file(),
            device="cpu",
            command="a test",
            listener=listener,
            storage=storage,
        )
    return read


def test_a_run_from_disk_that_is_stopped_goes_on_from_its_file_to_the_weights_of_one_in_memory(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    said = train(tmp_path / "memory", small_data, "memory")
    assert said == [(1, 3), (2, 3), (3, 3)]  # two to learn from, one for validation
    assert not (tmp_path / "memory" / CACHE).exists()

    assert train(tmp_path / "disk", small_data, "disk", stop_at=1) == said
    before = (tmp_path / "disk" / CACHE).stat()
    assert train(tmp_path / "disk", small_data, "disk", stop_at=1) == [(3, 3)]
    after = (tmp_path / "disk" / CACHE).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)

    app()(["train", "--resume", str(tmp_path / "disk")], standalone_mode=False)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "disk" / name).read_bytes() == (tmp_path / "memory" / name).read_bytes()
    assert not (tmp_path / "disk" / CACHE).exists()
    assert json.loads((tmp_path / "disk" / "run.json").read_text(encoding="utf-8"))["cache"] == "disk"
    log = (tmp_path / "disk" / "log.txt").read_text(encoding="utf-8")
    assert f"in {CACHE}" in log
    assert "read again for every validation" in log


def test_an_image_that_changed_is_prepared_anew(tmp_path: Path) -> None:
    small_folder(tmp_path / "data")
    data = [open_set(f"folder:{tmp_path / 'data'}")]
    train(tmp_path / "run", data, "disk", stop_at=1)
    before = (tmp_path / "run" / CACHE).read_bytes()
    for name in "ab":
        write_rgb(255 - data[0].entries[0].load().image // 2, tmp_path / "data" / "images" / f"{name}.png")
    train(tmp_path / "run", data, "disk", stop_at=1)
    assert (tmp_path / "run" / CACHE).read_bytes() != before
