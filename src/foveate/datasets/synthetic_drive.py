"""Drawn photographs as files, in DRIVE's layout, names and formats: to try out whatever reads DRIVE."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from foveate.datasets.drive import SPLIT_OF
from foveate.datasets.synthetic import entries
from foveate.errors import OutputError
from foveate.imaging import write_gif_mask, write_tiff


def write_synthetic_drive(count: int, folder: Path, on_case: Callable[[int, int], None] | None = None) -> None:
    """Write the cases of `synthetic:COUNT`: `count` for testing, numbered from 1, and as many others for training.

    There is no second observer: nobody drew these masks twice. Raises OutputError where the folder isn't empty, and
    UsageError for a count below 1.
    """
    cases = entries(str(count))
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: is there already and not empty. Name a new folder.")
    order = [entry for part in ("test", "train") for entry in cases if entry.split == part]
    digits = max(2, len(str(len(order))))
    name_of = {split: part for part, split in SPLIT_OF.items()}
    for number, entry in enumerate(order, start=1):
        part, case, name = name_of[entry.split], entry.load(), f"{number:0{digits}d}"
        write_tiff(case.image, folder / part / "images" / f"{name}_{part}.tif")
        write_gif_mask(case.mask, folder / part / "1st_manual" / f"{name}_manual1.gif")
        if case.fov is not None:
            write_gif_mask(case.fov, folder / part / "mask" / f"{name}_{part}_mask.gif")
        if on_case is not None:
            on_case(number, len(order))
