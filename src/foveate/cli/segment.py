"""`foveate segment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import say, say_error
from foveate.cli.options import THREADS
from foveate.cli.refinements import FILL_HOLES, HYSTERESIS, LARGEST, MIN_SIZE, RECONNECT, TTA, views_of
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.inference.folder import Outcome


def segment(
    images: Annotated[list[Path], typer.Argument(readable=False, help="Photographs, and folders of photographs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    model: Annotated[str, typer.Option(help="A shipped model's name, an .onnx file, or a run's folder.")] = "vessels",
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Also a 16-bit probability map.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also the mask over the photograph.")] = False,
    tta: TTA = "1",
    hysteresis: HYSTERESIS = None,
    reconnect: RECONNECT = 0,
    min_size: MIN_SIZE = 0,
    largest: LARGEST = False,
    fill_holes: FILL_HOLES = 0,
    confidence: Annotated[
        bool, typer.Option("--confidence", help="Say how good each mask probably is: its expected F1.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    threads: THREADS = 0,
) -> None:
    """Write a mask for every photograph.

    foveate segment photo.jpg folder/ -o masks/ --overlay
    """
    import foveate
    from foveate.inference.folder import Wanted, segment_files
    from foveate.inference.jobs import plan

    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file. Name a folder.")
    jobs = plan(images)
    segmenter = foveate.load(
        model,
        tta=views_of(tta),
        hysteresis=hysteresis,
        reconnect=reconnect,
        min_size=min_size,
        largest=largest,
        fill_holes=fill_holes,
        threads=threads,
    )
    card = segmenter.card
    thresholds = ", ".join(f"{value:.3f}" for value in card.thresholds)
    say(f"{card.name}, threshold {thresholds}, chosen on {card.threshold_from}")
    wanted = Wanted(out, probabilities=probabilities, overlay=overlay, overwrite=overwrite, confidence=confidence)
    failed = kept = 0
    for number, outcome in enumerate(segment_files(segmenter, jobs, wanted), start=1):
        _report(outcome, f"[{number}/{len(jobs)}] ")
        failed += bool(outcome.error)
        kept += outcome.kept
    say(
        f"{len(jobs) - failed - kept} done, {kept} kept, {failed} failed; results in {out}."
        " For research, not a medical device."
    )
    if failed:
        raise typer.Exit(1)


def _report(outcome: Outcome, counter: str) -> None:
    if outcome.error:
        say_error(counter + outcome.error)
        return
    if outcome.kept:
        there = next(iter(outcome.outputs.values()))
        say(f"{counter}{outcome.path}: kept, as {there} is there (--overwrite replaces it)")
        return
    expected = "".join(f"; expected F1 of {name} {value}" for name, value in outcome.expected_f1.items())
    notes = expected + "".join(f"; {note}" for note in outcome.notes)
    say(f"{counter}{outcome.path} → {', '.join(map(str, outcome.outputs.values()))} ({outcome.seconds:.2f} s{notes})")
