"""`foveate.segment`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from foveate.inference import Segmenter
    from foveate.inference.sink import Outcome
    from foveate.inference.source import SourceItem


def segment(
    images: str | Path | Iterable[str | Path | SourceItem],
    out: str | Path,
    *,
    model: str | Path | Segmenter = "vessels",
    probabilities: bool = False,
    overlay: bool = False,
    overlay_style: Literal["outline", "fill"] = "outline",
    overlay_opacity: float = 0.8,
    tta: Literal[1, 2, 4, 8] = 1,
    hysteresis: float | None = None,
    reconnect: int = 0,
    min_size: int = 0,
    largest: bool = False,
    fill_holes: int = 0,
    confidence: bool = False,
    overwrite: bool = False,
    recursive: bool = False,
    threads: int = 0,
    max_memory: int | str | None = None,
    max_megapixels: float = 500.0,
    on_image: Callable[[Outcome], None] | None = None,
    on_wait: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Write a mask for every photograph into the folder `out`, with the record of it; what became of each, in order.

    `images` are files, folders and lists of files, or items of a source of your own (`foveate.inference.source`). The
    options are those of `foveate segment`; those that belong to the model are for a `model` by name only, not for one
    that `foveate.load` has opened with its own. `max_memory`, in bytes or as "1500MB", and `max_megapixels` bound what
    an image may take; large ones are read and written in strips. A file that fails has an `error`, and the others are
    made. `on_image` is called after each; `on_wait` with the number of images that other calls on the same folder are
    making, where nothing else is left to do. Raises `foveate.errors.UsageError` for a call that is wrong, before
    anything is written, and OutputError where the folder's record can't be read or written.
    """
    from pathlib import Path

    from foveate.errors import UsageError
    from foveate.inference import Segmenter
    from foveate.inference.engine import run
    from foveate.inference.large.limits import Limits
    from foveate.inference.large.source import bounded
    from foveate.inference.large.step import BoundedStep
    from foveate.inference.sink import FolderSink, Wanted
    from foveate.inference.source import items_of
    from foveate.public.load import load

    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: is a file. Name a folder.")
    given = [images] if isinstance(images, str | Path) else list(images)
    paths = [image for image in given if isinstance(image, str | Path)]
    own = [image for image in given if not isinstance(image, str | Path)]
    limits = Limits.of(max_memory, max_megapixels)
    items = bounded([*items_of(paths, recursive=recursive), *own], limits)
    of_model = (tta, hysteresis, reconnect, min_size, largest, fill_holes, threads)
    if not isinstance(model, Segmenter):
        model = load(
            model,
            tta=tta,
            hysteresis=hysteresis,
            reconnect=reconnect,
            min_size=min_size,
            largest=largest,
            fill_holes=fill_holes,
            threads=threads,
        )
    elif of_model != (1, None, 0, 0, False, 0, 0):
        raise UsageError("the model is opened already: give its options to foveate.load.")
    wanted = Wanted(folder, probabilities, overlay, overwrite, confidence, overlay_style, overlay_opacity)
    sink = FolderSink(model, wanted, [item.place for item in items if item.place is not None])
    outcomes = []
    for outcome in run(BoundedStep(model, limits), items, sink, on_wait=on_wait):
        outcomes.append(outcome)
        if on_image is not None:
            on_image(outcome)
    return outcomes
