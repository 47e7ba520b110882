"""What training images are like, as far as a recipe depends on it. No other image is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

import numpy as np

from foveate.arrays.fov import FieldOfView, find_fov
from foveate.datasets import DataSet, channels_of
from foveate.datasets.volumes import ReadSlice
from foveate.errors import DataError
from foveate.planning.thickness import thickness
from foveate.recipes.schema import Recipe
from foveate.records import Case, CaseEntry, Mask
from foveate.training.data.gather import common_classes, parts_of
from foveate.training.data.reading import in_order

LOOKED_AT = 64
"""Training images that are read: more would hardly move a median."""

DISC = 0.95
"""A field of view that takes more of the image than this is no disc in a dark surround."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of the training parts of all sets together."""

    images: int
    """To learn from; those for validation are held out."""
    validation: int
    groups: int
    """Patients or eyes, of both."""
    looked_at: int
    """Images that the rest was measured on."""
    height: float
    """Median, pixels."""
    width: float
    smallest: float
    """Pixels: the smallest diameter of the field of view, or the longer side where there is none."""
    diameter: float
    """The median one."""
    largest: float
    discs: float
    """Share of the images that show a lit disc in a dark surround, 0 to 1."""
    grey: bool
    """No image has colours."""
    colours: bool
    """The channels are a photograph's red, green and blue."""
    classes: tuple[str, ...]
    shares: tuple[float, ...]
    """Of each class: how much of the field of view it takes, 0 to 1."""
    present: tuple[float, ...]
    """Of each class: the share of images that have it."""
    thickness: tuple[float, ...]
    """Of each class as a share of the diameter, the median of the images that have it; 0 where none has."""
    seconds: float
    """To read and look at one image, on one core."""

    @property
    def thinnest(self) -> float:
        """Of the classes that were seen: the share of the diameter that its structures are thick."""
        return min(each for each in self.thickness if each)

    @property
    def foreground(self) -> float:
        """Share of the field of view that all classes together take."""
        return sum(self.shares)


@dataclass(frozen=True, slots=True)
class _Look:
    """One case, without its pixels."""

    height: int
    width: int
    fov: float
    """The diameter of its field of view."""
    disc: bool
    grey: bool
    shares: tuple[float, ...]
    thickness: tuple[float, ...]
    """Pixels."""
    seconds: float


def fingerprint(
    data: Sequence[DataSet], draft: Recipe, *, on_read: Callable[[int, int], None] = lambda *_: None
) -> Fingerprint:
    """Look at images of the sets' training parts, as the recipe's `[data]` parts them; up to `LOOKED_AT`, by chance.

    More are read where none of these has a mask with foreground. `on_read` hears how many are done, of how many.

    Raises DataError where there are fewer than two groups, a file is missing, or all masks are empty; ImageError for
    an image that can't be read.
    """
    parts = [parts_of(dataset, draft) for dataset in data]
    learnt, held = ([entry for part in parts for entry in part[which]] for which in (0, 1))
    order = [learnt[place] for place in np.random.default_rng(draft.training.seed).permutation(len(learnt))]
    looks: list[_Look] = []
    wanted = min(LOOKED_AT, len(order))
    for look in in_order(_look, order):
        looks.append(look)
        on_read(len(looks), wanted)
        if len(looks) >= wanted and any(any(each.shares) for each in looks):
            break
    if not any(any(look.shares) for look in looks):
        raise DataError(
            f"{data[0].name}: all {len(order)} training masks are empty: there is nothing to learn."
            f" See `foveate data check {data[0].name}:{data[0].root}`."
        )
    groups = len({(number, entry.group) for number, part in enumerate(parts) for entry in (*part[0], *part[1])})
    volumes = any(isinstance(entry.load, ReadSlice) for entry in learnt)
    named = not channels_of([dataset.name for dataset in data]) and not volumes
    seen = _together(looks, common_classes(data).names)
    return replace(seen, images=len(learnt), validation=len(held), groups=groups, colours=named and not seen.grey)


def _look(entry: CaseEntry) -> _Look:
    started = time.monotonic()
    case = entry.load()
    fov = find_fov(case.image)
    height, width = case.image.shape[:2]
    inside = _inside(case, fov)
    pixels = max(1, int(inside.sum()))
    return _Look(
        height,
        width,
        fov.diameter,
        not fov.note and float(fov.mask.mean()) <= DISC,
        bool((case.image == case.image[..., :1]).all()),
        tuple(float((mask & inside).sum()) / pixels for mask in case.masks),
        tuple(thickness(mask) for mask in case.masks),
        time.monotonic() - started,
    )


def _inside(case: Case, fov: FieldOfView) -> Mask:
    """Where the camera lit: by the set, else by the disc that was found, else everywhere."""
    if case.fov is not None:
        return case.fov
    return fov.mask if not fov.note else np.ones(case.image.shape[:2], bool)


def _together(looks: Sequence[_Look], classes: tuple[str, ...]) -> Fingerprint:
    discs = fmean(look.disc for look in looks)
    diameters = [look.fov if discs >= 0.5 else max(look.height, look.width) for look in looks]
    shares = list(zip(*(look.shares for look in looks), strict=True))
    thick = [
        [look.thickness[number] / diameter for look, diameter in zip(looks, diameters, strict=True)]
        for number in range(len(classes))
    ]
    return Fingerprint(
        images=len(looks),
        validation=0,
        groups=0,
        looked_at=len(looks),
        height=median(look.height for look in looks),
        width=median(look.width for look in looks),
        smallest=min(diameters),
        diameter=median(diameters),
        largest=max(diameters),
        discs=discs,
        grey=all(look.grey for look in looks),
        colours=False,
        classes=classes,
        shares=tuple(fmean(of_class) for of_class in shares),
        present=tuple(fmean(share > 0 for share in of_class) for of_class in shares),
        thickness=tuple(median([value for value in of_class if value] or [0.0]) for of_class in thick),
        seconds=fmean(look.seconds for look in looks),
    )
