"""Ray Data's own job checkpointing beside the record of `--engine ray`, with kills, as JSON beside this file.

python benchmarks/ray_checkpoint.py [checkpoint] [record] [--images 240]    some minutes

The same job by both: a list of images, masks into a folder, the call killed after a third, and repeated; then repeated
once more, where nothing is left; then one image changed, and one mask taken away. Each pass notes what it computes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

JSON = Path(__file__).with_suffix(".json")
TESTS = Path(__file__).parents[1] / "tests"
BATCH, BROKEN = 8, 1
ERRORS = "errors"
"""The file with the number of images of which the last call said that something is wrong."""


class Masks:
    """What `map_batches` has: it segments, writes, and notes what it has computed."""

    def __init__(self, out: str, model: str, notes: str) -> None:
        import foveate

        self._out, self._notes, self._model = Path(out), Path(notes), foveate.load(model, threads=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """One batch of paths."""
        for path in batch["path"]:
            note(self._notes, path)
            try:
                self._model.segment(path).save(self._out, overwrite=True)
            except Exception as error:  # else Ray would end the job
                batch.setdefault("error", []).append(str(error))
        return {"path": batch["path"]}


def note(notes: Path, path: str) -> None:
    """A line, whoever is killed."""
    with notes.open("a") as file:
        file.write(f"{path}\n")


def by_checkpoints(folder: Path, model: str) -> None:
    """The job as Ray Data's documentation has it."""
    import ray
    from ray.data import DataContext, SaveMode
    from ray.data.checkpoint import CheckpointConfig

    # Two cores more than the sessions take, as reading, leaving out and writing are tasks of their own.
    ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.checkpoint_config = CheckpointConfig("path", str(folder / "checkpoint"), delete_checkpoint_on_success=False)
    count = len((folder / "list.csv").read_text("utf-8").splitlines())
    images = ray.data.read_csv(str(folder / "list.csv")).repartition(count // BATCH)
    options: dict[str, Any] = {"concurrency": 2, "batch_size": BATCH, "num_cpus": 1}
    made = images.map_batches(Masks, fn_constructor_args=(str(folder / "out"), model, str(folder / "notes")), **options)
    made.write_parquet(str(folder / "written"), mode=SaveMode.APPEND)


def by_record(folder: Path, model: str) -> None:
    """The same by `foveate.segment`."""
    import foveate

    outcomes = foveate.segment(folder / "list.csv", folder / "out", model=model, engine="ray")
    (folder / ERRORS).write_text(str(sum(bool(outcome.error) for outcome in outcomes)), "utf-8")


WAYS = {"checkpoint": by_checkpoints, "record": by_record}


def begun(way: str, folder: Path, model: str) -> subprocess.Popen[bytes]:
    """A call in a process of its own."""
    return subprocess.Popen([sys.executable, __file__, "--one", way, str(folder), model], stderr=subprocess.DEVNULL)


def states(folder: Path) -> dict[str, int]:
    """By mask, what changes whenever it is written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "out").glob("*_mask.png")}


def repeated(way: str, folder: Path, model: str) -> dict[str, Any]:
    """A call to its end: seconds, and how many masks it wrote that were there, and that were not."""
    before, started = states(folder), time.perf_counter()
    if begun(way, folder, model).wait():
        raise SystemExit(f"{way}: the call failed")
    after = states(folder)
    again = sum(name in before and before[name] != state for name, state in after.items())
    return {
        "seconds": time.perf_counter() - started,
        "again": again,
        "new": len(after) - len(before),
        "there": len(after),
        "said": errors_of(folder),
    }


def errors_of(folder: Path) -> int:
    """That the last call told its caller."""
    file = folder / ERRORS
    return int(file.read_text("utf-8")) if file.exists() else 0


def measured(way: str, folder: Path, model: str, images: int) -> dict[str, Any]:
    """Killed, repeated, repeated, and repeated after a change."""
    from ray_on_loopback import draw_small_images

    draw_small_images(folder / "images", images - BROKEN, BROKEN, side=256)
    files = sorted((folder / "images").iterdir())
    (folder / "list.csv").write_text("path\n" + "".join(f"{file}\n" for file in files), "utf-8")
    (folder / "out").mkdir()
    call = begun(way, folder, model)
    while len(states(folder)) < images // 3:
        time.sleep(0.01)
    call.kill()
    call.wait()
    time.sleep(5)  # in which processes that lost their call end
    found: dict[str, Any] = {"made": len(states(folder)), "after_kill": repeated(way, folder, model)}
    found["nothing_left"] = repeated(way, folder, model)
    files[5].write_bytes(files[6].read_bytes())
    (folder / "out" / f"{files[7].stem}_mask.png").unlink()
    found["changed_and_gone"] = repeated(way, folder, model)
    if (folder / "notes").exists():
        found["computed"] = Counter((folder / "notes").read_text().splitlines()).total()
    return found


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ways", nargs="*", choices=[*WAYS, []], help="by which; by both unless said")
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--out", type=Path, default=JSON)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if asked.one:
        way, folder, model = asked.one
        WAYS[way](Path(folder), model)
        return
    sys.path[:0] = [str(TESTS), str(TESTS / "inference/cluster")]
    from green_model import write_green_model

    found: dict[str, Any] = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {}
    found["images"] = asked.images
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        model = Path(temporary) / "green"
        model.mkdir()
        write_green_model(model)
        for way in asked.ways or WAYS:
            (Path(temporary) / way).mkdir()
            found[way] = measured(way, Path(temporary) / way, str(model / "green.onnx"), asked.images)
            sys.stderr.write(f"{way}: {found[way]}\n")
    text = json.dumps(found, indent=1)
    asked.out.write_text(text + "\n", "utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
