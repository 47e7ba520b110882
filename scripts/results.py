"""The queue behind results/: trains, exports and scores every row of results/rows.toml that has no result yet.

    python scripts/results.py run DATA      # one after the other, until all are done or it is stopped
    python scripts/results.py status        # what is done, running and left, and how long that will take
    python scripts/results.py prepare DATA  # only the folders that runs read: links to the sets, splits and their folds

DATA holds the public sets. Each run works in .results/ on a clone of this repository at the commit that it was begun
at, so that edits of the tree don't change it. A stopped run goes on after its last whole epoch; its state is put into
results/unfinished/ where it is small, so that it can go on from another clone, too. A finished one leaves
results/RUN.json and nothing else. What a table's `procedures` add is scored where the run's network is. On a GPU
--dearest takes the longest rows first.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from write_lgg_slices import table as slices_of

from foveate.imaging import write_bytes, write_text

ROOT = Path(__file__).resolve().parents[1]
STATE_BYTES = 2_000_000
"""States up to this size are kept in the repository."""
FOLDS = 5
"""Of a split that is ours: in each another fifth of its images tests."""
COMMIT = "commit"
KEPT = (
    "recipe.toml",
    "plan.toml",
    "run.json",
    "log.csv",
    "log.txt",
    "best.safetensors",
    "last.safetensors",
    "state.safetensors",
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where results are kept, and where the work is done."""

    results: Path
    work: Path

    @property
    def unfinished(self) -> Path:
        """Small states of runs that were stopped."""
        return self.results / "unfinished"


@dataclass(frozen=True, slots=True)
class Run:
    """One training of a row, with one seed."""

    id: str
    row: dict[str, Any]
    table: dict[str, Any]
    seed: int
    sets: dict[str, str]
    places: Places

    @property
    def overrides(self) -> list[str]:
        """Of the table, then of the row, then the seed."""
        return [*self.table.get("overrides", []), *self.row.get("overrides", []), f"training.seed={self.seed}"]

    @property
    def hours(self) -> list[str]:
        """--hours for a row whose recipe is planned."""
        return ["--hours", str(self.row["hours"])] if "hours" in self.row else []

    @property
    def data(self) -> list[str]:
        """--data for each set that it learns from, as seen from the folder of the work."""
        return [word for name in self.row["train"] for word in ("--data", self.sets[name])]

    @property
    def folder(self) -> Path:
        """Of the run itself."""
        return self.places.work / "runs" / self.id

    @property
    def model(self) -> Path:
        """Its exported network."""
        return self.places.work / "models" / self.id / "model.onnx"

    @property
    def procedures(self) -> dict[str, list[str]]:
        """By which its model is to be scored once more and isn't yet: what they are called, and their options."""
        asked: dict[str, list[str]] = self.table.get("procedures", {})
        there = json.loads(self.result.read_text(encoding="utf-8")).get("procedures", {})
        return {name: options for name, options in asked.items() if name not in there}

    @property
    def result(self) -> Path:
        """What it leaves."""
        return self.places.results / f"{self.id}.json"

    @property
    def kept(self) -> Path:
        """Its small state, where it was stopped."""
        return self.places.unfinished / self.id


def runs_of(places: Places) -> list[Run]:
    """Every run that rows.toml asks for, in its order."""
    file = tomllib.loads((places.results / "rows.toml").read_text(encoding="utf-8"))
    return [
        Run(f"{row['id']}-s{seed}", row, file["tables"][row["table"]], seed, sets, places)
        for given in file["rows"]
        for row, sets in _folds(given, file["sets"])
        for seed in row.get("seeds", [0])
    ]


