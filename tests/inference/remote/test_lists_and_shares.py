"""Lists, patterns and shares of the work, on the local disk."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from foveate.errors import UsageError
from foveate.inference.listing.shard import Shard
from foveate.inference.source import BytesItem, items_of
from foveate_command import names, run, save, segment

IMPORT_WHAT_MAY_BE_MISSING = (
    "fsspec.implementations.sftp",
    *(f"foveate.inference.remote.{name}" for name in ("rows", "record", "sftp", "sink")),
)


def test_a_csv_and_a_parquet_list_name_the_same_images_and_call_their_results_by_id(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for number in range(2):
        save(tmp_path / f"in/{number}.png", number)
    rows = [("in/0.png", "p1/left"), ("in/1.png", "p1/right")]
    (tmp_path / "list.csv").write_text(
        "id,path\n" + "".join(f"{name},{path}\n" for path, name in rows), encoding="utf-8"
    )
    table = pyarrow.table({"path": [path for path, _ in rows], "eye": ["l", "r"], "id": [name for _, name in rows]})
    parquet.write_table(table, tmp_path / "list.parquet")
    parquet.write_table(table.drop_columns("id"), tmp_path / "without.parquet")
    listed = [[(item.key, item.name) for item in items_of([tmp_path / f"list{end}"])] for end in (".csv", ".parquet")]
    assert listed[0] == listed[1] == [(str(tmp_path / path), name) for path, name in rows]
    assert [item.name for item in items_of([tmp_path / "without.parquet"])] == ["0", "1"]
    assert segment(tmp_path / "list.parquet", "-o", tmp_path / "out").status == 0
    assert names(tmp_path / "out/p1") == {"left_mask.png", "right_mask.png"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"path,id\nx.png,p\ny.png,P\n", "Make ids differ"),
        ("a.csv", b"path,id\nx.png,\n", "line 2: has no id"),
        ("a.parquet", b"words", "can't be read as Parquet"),
    ],
)
def test_a_list_that_is_wrong_is_told_in_one_line(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    ran = segment(tmp_path / name, "-o", tmp_path / "out")
    assert ran.status != 0
    (line,) = ran.errors
    assert said in line
    assert not (tmp_path / "out").exists()


def test_an_id_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("path,id\na.png,../out\n", encoding="utf-8")
    ran = segment(tmp_path / "list.csv", "-o", tmp_path / "deep/out")
    assert ran.status == 1
    assert "leads out of" in ran.err


def test_a_pattern_takes_the_images_that_match_and_a_file_of_that_very_name_first(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "b.png", "deep/a3.png", "[a]1.png"):
        save(tmp_path / name)
    (tmp_path / "a.txt").write_text("words", encoding="utf-8")
    assert [item.name for item in items_of([tmp_path / "a*"])] == ["a1", "a2"]
    assert [item.name for item in items_of([tmp_path / "**/a?.png"])] == ["a1", "a2", "a3"]
    assert [item.name for item in items_of([tmp_path / "[a]1.png"])] == ["[a]1"]
    ran = segment(tmp_path / "c*", "-o", tmp_path / "out")
    assert ran.status == 2
    assert "no image matches it" in ran.err


def test_a_file_address_is_the_folder_that_it_names(tmp_path: Path) -> None:
    photo = save(tmp_path / "in/a b.png")
    assert segment(photo.as_uri(), "-o", (tmp_path / "out").as_uri()).status == 0
    assert names(tmp_path / "out") == {"a b_mask.png", "segment.json", "segment.csv"}
    assert segment(photo, "-o", "file://elsewhere/out").status == 2


def test_shares_are_of_each_image_one_and_stay_when_others_come() -> None:
    items = [BytesItem(b"", str(number), f"s3://eyes/{number}.png") for number in range(500)]
    shares = [Shard(number, 7).share(items) for number in range(1, 8)]
    assert sorted(item.key for share in shares for item in share) == sorted(item.key for item in items)
    assert all(40 < len(share) < 110 for share in shares)
    assert [item for item in Shard(3, 7).share(items) if item in items[:250]] == Shard(3, 7).share(items[:250])


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/2", "1/0"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no share"):
        Shard.of(text)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ("fsspec", ["s3://eyes/in", "-o", "out"]),
        ("s3fs", ["s3://eyes/in", "-o", "out"]),
        ("paramiko", ["sftp://host/in", "-o", "out"]),
        ("pyarrow", ["list.parquet", "-o", "out"]),
        ("pyarrow", ["photo.png", "-o", "s3://eyes/out"]),
        ("gcsfs", ["gs://eyes/in", "-o", "out"]),
    ],
)
def test_what_is_not_installed_is_named_in_one_line_with_what_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, words: list[str]
) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "photo.png")
    (tmp_path / "list.parquet").write_bytes(b"")
    registry = sys.modules["fsspec.registry"]._registry
    for scheme in list(registry):
        monkeypatch.delitem(registry, scheme)
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    for name in IMPORT_WHAT_MAY_BE_MISSING:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    ran = segment(*words)
    assert ran.status == 2
    (line,) = ran.errors
    assert f"needs {missing}, which is not installed: " in line
    assert ("pip install gcsfs" if missing == "gcsfs" else "remote") in line


def test_an_unknown_kind_of_store_is_told(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    ran = run("segment", "nowhere://eyes/in", "-o", tmp_path / "out")
    assert ran.status == 2
    assert "no such kind of store is known" in ran.err
