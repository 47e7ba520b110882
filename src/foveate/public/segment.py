"""`foveate.segment`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from foveate.inference import Segmenter
    from foveate.inference.listing.shard import Shard
    from foveate.inference.sink import Outcome, Sink, Wanted
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
    min_size: int | None = None,
    largest: bool = False,
    fill_holes: int = 0,
    surest_size: bool = False,
    confidence: bool = False,
    dicom_seg: Literal["binary", "fractional"] | None = None,
    store: bool = False,
    plain_http: bool = False,
    token: str | None = None,
    plane: Literal["axial", "coronal", "sagittal"] = "axial",
    channels: Sequence[str] = (),
    window: tuple[float, float] | None = None,
    overwrite: bool = False,
    recursive: bool = False,
    shard: str | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    backend: Backend | Literal["auto"] = "auto",
    device: Device | Literal["auto"] = "auto",
    precision: Precision | Literal["auto"] = "auto",
    threads: int = 0,
    max_memory: int | str | None = None,
    max_megapixels: float = 500.0,
    on_image: Callable[[Outcome], None] | None = None,
    on_wait: Callable[[int], None] | None = None,
    on_start: Callable[[str], None] | None = None,
) -> list[Outcome]:
    """Write a mask for every photograph into `out`, with the record of it; what became of each, in order.

    `images` are files, folders, patterns, lists of files and addresses such as `s3://bucket/folder` or those of
    DICOMweb, or items of a source of your own (`foveate.inference.source`); `out` is a folder, or an address. The
    options are those of `foveate segment`; those that belong to the model are for a `model` by name only, not for one
    that `foveate.load` has opened with its own. `dicom_seg` makes a DICOM SEG besides, of DICOM files; `store` stores
    it, binary unless said, on the DICOMweb server of the address. `token` goes to that server, unencrypted if it has no
    https and `plain_http` allows that. `plane`, `channels` (what names of files end in that are one volume) and
    `window` are for NIfTI files. `shard`, such as "3/10", takes a share of the images alone. `max_memory`, in
    bytes or as "1500MB", and `max_megapixels` bound what an image may take; large ones are read and written in strips.
    `engine` "ray" works on the Ray cluster at `address`, or one on this machine, by a `model` that is named
    (docs/scale.md); each of its sessions has `threads` cores, one unless said.
    A file that fails has an `error`, and the others are made. `on_image` is called after each; `on_wait` with the
    number of images that other calls on the same folder are making, where nothing else is left to do; `on_start` with
    a line on model and cluster. Raises `foveate.errors.UsageError` for a call that is wrong, before anything is
    written, OutputError where the record can't be read or written, and ServerError where a server finds nothing, or no
    cluster answers.
    """
    from pathlib import Path

    from foveate.errors import UsageError
    from foveate.inference import PostProcessing, Procedure, Segmenter
    from foveate.inference.engine import run
    from foveate.inference.large.limits import Limits
    from foveate.inference.large.source import bounded
    from foveate.inference.large.step import BoundedStep
    from foveate.inference.listing.shard import Shard
    from foveate.inference.remote.address import local_or_address
    from foveate.inference.sink import Wanted
    from foveate.inference.source import items_of
    from foveate.public.load import opened
    from foveate.public.on_ray import OnRay
    from foveate.public.slicing import slicing_of
    from foveate.runtime import Wish

    place, part = local_or_address(out), Shard.of(shard)
    if isinstance(place, Path) and place.exists() and not place.is_dir():
        raise UsageError(f"--out {place}: is a file. Name a folder.")
    dicom_seg = dicom_seg or ("binary" if store else None)
    if dicom_seg is not None and (isinstance(place, str) or part.count > 1):
        raise UsageError(
            "--dicom-seg and --store need whole series and a folder: leave out --shard, and give no address for --out."
        )
    if engine == "local" and address is not None:
        raise UsageError(f"--address {address}: is that of a Ray cluster. Add --engine ray, or leave it out.")
    given = [images] if isinstance(images, str | Path) else list(images)
    paths = [image for image in given if isinstance(image, str | Path)]
    own = [image for image in given if not isinstance(image, str | Path)]
    limits = Limits.of(max_memory, max_megapixels)
    slicing = slicing_of(plane, channels, window)
    found = items_of(paths, recursive=recursive, token=token, plain_http=plain_http, slicing=slicing)
    items = part.share([*found, *own])
    wish = Wish(backend, device, precision, threads)
    procedure = Procedure(tta, PostProcessing(hysteresis, reconnect, min_size, largest, fill_holes), surest_size)
    folder = place if isinstance(place, Path) else Path()
    fractional = dicom_seg == "fractional"
    wanted = Wanted(folder, probabilities or fractional, overlay, overwrite, confidence, overlay_style, overlay_opacity)
    if engine != "local":
        on_ray = OnRay(items, wanted, place, part, limits, address, seg=dicom_seg is not None)
        return on_ray.segmented(engine, model, wish, procedure, on_image=on_image, on_start=on_start)
    if not isinstance(model, Segmenter):
        model = opened(model, wish, procedure, images=len(items))
    elif (wish, procedure) != (Wish(), Procedure()):
        raise UsageError("the model is opened already: give its options to foveate.load.")
    work = bounded(items, limits)
    sink = (
        _at_an_address(model, wanted, place, work, part)
        if isinstance(place, str)
        else _in_a_folder(model, wanted, items, dicom_seg, store=store)
    )
    outcomes = []
    threads = model.session.execution.threads
    for outcome in run(BoundedStep(model, limits), work, sink, threads=threads, on_wait=on_wait):
        outcomes.append(outcome)
        if on_image is not None:
            on_image(outcome)
    return outcomes


def _in_a_folder(
    model: Segmenter,
    wanted: Wanted,
    items: list[SourceItem],
    dicom_seg: Literal["binary", "fractional"] | None,
    *,
    store: bool,
) -> Sink:
    from foveate.errors import needs
    from foveate.inference.folder_sink import FolderSink

    objects = None
    if dicom_seg is not None:
        with needs("dicom", "DICOM SEG"):
            from foveate.inference.dicom.objects import SegmentationObjects

            objects = SegmentationObjects(items, dicom_seg, model.card, model.procedure)
    sink = FolderSink(model, wanted, [item.place for item in items if item.place is not None], objects)
    if not store:
        return sink
    with needs("dicom", "--store"):
        from foveate.inference.dicomweb.sink import StoringSink, archives_of
    return StoringSink(sink, archives_of(items))


def _at_an_address(model: Segmenter, wanted: Wanted, address: str, items: list[SourceItem], part: Shard) -> Sink:
    from foveate.errors import needs
    from foveate.inference.record import readable

    with needs("remote", "an address for --out"):
        from foveate.inference.remote.sink import RemoteSink
    names = [readable(item.name) for item in items]
    return RemoteSink(model, wanted, address, part.part, names, [item.key for item in items])
