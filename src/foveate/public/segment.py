"""`foveate.segment`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from foveate.inference import Segmenter
    from foveate.inference.sink import Outcome
    from foveate.inference.source import SourceItem
    from foveate.runtime import Backend, Device, Precision


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
    dicom_seg: Literal["binary", "fractional"] | None = None,
    plane: Literal["axial", "coronal", "sagittal"] = "axial",
    channels: Sequence[str] = (),
    window: tuple[float, float] | None = None,
    overwrite: bool = False,
    recursive: bool = False,
    backend: Backend | Literal["auto"] = "auto",
    device: Device | Literal["auto"] = "auto",
    precision: Precision | Literal["auto"] = "auto",
    threads: int = 0,
    max_memory: int | str | None = None,
    max_megapixels: float = 500.0,
    on_image: Callable[[Outcome], None] | None = None,
    on_wait: Callable[[int], None] | None = None,
) -> list[Outcome]:
    """Write a mask for every photograph into the folder `out`, with the record of it; what became of each, in order.

    `images` are files, folders and lists of files, or items of a source of your own (`foveate.inference.source`). The
    options are those of `foveate segment`; those that belong to the model are for a `model` by name only, not for one
    that `foveate.load` has opened with its own. `dicom_seg` makes a DICOM SEG besides, of DICOM files. `plane`,
    `channels` (what names of files end in that are one volume) and `window` are for NIfTI files. `max_memory`, in
    bytes or as "1500MB", and `max_megapixels` bound what an image may take; large ones are read and written in strips.
    A file that fails has an `error`, and the others are made. `on_image` is called after each; `on_wait` with the
    number of images that other calls on the same folder are making, where nothing else is left to do. Raises
    `foveate.errors.UsageError` for a call that is wrong, before anything is written, and OutputError where the folder's
    record can't be read or written.
    """
    from pathlib import Path

    from foveate.errors import UsageError, needs
    from foveate.inference import PostProcessing, Procedure, Segmenter
    from foveate.inference.engine import run
    from foveate.inference.large.limits import Limits
    from foveate.inference.large.source import bounded
    from foveate.inference.large.step import BoundedStep
    from foveate.inference.sink import FolderSink, Wanted
    from foveate.inference.source import items_of
    from foveate.public.load import opened
    from foveate.public.slicing import slicing_of
    from foveate.runtime import Wish

    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: is a file. Name a folder.")
    given = [images] if isinstance(images, str | Path) else list(images)
    paths = [image for image in given if isinstance(image, str | Path)]
    own = [image for image in given if not isinstance(image, str | Path)]
    limits = Limits.of(max_memory, max_megapixels)
    slicing = slicing_of(plane, channels, window)
    items: list[SourceItem] = [*items_of(paths, recursive=recursive, slicing=slicing), *own]
    wish = Wish(backend, device, precision, threads)
    procedure = Procedure(tta, PostProcessing(hysteresis, reconnect, min_size, largest, fill_holes))
    if not isinstance(model, Segmenter):
        model = opened(model, wish, procedure, images=len(items))
    elif (wish, procedure) != (Wish(), Procedure()):
        raise UsageError("the model is opened already: give its options to foveate.load.")
    fractional = dicom_seg == "fractional"
    wanted = Wanted(folder, probabilities or fractional, overlay, overwrite, confidence, overlay_style, overlay_opacity)
    objects = None
    if dicom_seg is not None:
        with needs("dicom", "DICOM SEG"):
            from foveate.inference.dicom.objects import SegmentationObjects

            objects = SegmentationObjects(items, dicom_seg, model.card, model.procedure)
    sink = FolderSink(model, wanted, [item.place for item in items if item.place is not None], objects)
    outcomes = []
    for outcome in run(BoundedStep(model, limits), bounded(items, limits), sink, on_wait=on_wait):
        outcomes.append(outcome)
        if on_image is not None:
            on_image(outcome)
    return outcomes
