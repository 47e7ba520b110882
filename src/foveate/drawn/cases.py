"""Drawn photographs as cases, and as files in DRIVE's layout, names and formats: to try out whatever reads DRIVE."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from foveate.drawn.fundus import draw
from foveate.errors import OutputError, UsageError
from foveate.imaging import write_gif_mask, write_tiff
from foveate.records import Case, CaseEntry

PART_OF = {"test": "test", "train": "training"}
"""Split to the name of DRIVE's folder for it, in the order of DRIVE's numbers."""


def drawn_cases(count: int) -> list[CaseEntry]:
    """`count` cases for training, then as many others for testing, drawn when they are loaded; each of its own eye.

    Raises UsageError for a count below 1.
    """
    if count < 1:
        raise UsageError(f"{count} photographs can't be drawn: give a number from 1 on.")
    digits = max(2, len(str(count - 1)))
    cases = []
    # Even seeds train and odd ones test, so that a photograph stays in its part whatever the count.
    for parity, split in enumerate(("train", "test")):
        for number in range(count):
            name = f"synthetic_{split}_{number:0{digits}d}"
            cases.append(CaseEntry(name, name, split, partial(_load, name, 2 * number + parity)))
    return cases


def write_synthetic_drive(count: int, folder: Path, on_case: Callable[[int, int], None] | None = None) -> None:
    """Write the cases of `synthetic:COUNT`: `count` for testing, numbered from 1, and as many others for training.

    There is no second observer: nobody drew these masks twice. `on_case` is called with how many are done, and how
    many there are. Raises OutputError where the folder isn't empty, and UsageError for a count below 1.
    """
    cases = drawn_cases(count)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: is there already and not empty. Name a new folder.")
    order = [entry for split in PART_OF for entry in cases if entry.split == split]
    digits = max(2, len(str(len(order))))
    for number, entry in enumerate(order, start=1):
        part, case, name = PART_OF[entry.split], entry.load(), f"{number:0{digits}d}"
        write_tiff(case.image, folder / part / "images" / f"{name}_{part}.tif")
        write_gif_mask(case.mask, folder / part / "1st_manual" / f"{name}_manual1.gif")
        if case.fov is not None:
            write_gif_mask(case.fov, folder / part / "mask" / f"{name}_{part}_mask.gif")
        if on_case is not None:
            on_case(number, len(order))


def _load(name: str, seed: int) -> Case:
    fundus = draw(seed)
    return Case(name, name, fundus.image, fundus.mask[None], fov=fundus.fov)
