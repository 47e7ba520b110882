"""What the system and a container's limits say of free memory, from files as Linux writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from foveate.training.data.cache import UNKNOWN, V1, V2, free_memory

MB = 2**20


def machine(folder: Path, *, cgroup: str) -> Path:
    """A machine with 900 MB free."""
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "meminfo").write_text(f"MemTotal: {2000 * 1024} kB\nMemAvailable:   {900 * 1024} kB\n")
    (folder / "proc" / "self" / "cgroup").write_text(cgroup)
    return folder


def limit(group: Path, names: tuple[str, str, str], *, most: str, used: int, idle: int) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name, text in zip(names, (most, str(used), ""), strict=True):
        if text:
            (group / name).write_text(f"{text}\n")
    (group / "memory.stat").write_text(f"anon 5\n{names[2]} {idle}\n")


def free(folder: Path) -> int:
    return free_memory(folder / "proc", folder / "cgroup")


def test_without_limits_the_system_decides(tmp_path: Path) -> None:
    machine(tmp_path, cgroup="0::/user/session\n")
    limit(tmp_path / "cgroup" / "user", V2, most="max", used=10 * MB, idle=0)
    assert free(tmp_path) == 900 * MB


@pytest.mark.parametrize("limited", ["", "user", "user/session"])
def test_a_limit_of_the_own_group_or_one_above_counts_if_it_is_lower(limited: str, tmp_path: Path) -> None:
    machine(tmp_path, cgroup="0::/user/session\n")
    limit(tmp_path / "cgroup" / limited, V2, most=str(500 * MB), used=300 * MB, idle=100 * MB)
    assert free(tmp_path) == 300 * MB  # pages of files can be given up
    limit(tmp_path / "cgroup" / limited, V2, most=str(5000 * MB), used=300 * MB, idle=100 * MB)
    assert free(tmp_path) == 900 * MB


def test_the_older_form_of_limits_counts_too(tmp_path: Path) -> None:
    machine(tmp_path, cgroup="5:devices:/\n4:memory:/box\n0::/\n")
    limit(tmp_path / "cgroup" / "memory" / "box", V1, most=str(400 * MB), used=300 * MB, idle=0)
    assert free(tmp_path) == 100 * MB


def test_a_container_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    machine(tmp_path, cgroup="0::/\n")
    limit(tmp_path / "cgroup", V2, most=str(400 * MB), used=401 * MB, idle=0)
    assert free(tmp_path) == 0


def test_a_system_that_says_nothing_has_half_of_its_memory_or_a_few_gigabytes_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}
    monkeypatch.setattr("os.sysconf", sizes.__getitem__, raising=False)
    assert free(tmp_path) == 4096 * 500
    monkeypatch.delattr("os.sysconf")
    assert free(tmp_path) == UNKNOWN