def _folds(row: dict[str, Any], sets: dict[str, str]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """The row, or one for each of its folds, whose number comes after id, label and sets.

    Of `validation_folds` it comes after the id alone: other parts of the same sets' training images validate.
    """
    parts = row.get("validation_folds", 0)
    if "folds" not in row and not parts:
        yield row, sets
    for fold in range(row.get("folds", 0)):
        of_fold: dict[str, Any] = {"id": f"{row['id']}{fold}", "label": f"{row['label']} {fold}"}
        of_fold |= {key: [f"{name}{fold}" for name in row[key]] for key in ("train", "test")}
        yield row | of_fold, {f"{name}{fold}": f"{spec}{fold}" for name, spec in sets.items()}
    for fold in range(parts):
        held_out = [*row.get("overrides", []), f"data.folds={parts}", f"data.fold={fold}"]
        yield row | {"id": f"{row['id']}-fold{fold}", "overrides": held_out}, sets


def main(words: Sequence[str] | None = None) -> int:
    """Parse, then run or report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of rows.toml and the results")
    parser.add_argument("--work", type=Path, default=ROOT / ".results", help="folder of clones and runs")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="train what is missing")
    run.add_argument("data", type=Path, help="folder of the public sets")
    run.add_argument("--only", default="*", help="runs whose names match this pattern")
    run.add_argument("--dearest", action="store_true", help="the longest first")
    commands.add_parser("status", help="what is done and what is left")
    commands.add_parser("prepare", help="only link the sets and their folds").add_argument("data", type=Path)
    options = parser.parse_args(words)
    places = Places(options.results.resolve(), options.work.resolve())
    runs = runs_of(places)
    if options.command == "status":
        print("\n".join(status(runs)))  # noqa: T201
        return 0
    if options.command in ("prepare", "run"):
        try:
            prepare(places, options.data)
        except FileNotFoundError as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 2
    if options.command == "prepare":
        return 0
    asked = [each for each in runs if fnmatch.fnmatch(each.id, options.only)]
    left = [each for each in asked if not each.result.is_file()]
    if options.dearest:
        left.sort(key=lambda each: -each.row["minutes"])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        failed = [each.id for each in left if not finish(each)]
        scored = (each for each in asked if each.result.is_file() and each.procedures and each.model.is_file())
        failed += [each.id for each in scored if not score_again(each)]
    except KeyboardInterrupt:
        print("stopped; `run` goes on from here")  # noqa: T201
        return 130
    print(f"failed: {', '.join(failed)}" if failed else "all done")  # noqa: T201
    return 1 if failed else 0


def status(runs: Sequence[Run]) -> Iterator[str]:
    """A line for each run, then the sums; minutes are those that rows.toml states, on two cores."""
    minutes = 0.0
    for run in runs:
        if run.result.is_file():
            yield f"done     {run.id}: {json.loads(run.result.read_text(encoding='utf-8'))['hours']:.2f} h"
            continue
        progress = _progress(run)
        share = progress[0] / progress[1] if progress else 0.0
        minutes += run.row["minutes"] * (1 - share)
        begun = f"begun    {run.id}: epoch {progress[0]} of {progress[1]}" if progress else f"left     {run.id}"
        yield f"{begun}, about {run.row['minutes'] * (1 - share):.0f} min"
    done = sum(run.result.is_file() for run in runs)
    yield f"{done} of {len(runs)} done; about {minutes / 60:.1f} h left"


def _progress(run: Run) -> tuple[int, int] | None:
    """Epochs done and planned of a run that was begun."""
    for folder in (run.folder, run.kept):
        if (folder / "run.json").is_file():
            progress = json.loads((folder / "run.json").read_text(encoding="utf-8")).get("progress")
            return (progress["epochs"], progress["planned"]) if progress else None
    return None


def prepare(places: Places, data: Path) -> None:
    """Link the sets, and put the splits that are ours, into the folder of the work. Raises FileNotFoundError."""
    if not data.is_dir():
        raise FileNotFoundError(f"{data}: no such folder; name the one that holds the public sets.")
    places.work.mkdir(parents=True, exist_ok=True)
    link = places.work / "data"
    fresh = places.work / f".data-{uuid.uuid4().hex}"  # another queue may begin in this moment
    fresh.symlink_to(data.resolve(), target_is_directory=True)
    fresh.replace(link)
    for split in sorted((places.results / "splits").glob("*.csv")):
        _check_there(split, places.work)
        write_bytes(split.read_bytes(), places.work / split.name)
        link_folds(split, places.work)
    if (link / "LGG").is_dir():
        write_text(slices_of(link / "LGG", places.work), places.work / "lgg-slices.csv")


def _check_there(split: Path, work: Path) -> None:
    with split.open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file))["image"]
    missing = (work / first).resolve()
    if not missing.is_file():
        raise FileNotFoundError(f"{missing}: no such file; name the folder that holds the public sets.")


def link_folds(split: Path, work: Path) -> None:
    """The images of a split in folders NAME-fold0 and so on, in the challenge's own layout: each tests in one of them.

    Which one, the hash of its file's name says. Of the others about a tenth validate, the same ones wherever they
    don't test. What lies there already is left as it is.
    """
    with split.open(newline="", encoding="utf-8") as file:
        images = list(csv.DictReader(file))
    for fold in range(FOLDS):
        for image in images:
            part = _part(image["image"], fold)
            for path in (Path(image["image"]), Path(image["mask"])):
                folder = work / f"{split.stem}-fold{fold}" / path.parent.name.replace("Training", part)
                folder.mkdir(parents=True, exist_ok=True)
                with suppress(FileExistsError):  # also where another queue has just put it there
                    (folder / path.name).symlink_to(work / path)


def _part(image: str, fold: int) -> str:
    number = int.from_bytes(hashlib.sha256(Path(image).name.encode()).digest()[:4])
    if number % FOLDS == fold:
        return "Test"
    return "Training" if number // FOLDS % 8 else "Validation"


def finish(run: Run) -> bool:
    """Train from where it is, export and score by the test sets, and write the result; False where a step failed, or
    it can't begin."""
    if not run.folder.is_dir() and run.kept.is_dir():
        shutil.copytree(run.kept, run.folder)
    if changed := _uncommitted(run):
        print(f"{run.id}: {changed}", file=sys.stderr)  # noqa: T201
        return False
    clone = _clone(run)
    work = run.places.work
    out = str(run.folder.relative_to(work))
    begun = (run.folder / "state.safetensors").is_file()
    longer = [each for each in run.overrides if each.startswith("training.epochs=")]
    how = ["--resume", out, *longer] if begun else [run.row["recipe"], *run.overrides, *run.hours, "--out", out]
    origin = ["--from", run.row["from"]] if "from" in run.row and not begun else []
    train = ["train", *how, *origin, *run.data]
    model = str(run.model.relative_to(work))
    print(f"{time.strftime('%H:%M')} {run.id}: foveate {shlex.join(train)}", flush=True)  # noqa: T201
    try:
        done = _foveate(clone, work, train)
        scores = {name: work / "scores" / f"{run.id}-{name}.json" for name in run.row["test"]}
        if scores:
            done = done and _foveate(clone, work, ["export", out, "-o", model, "--overwrite"])
        for name, path in scores.items():
            done = done and _score(run, clone, name, path)
    finally:
        _keep(run)
    if done:
        _write(run, clone.name, scores)
        shutil.rmtree(run.kept, ignore_errors=True)
    return done


def score_again(run: Run) -> bool:
    """Score a finished run's model by the procedures of its table that its result doesn't have, as they are at the
    present commit; False where a step failed."""
    commit = _git("rev-parse", "HEAD")
    clone, result = _clone_at(run.places, commit), json.loads(run.result.read_text(encoding="utf-8"))
    for name, options in run.procedures.items():
        files = {each: run.places.work / "scores" / f"{run.id}-{each}-again.json" for each in run.row["test"]}
        if not all(_score(run, clone, each, path, options) for each, path in files.items()):
            return False
        read = {each: json.loads(path.read_text(encoding="utf-8")) for each, path in files.items()}
        result.setdefault("procedures", {})[name] = {"options": options, "commit": commit, "scores": read}
        _write_result(run, result)
    return True


def _score(run: Run, clone: Path, name: str, path: Path, options: Sequence[str] = ()) -> bool:
    """Evaluate the exported network on one of its test sets, to a file."""
    path.parent.mkdir(exist_ok=True)
    asked = ["--data", run.sets[name], "--split", run.row.get("split", "test"), "--json", str(path), "--overwrite"]
    model = str(run.model.relative_to(run.places.work))
    return _foveate(clone, run.places.work, ["evaluate", model, *asked, *options])


def _uncommitted(run: Run) -> str:
    """Why a new run can't begin: its row is read here, and trained by the code and the recipe of the last commit."""
    rows = run.places.results / "rows.toml"
    begun = run.folder.with_suffix(".commit").is_file() or (run.kept / COMMIT).is_file()
    if begun or ROOT not in rows.parents or not _git("status", "--porcelain", "--", str(rows)):
        return ""
    return f"{rows} has changes that aren't committed, so the clone that trains may not fit it; commit them first."


def _clone(run: Run) -> Path:
    """This repository at the commit that the run was begun at, or for a new run at the present one."""
    note = run.folder.with_suffix(".commit")
    if not note.is_file():
        kept = run.kept / COMMIT
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(
            kept.read_text(encoding="utf-8") if kept.is_file() else _git("rev-parse", "HEAD"), encoding="utf-8"
        )
    return _clone_at(run.places, note.read_text(encoding="utf-8").strip())


def _clone_at(places: Places, commit: str) -> Path:
    clone = places.work / "clones" / commit
    if not clone.is_dir():
        _git("clone", "--quiet", "--no-checkout", str(ROOT), str(clone))
        _git("-C", str(clone), "checkout", "--quiet", "--detach", commit)
    return clone


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _foveate(clone: Path, work: Path, words: Sequence[str]) -> bool:
    """Call the command of a clone; an interrupt waits until it has ended by itself."""
    environment = os.environ | {"PYTHONPATH": str(clone / "src")}
    process = subprocess.Popen([sys.executable, "-m", "foveate", *words], cwd=work, env=environment)
    try:
        return process.wait() == 0
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise


def _keep(run: Run) -> None:
    """Put a small unfinished state where it is committed, without the places of this machine."""
    state = run.folder / "state.safetensors"
    if not state.is_file() or state.stat().st_size > STATE_BYTES:
        return
    kept = run.kept
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for name in KEPT:
        if (run.folder / name).is_file():
            shutil.copyfile(run.folder / name, kept / name)
    facts = json.loads((kept / "run.json").read_text(encoding="utf-8"))
    facts["places"] = [run.sets[name] for name in run.row["train"]]
    (kept / "run.json").write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    shutil.copyfile(run.folder.with_suffix(".commit"), kept / COMMIT)


def _write(run: Run, commit: str, scores: dict[str, Path]) -> None:
    facts = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    recipe = tomllib.loads((run.folder / "recipe.toml").read_text(encoding="utf-8"))
    with (run.folder / "log.csv").open(newline="", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    training = recipe["training"]
    steps = -(-training["samples_per_epoch"] // (training["batch"] * training["accumulate"]))
    result = {
        "run": run.id,
        "table": run.row["table"],
        "label": run.row["label"],
        "shortened": run.table.get("shortened", ""),
        "published": recipe.get("published", {}),
        "commit": commit,
        "seed": run.seed,
        "command": facts["command"],
        "resumed": len(facts.get("resumed", [])),
        "recipe": recipe,
        "crops": steps * training["batch"] * training["accumulate"] * len(epochs),
        "hours": round(sum(float(epoch["seconds"]) for epoch in epochs) / 3600, 4),
        "hardware": facts["hardware"],
        "threads": facts["threads"],
        "precision": facts["precision"],
        "versions": facts["versions"],
        "images": {
            name: {part: len(ids[part]) for part in ("training", "validation")} for name, ids in facts["data"].items()
        },
        "best": facts["progress"]["best"],
        "ending": facts["progress"]["ending"],
        "curves": {
            name: [float(epoch[name]) for epoch in epochs]
            for name in ("loss", "validation_loss", "mean_f1", "learning_rate")
        },
        "validation_f1": {name: [float(epoch[f"f1_{name}"]) for epoch in epochs] for name in facts["data"]},
        "scores": {name: json.loads(path.read_text(encoding="utf-8")) for name, path in scores.items()},
    }
    _write_result(run, result)


def _write_result(run: Run, result: dict[str, Any]) -> None:
    write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", run.result)


if __name__ == "__main__":
    sys.exit(main())
