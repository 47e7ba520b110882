"""`foveate segment`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from foveate.cli.console import say, say_error
from foveate.errors import UsageError

if TYPE_CHECKING:
    from foveate.inference.folder import Outcome


def segment(
    images: Annotated[list[Path], typer.Argument(readable=False, help="Photographs, and folders of photographs.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    model: Annotated[str, typer.Option(help="A shipped model's name, or an .onnx file.")] = "vessels",
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Also a 16-bit probability map.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also the mask over the photograph.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0: one per core.")] = 0,
) -> None:
    """Write a mask for every photograph.

    foveate segment photo.jpg folder/ -o masks/ --overlay
    """
    from foveate.inference import Segmenter
    from foveate.inference.folder import Wanted, segment_files
    from foveate.inference.jobs import plan

    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file. Name a folder.")
    jobs = plan(images)
    segmenter = Segmenter.open(model, threads=threads)
    card = segmenter.card
    say(f"{card.name}, threshold {card.threshold:.3f}, chosen on {card.threshold_from}")
    wanted = Wanted(out, probabilities=probabilities, overlay=overlay, overwrite=overwrite)
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
        say(f"{counter}{outcome.path}: kept, as {outcome.outputs['mask']} is there (--overwrite replaces it)")
        return
    notes = "".join(f"; {note}" for note in outcome.notes)
    say(f"{counter}{outcome.path} → {', '.join(map(str, outcome.outputs.values()))} ({outcome.seconds:.2f} s{notes})")
