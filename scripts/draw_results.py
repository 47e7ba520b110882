"""Draw finished runs on the images that they were scored on, into .results/pictures, which git ignores.

    python scripts/draw_results.py DATA                    # DATA holds the public sets
    python scripts/draw_results.py DATA --only '003-*'

Of every run in results/ that has test images and whose network is still in .results/: the report with its pictures as
files, in the papers' colours (analytic masks, missed foreground, curves), and the maps of a network that has attention
over one image, that of the median F1. What is drawn already is left as it is. The images belong to their sets, whose
terms hold for the pictures, too.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from results import ROOT, Places, Run, prepare, runs_of

import foveate
from foveate.datasets import open_set
from foveate.errors import FoveateError, UsageError
from foveate.evaluation import EvaluationResult
from foveate.imaging import write_rgb


def main(words: Sequence[str] | None = None) -> int:
    """Parse, then draw run after run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the public sets")
    parser.add_argument("--only", default="*", help="runs whose names match this pattern")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of rows.toml and the results")
    parser.add_argument("--work", type=Path, default=ROOT / ".results", help="folder of the runs, and of the pictures")
    options = parser.parse_args(words)
    places = Places(options.results.resolve(), options.work.resolve())
    scored = [run for run in runs_of(places) if run.result.is_file() and run.row["test"]]
    runs = [run for run in scored if fnmatch.fnmatch(run.id, options.only)]
    try:
        prepare(places, options.data)
        for run in runs:
            print(draw(run), flush=True)  # noqa: T201
    except (FileNotFoundError, FoveateError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def draw(run: Run) -> str:
    """Its pictures; a line that says where they are, or why there are none. Raises FoveateError."""
    folder = run.places.work / "pictures" / run.id
    if folder.is_dir():
        return f"{run.id}: in {os.path.relpath(folder)} already"
    if not (run.folder / "best.safetensors").is_file():
        return f"{run.id}: its network isn't in {os.path.relpath(run.folder)}; it was trained elsewhere"
    begun = folder.with_name(f"{run.id}-begun")
    shutil.rmtree(begun, ignore_errors=True)
    with chdir(run.places.work):  # where the sets are
        sets, split = [run.sets[name] for name in run.row["test"]], run.row.get("split", "test")
        results = foveate.report(run.folder, data=sets, split=split, out=begun, colours="paper", pictures="png")
        seen = _attention(run, results[0], sets[0], split, begun)
    begun.rename(folder)
    return f"{run.id}: {os.path.relpath(folder)}{seen}"


def _attention(run: Run, result: EvaluationResult, spec: str, split: str, folder: Path) -> str:
    """Draw where the network looks in the image of the median F1; what to say where it has no attention."""
    f1 = {image.id: next(iter(image.classes.values())).image.values["f1"] for image in result.images}
    ranked = sorted((value, name) for name, value in f1.items() if value is not None)
    if not ranked:
        return "; no attention maps: no image has an F1"
    chosen = ranked[(len(ranked) - 1) // 2][1]
    (case,) = (entry.load() for entry in open_set(spec).split(split) if entry.id == chosen)
    photograph = folder / f"{chosen}.png"
    write_rgb(case.image, photograph)
    try:
        foveate.attention(run.folder, photograph, folder / f"{chosen}-attention.png")
    except UsageError as error:
        return f"; no attention maps: {error}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
