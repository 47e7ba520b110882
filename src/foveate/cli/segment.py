"""`foveate segment`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from foveate.cli.console import say
from foveate.cli.declared import CommandArgument, CommandOption
from foveate.cli.options import BACKEND, DEVICE, PRECISION, THREADS
from foveate.cli.procedures import FILL_HOLES, HYSTERESIS, LARGEST, MIN_SIZE, RECONNECT, SUREST_SIZE, TTA, views_of
from foveate.cli.segment_display import Display
from foveate.errors import UsageError

TOKEN = "FOVEATE_DICOMWEB_TOKEN"
"""The variable that holds the token for DICOMweb: an option would show it to everyone on the machine."""


def segment(
    images: Annotated[
        list[str],
        CommandArgument(
            path_type=str,
            help="Photographs, folders, patterns and lists of them (.csv, .txt, .parquet), here or at addresses"
            " (s3://, sftp://, dicomweb+https://).",
        ),
    ],
    out: Annotated[str, CommandOption("--out", "-o", help="Folder for the results, or an address.")],
    model: Annotated[str, CommandOption(help="A shipped model's name, an .onnx file, or a run's folder.")] = "vessels",
    probabilities: Annotated[bool, CommandOption("--probabilities", help="Also a 16-bit probability map.")] = False,
    overlay: Annotated[bool, CommandOption("--overlay", help="Also the mask over the photograph.")] = False,
    overlay_style: Annotated[
        Literal["outline", "fill"] | None,
        CommandOption(help="A line around what was found, so that it stays in sight, or a colour over it."),
    ] = None,
    overlay_opacity: Annotated[
        float | None, CommandOption(min=0, max=1, help="How much of the photograph that hides; 0.8 unless said.")
    ] = None,
    tta: TTA = "1",
    hysteresis: HYSTERESIS = None,
    reconnect: RECONNECT = 0,
    min_size: MIN_SIZE = None,
    largest: LARGEST = False,
    fill_holes: FILL_HOLES = 0,
    surest_size: SUREST_SIZE = False,
    confidence: Annotated[
        bool, CommandOption("--confidence", help="Say how good each mask probably is: its expected F1.")
    ] = False,
    dicom_seg: Annotated[
        Literal["binary", "fractional"] | None,
        CommandOption(help="Also a DICOM SEG for each series of DICOM files: of the masks, or of the probabilities."),
    ] = None,
    store: Annotated[
        bool,
        CommandOption("--store", help="Store the DICOM SEG (binary, if not said) on the images' DICOMweb server."),
    ] = False,
    plain_http: Annotated[
        bool, CommandOption("--plain-http", help="Ask other machines without encryption, too (dicomweb+http).")
    ] = False,
    plane: Annotated[
        Literal["axial", "coronal", "sagittal"], CommandOption(help="Of NIfTI volumes: which slices of the body.")
    ] = "axial",
    channels: Annotated[
        str | None,
        CommandOption(
            metavar="ENDINGS",
            help="Of NIfTI files: what names end in that are red, green and blue of one volume, such as"
            " _pre,_flair,_post; or of the one file to take.",
        ),
    ] = None,
    window: Annotated[
        str | None,
        CommandOption(metavar="LOW,HIGH", help="Of NIfTI volumes: the levels that become black and white."),
    ] = None,
    overwrite: Annotated[bool, CommandOption("--overwrite", help="Replace results that are there.")] = False,
    recursive: Annotated[
        bool, CommandOption("--recursive", help="Also photographs in sub-folders; results lie in sub-folders, too.")
    ] = False,
    shard: Annotated[
        str | None, CommandOption(metavar="I/N", help="Only a share of the images: 3/10 is the third of ten.")
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        CommandOption(help="What goes through the images: this process, or the machines of a Ray cluster."),
    ] = "local",
    address: Annotated[
        str | None,
        CommandOption(
            metavar="ADDRESS",
            help="Of the Ray cluster: auto, or HOST:PORT; by itself one is started here, and ended after the call.",
        ),
    ] = None,
    backend: BACKEND = "auto",
    device: DEVICE = "auto",
    precision: PRECISION = "auto",
    threads: THREADS = 0,
    max_memory: Annotated[
        str | None, CommandOption(metavar="SIZE", help="Memory to work in, e.g. 1500MB: larger images go by strips.")
    ] = None,
    max_megapixels: Annotated[float, CommandOption(help="Larger images are refused.")] = 500.0,
) -> None:
    """Write a mask for every photograph.

    foveate segment photo.jpg folder/ -o masks/ --overlay
    """
    import foveate
    from foveate.imaging import images_below
    from foveate.imaging.overlay import OPACITY
    from foveate.inference.large.limits import Limits
    from foveate.inference.listing.shard import Shard
    from foveate.inference.remote.address import local_or_address, shown
    from foveate.inference.source import items_of
    from foveate.public.on_ray import confidence_in_words, in_words
    from foveate.public.slicing import slicing_of, window_in

    if not overlay and (overlay_style, overlay_opacity) != (None, None):
        raise UsageError("--overlay-style and --overlay-opacity say how an overlay looks. Add --overlay.")
    place = local_or_address(out)
    if isinstance(place, Path) and place.exists() and not place.is_dir():
        raise UsageError(f"--out {place}: is a file. Name a folder.")
    Limits.of(max_memory, max_megapixels)  # before the model is opened
    slicing = slicing_of(plane, channels.split(",") if channels else (), window_in(window))
    found = items_of(images, recursive=recursive, token=os.environ.get(TOKEN), plain_http=plain_http, slicing=slicing)
    items = Shard.of(shard).share(found)
    options: dict[str, Any] = {
        "tta": views_of(tta),
        "hysteresis": hysteresis,
        "reconnect": reconnect,
        "min_size": min_size,
        "largest": largest,
        "fill_holes": fill_holes,
        "surest_size": surest_size,
        "backend": backend,
        "device": device,
        "precision": precision,
        "threads": threads,
    }
    display = Display(len(items))
    if engine == "local":
        segmenter = foveate.load(model, **options, images=len(items))
        say(in_words(segmenter.card, segmenter.session.execution))
        if confidence:
            say(confidence_in_words(segmenter.card))
        options = {"model": segmenter}
    else:
        options |= {"model": model}
    for folder in [] if recursive else [path for path in map(Path, images) if path.is_dir()]:
        if below := images_below(folder):
            say(f"{folder}: images in its sub-folders are passed over ({below}); --recursive takes them")
    foveate.segment(
        items,
        out,
        **options,
        probabilities=probabilities,
        overlay=overlay,
        overlay_style=overlay_style or "outline",
        overlay_opacity=OPACITY if overlay_opacity is None else overlay_opacity,
        confidence=confidence,
        dicom_seg=dicom_seg,
        shard=shard,
        store=store,
        overwrite=overwrite,
        max_memory=max_memory,
        max_megapixels=max_megapixels,
        on_image=display.tell,
        on_wait=display.wait,
        engine=engine,
        address=address,
        on_start=say,
    )
    display.close(shown(place) if isinstance(place, str) else place)
    if display.failed:
        raise SystemExit(1)
