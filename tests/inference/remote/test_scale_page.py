"""docs/scale.md: its commands run, and its tables are those of the program."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import pytest

from foveate.inference.remote import faults
from foveate_command import run
from stores_on_loopback import Bucket, SftpServer, photograph

pytest_plugins = ("store_fixtures",)

pytest.importorskip("s3fs")
parquet = pytest.importorskip("pyarrow.parquet")

PAGE = (Path(__file__).parents[3] / "docs/scale.md").read_text(encoding="utf-8")
ON_A_CLUSTER = "--engine ray"
"""What is run by tests/inference/cluster."""

COMMANDS = [each for each in re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE) if ON_A_CLUSTER not in each]


def section(heading: str) -> str:
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_every_command_of_the_page_runs(
    bucket: Bucket, sftp: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow

    monkeypatch.chdir(tmp_path)
    (sftp.folder / "photographs").mkdir()
    (sftp.folder / "photographs/1.png").write_bytes(photograph(1))
    for number in range(3):
        bucket.put(f"photographs/p{number}/left.png", photograph(number))
    listed = io.BytesIO()
    table = {"path": [f"../photographs/p{number}/left.png" for number in range(3)], "id": ["a", "b", "c"]}
    parquet.write_table(pyarrow.table(table), listed)
    bucket.put("lists/all.parquet", listed.getvalue())
    ran = []
    for command in COMMANDS:
        command = command.replace("s3://eyes", f"s3://{bucket.name}")
        words = shlex.split(command.replace("sftp://me@server/home/me/", sftp.address("")))
        if words[0] == "foveate":
            assert run(*words[1:]).status == 0, command
            ran.append(command)
    assert len(ran) == 3
    assert (tmp_path / "masks/1_mask.png").is_file()
    assert "masks/p2/left_mask.png" in bucket.content()


def test_the_table_of_what_is_tried_again_is_the_programs() -> None:
    table = section("What is tried again")
    for fault in faults.FAULTS:
        assert fault.says.removeprefix("there was ") in table
    assert set(map(int, re.findall(r"\b[45]\d\d\b", table))) == {
        status for fault in faults.FAULTS for status in fault.statuses
    }
    (waits,) = re.findall(r"after ([\d., and]+) s", table)
    assert tuple(map(float, re.findall(r"[\d.]+\d|\d", waits))) == faults.WAITS
    assert f"{faults.CONNECT_SECONDS} s to connect, {faults.ANSWER_SECONDS} s between" in table


def test_the_table_of_the_record_has_its_columns() -> None:
    from foveate.inference.remote.rows import SCHEMA

    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section("What is written"), re.MULTILINE)
    assert sorted(name for cell in cells for name in re.findall(r"\w+", cell)) == sorted(SCHEMA.names)
