"""The record of ten million images at an address: written, listed and read once, as JSON beside this file.

python benchmarks/ten_million.py [--entries 10000000]    ten minutes on an idle core, 2 GB of disk and of memory

Paths and hashes are made up, and there are no images; parts are made and joined by the program's own functions, into
files as they lie there when many calls have ended.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from foveate.inference.record import Common, ImageRecord, ModelUsed, Output
from foveate.inference.remote.record import ENDING, FULL, ROWS_A_PART, ROWS_JOINED
from foveate.inference.remote.rows import RecordRow, as_parquet, last_words, packed, rows_of, table_of
from foveate.inference.remote.store import RemoteStore
from foveate.runtime import Execution

JSON = Path(__file__).with_suffix(".json")
SHARES = (10_000, 100_000, 300_000)
"""Images of a call that reads the record."""

USED = ModelUsed(name="vessels", sha256="0" * 64, thresholds=(0.427,), threshold_from="validation images")
ROW = ImageRecord(
    input="",
    status="done",
    height=2336,
    width=3504,
    fov_diameter=3261.55,
    areas={"vessel": 0.104213},
    model=USED,
    execution=Execution(threads=1),
    seconds=0.8123,
)


def name_of(number: int) -> str:
    """Of an image, as a programme might call it, in no order that means anything."""
    return f"{number % 977:03}/patient{number:08}_left"


def row(number: int) -> RecordRow:
    """What is said of an image."""
    name, content = name_of(number), hashlib.sha256(str(number).encode()).hexdigest()
    mask = Output(file=f"{name}_mask.png", sha256=hashlib.sha256(content.encode()).hexdigest())
    image = msgspec.structs.replace(
        ROW,
        turn=1,
        input=f"s3://programme/photographs/{name}.jpg",
        input_bytes=1_500_000 + number % 500_000,
        sha256=content,
        outputs={"mask": mask},
    )
    return RecordRow(
        name=name, said=1.8e9 + number / 100, input_version=content[:32], sizes={"mask": 30_000}, image=image
    )


def written(folder: Path, entries: int) -> dict[str, float]:
    """All of it, joined file by joined file; seconds of making parts and of joining them."""
    made = joined = 0.0
    for first in range(0, entries, ROWS_JOINED):
        numbers = range(first, min(entries, first + ROWS_JOINED))
        started = time.process_time()
        parts = [
            as_parquet([row(number) for number in numbers[start : start + ROWS_A_PART]])
            for start in range(0, len(numbers), ROWS_A_PART)
        ]
        made += time.process_time() - started
        started = time.process_time()
        for number, table in enumerate(last_words((table_of(part, "a part") for part in parts), ROWS_JOINED)):
            (folder / f"{first:09}-{number}{FULL}{ENDING}").write_bytes(packed(table))
        joined += time.process_time() - started
        sys.stderr.write(f"{numbers.stop:,} entries: {made + joined:.0f} processor s\n")
    return {"made_processor_seconds": made, "joined_processor_seconds": joined, "peak_mb": peak_mb()}


def read(folder: Path, entries: int, share: int) -> dict[str, float]:
    """What a call reads of it that has a share of the images."""
    names = frozenset(name_of(number) for number in range(0, entries, max(1, entries // share)))
    before, started, busy = peak_mb(), time.perf_counter(), time.process_time()
    store, common = RemoteStore(folder.as_uri()), Common()
    files = store.below(store.path_of(folder.as_uri()), recursive=True)
    listed = time.perf_counter() - started
    rows = dict(_rows(store, [file.path for file in files], names, common))
    return {
        "images": len(rows),
        "files": len(files),
        "listed_seconds": listed,
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - busy,
        "before_mb": before,
        "peak_mb": peak_mb(),
    }


def _rows(
    store: RemoteStore, paths: list[str], names: frozenset[str], common: Common
) -> Iterator[tuple[str, RecordRow]]:
    for path in paths:
        for each in rows_of(store.fetch(path), path, names, common):
            yield each.name, each


def peak_mb() -> float:
    """The most memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(*words: object) -> dict[str, Any]:
    """A step in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, *map(str, words)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)
    return found


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--out", type=Path, default=JSON)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        sys.stdout.write(json.dumps(written(asked.write, asked.entries)))
        return
    if asked.read:
        sys.stdout.write(json.dumps(read(Path(asked.read[0]), asked.entries, int(asked.read[1]))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        found: dict[str, Any] = {"entries": asked.entries}
        found["written"] = apart("--entries", asked.entries, "--write", temporary)
        files = list(Path(temporary).iterdir())
        found |= {"files": len(files), "bytes": sum(file.stat().st_size for file in files), "read": []}
        for share in SHARES:
            found["read"].append(apart("--entries", asked.entries, "--read", temporary, share))
            sys.stderr.write(f"{found['read'][-1]}\n")
    text = json.dumps(found, indent=1)
    asked.out.write_text(text + "\n", "utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
